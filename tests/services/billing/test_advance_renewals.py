"""Units that are there at renewal: paid in full for the period that begins, once, and not at an end."""

from __future__ import annotations

import pytest

from billing.models import RatedCharge, Subscription
from billing.services import runs, terminations
from invoicing.models import Invoice
from tests.factories import advance, billing, catalog, usage
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


def send(moment: str, **properties: object) -> None:
    usage.store(usage.make_event(moment, code="seats", properties=properties))


def seats(**values: object) -> None:
    """Begin on 5 May with 30 a seat; two seats come on 12 May."""
    metric = catalog.make_metric("seats", "unique_count_agg", recurring=True)
    advance.make_subscription(advance.make_plan(metric, "31", cents=1000, prorated=True, **values), at="2026-05-05")
    send("2026-05-12T10:00:00", seats="anna")
    send("2026-05-12T10:00:00", seats="ben")
    advance.bill("2026-05-12T11:00")


def test_fees_that_stand_alone_are_made_in_full() -> None:
    seats()
    runs.run_scheduled(as_of=billing.instant("2026-06-01T01:00"))
    # 31 × 20 / 31 for each new seat (0.64517 × 31 = 20.00027), then 2 × 31 for June.
    assert advance.fees() == [("1", "20", True), ("1", "20", True), ("2", "62", True)]
    row = RatedCharge.objects.order_by("-pk")[0]
    assert (row.from_at, row.to_at) == (billing.instant("2026-06-01"), billing.instant("2026-07-01"))
    assert row.event_transaction_id is None
    assert row.period is None
    assert Invoice.objects.count() == 1  # the plan's own fee
    runs.run_scheduled(as_of=billing.instant("2026-06-01T02:00"))
    assert len(advance.fees()) == 3


def test_an_invoiceable_renewal_is_on_the_period_s_invoice() -> None:
    seats(invoiceable=True)
    runs.run_scheduled(as_of=billing.instant("2026-06-01T01:00"))
    assert advance.fees()[2:] == [("2", "62", False)]
    last = Invoice.objects.order_by("-pk")[0]
    assert sorted(line.kind for line in last.lines.all()) == ["charge", "subscription"]


def test_a_renewal_of_nothing_is_a_fee_of_nothing() -> None:
    metric = catalog.make_metric("seats", "unique_count_agg", recurring=True)
    advance.make_subscription(advance.make_plan(metric, cents=1000))
    runs.run_scheduled(as_of=billing.instant("2026-06-01T01:00"))
    assert advance.fees() == [("0", "0", True)]


def test_a_termination_renews_nothing() -> None:
    seats()
    terminations.terminate(
        subscription_id=Subscription.objects.get().pk, actor=ACTOR, at=billing.instant("2026-05-20T10:00")
    )
    runs.run_scheduled(as_of=billing.instant("2026-06-01T01:00"))
    assert len(advance.fees()) == 2


def test_metered_usage_is_not_renewed() -> None:
    metric = catalog.make_metric("seats", "sum_agg")
    advance.make_subscription(advance.make_plan(metric, cents=1000))
    send("2026-05-12T10:00:00", seats=4)
    advance.bill("2026-05-12T11:00")
    runs.run_scheduled(as_of=billing.instant("2026-06-01T01:00"))
    assert advance.fees() == [("4", "12", True)]


@pytest.mark.parametrize("invoiceable", [True, False])
def test_a_downgrade_renews_what_is_there_once(invoiceable: bool) -> None:
    metric = catalog.make_metric("seats", "unique_count_agg", recurring=True)
    big = advance.make_plan(metric, "10", code="big", cents=5000, invoiceable=invoiceable)
    small = advance.make_plan(metric, "1", code="small", cents=1000, invoiceable=invoiceable)
    subscription = advance.make_subscription(big)
    for seat in ("anna", "ben"):
        send("2026-05-04T10:00:00", seats=seat)
    advance.bill("2026-05-04T13:00")
    billing.make_subscription(subscription.customer, small, at=billing.instant("2026-05-10"))

    runs.run_scheduled(as_of=billing.instant("2026-06-01T01:00"))
    # The last invoice of the old plan renews its two seats for June, by its own price.
    assert [(units, amount) for units, amount, _ in advance.fees()[2:]] == [("2", "20")]

    for seat in ("anna", "cleo"):
        send("2026-06-04T10:00:00", seats=seat)
    advance.bill("2026-06-04T13:00")
    # June is paid for anna; cleo is new, by the new price.
    assert [(units, amount) for units, amount, _ in advance.fees()[3:]] == [("0", "0"), ("1", "1")]

    runs.run_scheduled(as_of=billing.instant("2026-07-01T01:00"))
    assert [(units, amount) for units, amount, _ in advance.fees()[5:]] == [("3", "3")]
