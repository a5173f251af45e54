"""The first billing days after contracts were moved here: what Lago billed is not billed again, nothing is left out.

Everything is as of 12 May 2026. The plan fees are 30.00 a month and the calls 0.10 each, 0.05 in Europe.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
import time_machine
from moneyed import Money

from billing.models import AdvanceEvent, BilledPeriod, Subscription
from billing.services import advance_events, runs, subscriptions
from billing.services.takeovers import Since
from config.importing import usage
from config.importing.house import House
from config.importing.kinds import Journey
from config.importing.report import Report
from config.importing.source import Lago
from invoicing.models import Invoice
from invoicing.services import books_checks
from tests.config.importing import company
from tests.config.importing.lago import KEY, Peer, serving
from tests.config.importing.test_moving import bring
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db


def moved(
    *,
    since: Since = Since.NEXT,
    only: tuple[str, ...],
    extra: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (),
    **other: Any,
) -> Report:
    """Bring over the company with some of its subscriptions, without coupons and wallets."""
    content = company.content()
    content["subscriptions"] = [*content["subscriptions"], *(row for row, _ in extra)]
    content["plans"] = [*content["plans"], *(bought for _, bought in extra)]
    rows = [{**row, **other} for row in content["subscriptions"] if row["external_id"] in only]
    bought, buyers = {row["plan_code"] for row in rows}, {row["external_customer_id"] for row in rows}
    content["subscriptions"] = rows
    content["plans"] = [row for row in content["plans"] if row["code"] in bought]
    content["customers"] = [row for row in content["customers"] if row["external_id"] in buyers]
    content["applied_coupons"], content["wallets"], content["coupons"] = [], [], []
    with serving(Peer(content)) as peer:
        return bring(peer, since=since)


def call(api: ApiClient, external_id: str, at: str, n: int, code: str = "calls") -> None:
    """Send an event of n calls outside of Europe."""
    event = {
        "transaction_id": f"{external_id}-{code}-{at}",
        "external_subscription_id": external_id,
        "code": code,
        "timestamp": at,
        "properties": {"n": n, "region": "us"},
    }
    assert api.call("post", "events", {"event": event}).status_code == 200


def billed(day: datetime) -> list[tuple[str, Decimal]]:
    """Bill up to a moment and return all invoices with their net amounts, oldest first."""
    runs.run(as_of=day, trigger="test", actor=ACTOR)
    rows = Invoice.objects.exclude(status="voided").order_by("issuing_date", "pk")
    return [(f"{row.issuing_date:%d %b}", row.fees_amount.amount) for row in rows]


def on(month: int, day: int, hour: int = 1) -> datetime:
    """Return an hour of a day in 2026."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_in_arrears_the_running_period_stays_with_lago() -> None:
    moved(only=("s-arrears",))
    api = ApiClient()
    call(api, "s-arrears", "2026-05-20T00:00:00Z", 400)
    call(api, "s-arrears", "2026-06-03T00:00:00Z", 150)
    assert billed(on(6, 1)) == []
    assert billed(on(6, 30)) == []
    # June: fee 30.00, 150 calls at 0.10 are 15.00, up to the minimum of 50.00 another 5.00. May is nowhere.
    assert billed(on(7, 1)) == [("01 Jul", Decimal("50.00"))]
    assert BilledPeriod.objects.filter(reason="billed_elsewhere").count() == 1


def test_in_arrears_the_running_period_may_be_taken_over() -> None:
    moved(only=("s-arrears",), since=Since.RUNNING)
    api = ApiClient()
    call(api, "s-arrears", "2026-05-03T00:00:00Z", 100)  # sent again from the first of the month on
    call(api, "s-arrears", "2026-05-20T00:00:00Z", 400)
    with time_machine.travel(on(5, 21), tick=False):
        shown = api.read("customers/acme/current_usage", external_subscription_id="s-arrears").json()["customer_usage"]
        assert _compared(shown) == []
        assert _compared({**shown, "amount_cents": 4000}) == ["s-arrears: 4000 there, 5000 here"]
    # May as a whole: 30.00 and 500 calls, 50.00; April is not.
    assert billed(on(6, 1)) == [("01 Jun", Decimal("80.00"))]
    assert not BilledPeriod.objects.filter(reason="billed_elsewhere").exists()


def _compared(theirs: dict[str, Any]) -> list[str]:
    """Compare the running usage with what the other side says, and return what differs."""
    content = {"subscriptions": [company.SUB_ARREARS]}
    usage_there = httpx.Response(200, json={"customer_usage": theirs})
    rows = httpx.Response(200, json={**content, "meta": {"next_page": None}})
    transport = httpx.MockTransport(lambda asked: usage_there if "current_usage" in asked.url.path else rows)
    with Lago("https://lago.example", KEY, transport=transport) as lago:
        at = on(5, 21)
        journey = Journey(lago=lago, house=House(at=at), at=at, since=Since.NEXT)
        return [str(one).partition("\n")[0] for one in usage.compare(journey) if one.differences]


def test_in_advance_the_running_period_is_not_billed_again() -> None:
    """By the anniversary: periods begin on the 7th. Fee of its own 25.00, calls 0.08, two seats 20.00, an SMS 1.00."""
    moved(only=("s-advance",))
    assert billed(on(5, 12)) == []
    api = ApiClient()
    call(api, "s-advance", "2026-05-20T00:00:00Z", 100)
    call(api, "s-advance", "2026-05-21T00:00:00Z", 1, "sms")
    advance_events.bill_waiting(as_of=on(5, 22))
    assert Invoice.objects.count() == 0  # Lago billed the SMS
    assert AdvanceEvent.objects.count() == 0  # and nobody waits for it
    assert billed(on(6, 6)) == []
    assert billed(on(6, 7)) == [("07 Jun", Decimal("45.00"))]  # the next month's fee and seats, no calls of May
    call(api, "s-advance", "2026-06-20T00:00:00Z", 100)
    call(api, "s-advance", "2026-06-21T00:00:00Z", 1, "sms")
    advance_events.bill_waiting(as_of=on(6, 22))
    bills = billed(on(7, 7))
    assert books_checks.run(as_of=on(7, 7, 2), trigger="test", actor=ACTOR, sample=5).broken_count == 0
    # the SMS at once; then 45.00 for July and 100 calls of June at 0.08
    assert [amount for _, amount in bills] == [Decimal("45.00"), Decimal("1.00"), Decimal("53.00")]


def test_on_the_billing_day_itself_lago_bills_the_day() -> None:
    """The import is at 10:00 on a billing day: the period before and this one's fee are Lago's."""
    moved(only=("s-advance",), subscription_at="2025-01-12T00:00:00Z")
    assert billed(on(5, 12, 23)) == []
    assert billed(on(5, 13)) == []
    row = Subscription.objects.get()
    assert f"{row.next_billing_date}" == "2026-06-12"
    assert billed(on(6, 12)) == [("12 Jun", Decimal("45.00"))]


def test_one_that_began_today_in_advance_is_not_billed_at_its_start() -> None:
    moved(only=("s-advance",), subscription_at="2026-05-12T08:00:00Z")
    assert Invoice.objects.count() == 0
    assert billed(on(6, 11)) == []
    assert billed(on(6, 12)) == [("12 Jun", Decimal("45.00"))]


def test_years_with_monthly_usage_begin_where_nothing_of_the_year_is_left() -> None:
    """360.00 a year: before it, the next month's usage is ours; after it, the whole year's fee and usage is Lago's."""
    yearly = {"interval": "yearly", "amount_cents": 36000, "bill_charges_monthly": True}
    before = company.plan(100, "before", pay_in_advance=True, **yearly)
    after = company.plan(110, "after", **yearly)
    extra = (
        (company.subscription(120, "s-before", "acme", before), before),
        (company.subscription(121, "s-after", "beta", after), after),
    )
    assert not moved(only=("s-before", "s-after"), extra=extra).refused
    api = ApiClient()
    for external_id in ("s-before", "s-after"):
        for day in ("2026-05-20", "2026-06-20", "2027-01-20"):
            call(api, external_id, f"{day}T00:00:00Z", 100)
    assert billed(on(6, 1)) == []
    assert billed(on(7, 1)) == [("01 Jul", Decimal("10.00"))]  # 100 calls of June, of the first alone
    new_year = datetime(2027, 1, 1, 1, tzinfo=UTC)
    assert billed(new_year)[1:] == [("01 Jan", Decimal("360.00"))]  # the first's next year; the other's is Lago's
    february = datetime(2027, 2, 1, 1, tzinfo=UTC)
    assert billed(february)[2:] == [("01 Feb", Decimal("10.00"))] * 2


@pytest.mark.parametrize(
    ("external_id", "code"),
    [("s-advance", "usage_was_paid_in_advance"), ("s-metered", "usage_was_billed_at_thresholds")],
)
def test_what_may_have_been_billed_within_the_period_is_not_taken_over_in_it(external_id: str, code: str) -> None:
    report = moved(only=(external_id,), since=Since.RUNNING)
    assert [one.code for one in report.of("subscriptions").refused] == [code]
    assert not Subscription.objects.exists()


def test_a_waiting_one_starts_here() -> None:
    moved(only=("s-pending",))
    row = Subscription.objects.get()
    assert (row.status, row.plan_version.amount) == ("pending", Money(30, "EUR"))
    subscriptions.activate(subscription_id=row.pk, actor=ACTOR, at=on(6, 10))
    row.refresh_from_db()
    assert row.status == "active"
    # 21 of 30 days from 10 June: 21.00 of the fee, and up to 35.00, the same share of the minimum
    assert billed(on(7, 1)) == [("01 Jul", Decimal("35.00"))]
