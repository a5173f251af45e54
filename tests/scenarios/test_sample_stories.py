"""The sample's stories of subscriptions, played on an installation and billed: every figure that they are made for."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.models import Subscription
from config import environment
from config.demo import builds, buyers, earlier, lives, loading, present, sights, workspaces
from config.demo.api import Api
from config.demo.builds import Holder
from config.demo.present import Present
from config.kernel import jobs
from tests.scenarios.conftest import AT

pytestmark = pytest.mark.django_db

LAST, MONTH = date(2026, 5, 1), date(2026, 6, 1)
PEOPLE = buyers.all_of([f"acct_{number:012x}" for number in range(40)])
RANKS = sorted(
    {holder.rank for holder in builds.HOLDERS}
    | {holder.rank for holder in workspaces.HOLDERS}
    | {lives.WAITS_RANK, lives.PAID_RANK}
)


def play(api: Api) -> None:
    """Play the stories as the tour does, and bill what is due."""
    loading.customers(api, [PEOPLE[rank].customer for rank in RANKS], step=lambda: None)
    present.begin(api, Present([], {}, PEOPLE, LAST), at=AT)
    earlier.play(PEOPLE, month=LAST)
    jobs.run("billing", as_of=AT)
    lives.make(api, PEOPLE, month=MONTH)


def invoices(api: Api, holder: Holder) -> list[dict[str, Any]]:
    """Return the invoices of a holder's runners, oldest first, with their lines."""
    own = holder.external_id(PEOPLE)
    rows = api.rows("invoices", external_customer_id=PEOPLE[holder.rank].external_id, status="finalized")
    whole = [api.find("invoices", row["lago_id"])["invoice"] for row in rows]
    return [one for one in reversed(whole) if any(fee["external_subscription_id"] == own for fee in one["fees"])]


def amounts(invoice: dict[str, Any]) -> dict[str, int]:
    """Return the lines of an invoice that come to something, by type."""
    return {fee["item"]["type"]: fee["amount_cents"] for fee in invoice["fees"] if fee["amount_cents"]}


def statuses(external_id: str) -> list[str]:
    return list(Subscription.objects.filter(external_id=external_id).order_by("pk").values_list("status", flat=True))


def test_stories_end_as_they_are_meant_to(api: Api) -> None:
    loading.catalogue(api)
    for _ in range(2):  # again, nothing more
        play(api)

    # 300.00 − 50.00 − 120.00, and with own terms 250.00 − 40.00 − 80.00
    (committed,) = invoices(api, builds.COMMITS)
    assert amounts(committed) == {"subscription": 5_000, "charge": 12_000, "commitment": 13_000}
    (own,) = invoices(api, builds.HAS_OWN_TERMS)
    assert amounts(own) == {"subscription": 4_000, "charge": 8_000, "commitment": 13_000}

    # 2,300 minutes, 5,400, and 5,800 in the end, at 0.10; the fee is 20.00.
    first, second, month = invoices(api, builds.PASSES_THRESHOLDS)
    assert [one["invoice_type"] for one in (first, second, month)] == [*["progressive_billing"] * 2, "subscription"]
    nets = [one["sub_total_excluding_taxes_amount_cents"] for one in (first, second, month)]
    assert nets == [23_000, 31_000, 6_000]
    assert [one["issuing_date"] for one in (first, second, month)] == ["2026-05-08", "2026-05-17", "2026-06-01"]
    assert month["progressive_billing_credit_amount_cents"] == 54_000

    # Paused on the 10th and resumed on the 20th: 200 minutes before, 120 after, and 90 in between that nobody bills.
    before, after = invoices(api, builds.WAS_PAUSED)
    assert amounts(before) == {"subscription": 645, "charge": 2_000}  # 20.00 × 10 / 31
    assert amounts(after) == {"subscription": 774, "charge": 1_200}  # 20.00 × 12 / 31
    assert statuses(builds.WAS_PAUSED.external_id(PEOPLE)) == ["terminated", "active"]

    assert [amounts(one)["charge"] for one in invoices(api, builds.FIRST_ORDER)] == [3_600]
    assert [amounts(one)["charge"] for one in invoices(api, builds.SECOND_ORDER)] == [1_800]

    assert statuses(builds.IS_PAUSED.external_id(PEOPLE)) == ["terminated", "paused"]
    assert statuses(builds.CHANGES.external_id(PEOPLE)) == ["active", "pending"]
    assert statuses(builds.ENDS.external_id(PEOPLE)) == ["active"]
    waits, paid = (workspaces.subscription_id(PEOPLE[rank].external_id) for rank in (lives.WAITS_RANK, lives.PAID_RANK))
    assert (statuses(waits), statuses(paid)) == (["incomplete"], ["active"])
    assert len(list(api.rows("payments"))) == 1

    lines = [one for one in sights.lines(PEOPLE, url="http://127.0.0.1:8000") if "/admin/billing/" in one[1]]
    links = {link for _, link, _ in lines}
    assert all((environment.BASE_DIR / guide).is_file() for _, _, guide in lines)
    assert len(lines) == len(links) == 10  # no hosting and no contract here
    assert all(link.startswith("http://127.0.0.1:8000/admin/billing/subscription/") for link in links)
    assert sights.text(PEOPLE, url="").count("/admin/billing/subscription/") == 10
