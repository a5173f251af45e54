"""The sample's third product: build runners by the minute, on two plans in euro, for customers with a story each.

Whole minutes and days are chosen so that every story ends in round figures. Owns prices, holders and events, as bodies
for the API; what happens to the subscriptions is `earlier`'s and `lives`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from config.demo.buyers import Buyer
from config.kernel import dates

NAME = "Build runners"
METERED = "builds_eur"
COMMITTED = "builds_committed_eur"
MINUTES = "build_minutes"

METRIC: dict[str, Any] = {
    "code": MINUTES,
    "name": "Build minutes",
    "description": "Minutes for which build runners worked.",
    "aggregation_type": "sum_agg",
    "field_name": "minutes",
}
_PRICE = "0.10"
THRESHOLDS: tuple[dict[str, Any], ...] = (
    {"amount_cents": 20_000, "threshold_display_name": "First 200"},
    {"amount_cents": 50_000, "threshold_display_name": "500"},
    {"amount_cents": 100_000, "threshold_display_name": "Every 1,000", "recurring": True},
)
MINIMUM: dict[str, Any] = {"amount_cents": 30_000, "invoice_display_name": "Minimum of the month"}

OWN_TERMS: dict[str, Any] = {
    "name": "Committed, as agreed in spring",
    "amount_cents": 4_000,
    "minimum_commitment": {"amount_cents": 25_000},
    "charges": [{"code": MINUTES, "properties": {"amount": "0.08"}}],
}
"""A fee, a price and a minimum that one customer has instead of the plan's."""


@dataclass(frozen=True)
class Holder:
    """A customer with build runners: its rank among the accounts, the plan, what else is agreed, and what it used.

    ``minutes`` are those of days of the last full month, ``running`` of days of the one that runs; ``suffix`` tells
    subscriptions of one customer apart.
    """

    rank: int
    minutes: tuple[tuple[int, int], ...]
    plan: str = METERED
    running: tuple[tuple[int, int], ...] = ()
    suffix: str = ""
    agreed: tuple[tuple[str, Any], ...] = ()

    def external_id(self, people: Sequence[Buyer]) -> str:
        """Return the external id of the subscription."""
        return f"builds_{people[self.rank].external_id}{self.suffix}"


# Everybody here is billed in euro: every third rank is.
COMMITS = Holder(rank=9, plan=COMMITTED, minutes=((3, 700), (19, 500)))
HAS_OWN_TERMS = Holder(rank=15, plan=COMMITTED, minutes=((4, 400), (23, 600)), agreed=(("plan_overrides", OWN_TERMS),))
PASSES_THRESHOLDS = Holder(
    rank=12,
    minutes=((2, 900), (5, 800), (8, 600), (11, 1_000), (14, 1_200), (17, 900), (25, 400)),
    running=((2, 350),),
)
IS_PAUSED = Holder(rank=18, minutes=((6, 150),))
WAS_PAUSED = Holder(rank=21, minutes=((4, 200), (15, 90), (24, 120)))
CHANGES = Holder(rank=24, minutes=((9, 310),))
ENDS = Holder(rank=27, minutes=((12, 240),))
FIRST_ORDER = Holder(rank=30, suffix="_web", minutes=((5, 360),), agreed=(("purchase_order_number", "PO-7001"),))
SECOND_ORDER = Holder(rank=30, suffix="_apps", minutes=((7, 180),), agreed=(("purchase_order_number", "PO-7002"),))

BACKDATED = (COMMITS, HAS_OWN_TERMS, IS_PAUSED, CHANGES, ENDS, FIRST_ORDER, SECOND_ORDER)
"""Those whose last full month the scheduler bills. What `earlier` plays begins in that month itself."""
HOLDERS = (*BACKDATED, PASSES_THRESHOLDS, WAS_PAUSED)


def plans(metric_ids: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the bodies of both plans. ``metric_ids`` are the API's ids of the metrics by code."""
    charge = {
        "code": MINUTES,
        "billable_metric_id": metric_ids[MINUTES],
        "invoice_display_name": "Build minutes",
        "charge_model": "standard",
        "properties": {"amount": _PRICE},
    }
    common = {
        "interval": "monthly",
        "amount_currency": "EUR",
        "pay_in_advance": False,
        "charges": [charge],
    }
    metered = {
        "code": METERED,
        "name": "Build runners",
        "description": "By the minute, monthly in arrears. Much usage is billed within the month.",
        "amount_cents": 2_000,
        "usage_thresholds": list(THRESHOLDS),
    }
    committed = {
        "code": COMMITTED,
        "name": "Build runners, committed",
        "description": "Runners kept ready, with a minimum a month.",
        "amount_cents": 5_000,
        "minimum_commitment": MINIMUM,
    }
    return [common | metered, common | committed]


def subscription(people: Sequence[Buyer], holder: Holder, *, first_day: date) -> dict[str, Any]:
    """Return the body of a subscription: from the start of a local day on, elapsed periods billed too.

    It has invoices of its own, so that they are the same whatever else of the customer is billed at that moment.
    """
    return people[holder.rank].subscription(first_day) | {
        "external_id": holder.external_id(people),
        "plan_code": holder.plan,
        "name": NAME,
        "consolidate_invoice": False,
        **dict(holder.agreed),
    }


def backdated(people: Sequence[Buyer], *, first_day: date, at: datetime) -> list[dict[str, Any]]:
    """Return the bodies of all that begin in the past. One of them has an end: the 20th of the month after next."""
    end = dates.add_months(at.date().replace(day=1), 2).replace(day=20)
    found = []
    for holder in BACKDATED:
        body = subscription(people, holder, first_day=first_day)
        if holder is ENDS:
            body["ending_at"] = people[holder.rank].seller.start_of(end).isoformat()
        found.append(body)
    return found


def events(people: Sequence[Buyer], *, last_month: date, month: date, until: datetime) -> Iterator[dict[str, object]]:
    """Return the events of the last full month and of the running one until an instant, in the order of holders."""
    for holder in HOLDERS:
        days = [(last_month, *one) for one in holder.minutes] + [(month, *one) for one in holder.running]
        for start, day, minutes in days:
            at = noon(start, day)
            if at > until:
                continue
            yield {
                "transaction_id": f"build-{start:%Y-%m}-{day:02d}",
                "external_subscription_id": holder.external_id(people),
                "code": MINUTES,
                "timestamp": int(at.timestamp()),
                "properties": {"minutes": minutes},
            }


def noon(month: date, day: int) -> datetime:
    """Return noon of a day of the month in UTC, when builds are counted."""
    return datetime.combine(month.replace(day=day), time(12), UTC)
