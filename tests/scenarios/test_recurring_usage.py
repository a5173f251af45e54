"""Stories of usage that stays: seats by the day, levels by the second, and what a period leaves to the next one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain import trace
from billing.models import RatedCharge
from tests.scenarios.diary import Diary, diary

pytestmark = pytest.mark.django_db


def sell(story: Diary, aggregation: str, *, amount: str = "31", **charge: Any) -> None:
    """Sell a metric on the property "n" at a price per unit, on top of a plan that costs nothing."""
    metric = story.metric("n", aggregation, field_name="n", recurring=True)
    price = {"charge_model": "standard", "properties": {"amount": amount}, **charge}
    story.plan(cents=0, charges=[{"billable_metric_id": metric["lago_id"], **price}])


def usage(story: Diary) -> tuple[str, int]:
    """Return units and cents of the running period."""
    [charge] = story.call("get", "customers/acme/current_usage?external_subscription_id=sub")["customer_usage"][
        "charges_usage"
    ]
    return charge["units"], charge["amount_cents"]


def fees(story: Diary) -> list[tuple[str, int]]:
    """Return units and cents of the usage on each invoice, oldest first, and check the proof of each."""
    for rated in RatedCharge.objects.all():
        assert trace.verify(rated.trace)
    rows = [row for row in story.invoices() if row["fees"]]
    return [(row["fees"][-1]["units"], row["fees"][-1]["amount_cents"]) for row in rows]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "Europe/Berlin"])
def test_seats_by_the_day(zone: str) -> None:
    """The same story in any time zone: all that happens is in the middle of the day."""
    with diary("2026-03-01T03:00") as story:
        sell(story, "sum_agg", prorated=True)
        story.customer(timezone=zone)
        story.subscribe()
        story.on("2026-03-12T03:00")
        story.event("n", {"n": 10})
        assert usage(story) == ("10.0", 20_000)  # 12..31 March: 10 × 20 / 31 = 6.45162 (up) × 31.00 = 200.00022
        story.on("2026-03-31T03:00")
        story.event("n", {"n": -3})
        assert usage(story) == ("7.0", 19_700)  # 197 / 31 = 6.35484 (up)

        story.on("2026-04-01T03:00")
        story.jobs()
        assert usage(story) == ("7.0", 21_700)  # carried: 7 × 30 / 30 × 31.00

        story.on("2026-05-01T03:00")
        story.jobs()
        assert fees(story) == [("7.0", 19_700), ("7.0", 21_700)]


def test_a_termination_ends_the_days() -> None:
    with diary("2026-03-01T03:00") as story:
        sell(story, "unique_count_agg", prorated=True)
        story.customer()
        story.subscribe()
        story.event("n", {"n": "anna"})
        story.event("n", {"n": "bert"})
        story.on("2026-03-10T09:00")
        story.event("n", {"n": "bert", "operation_type": "remove"})
        story.on("2026-03-20T09:00")
        story.call("delete", "subscriptions/sub")
        # anna 20 days, bert 10 days of 31: 30 / 31 = 0.96775 (up) × 31.00 = 30.00025
        assert fees(story) == [("1.0", 3000)]


@pytest.mark.parametrize(("aggregation", "units"), [("sum_agg", "3.0"), ("unique_count_agg", "2.0")])
def test_what_is_not_prorated_counts_in_full_and_stays(aggregation: str, units: str) -> None:
    with diary("2026-03-10T03:00") as story:
        sell(story, aggregation, amount="1")
        story.customer()
        story.subscribe()
        story.event("n", {"n": 1})
        story.event("n", {"n": 2})
        cents = int(Decimal(units) * 100)
        assert usage(story) == (units, cents)
        story.on("2026-04-01T03:00")
        story.jobs()
        story.on("2026-05-01T03:00")
        story.jobs()
        assert fees(story) == [(units, cents), (units, cents)]


def test_a_level_counts_for_its_time() -> None:
    with diary("2026-03-01T00:00") as story:
        sell(story, "weighted_sum_agg", amount="1")
        story.customer()
        story.subscribe()
        story.on("2026-03-16T12:00")
        story.event("n", {"n": "100"})
        assert usage(story) == ("50.0", 5000)  # half of the month, if nothing changes
        story.on("2026-04-01T03:00")
        story.jobs()
        story.on("2026-05-01T03:00")
        story.jobs()
        assert fees(story) == [("50.0", 5000), ("100.0", 10_000)]


def test_what_is_metered_starts_anew() -> None:
    with diary("2026-03-01T00:00") as story:
        metric = story.metric("n", "weighted_sum_agg", field_name="n", weighted_interval="seconds")
        assert (metric["weighted_interval"], metric["recurring"]) == ("seconds", False)
        price = {"charge_model": "standard", "properties": {"amount": "1"}}
        story.plan(cents=0, charges=[{"billable_metric_id": metric["lago_id"], **price}])
        story.customer()
        story.subscribe()
        story.on("2026-03-16T12:00")
        story.event("n", {"n": "100"})
        story.on("2026-04-01T03:00")
        story.jobs()
        assert fees(story) == [("50.0", 5000)]
        assert usage(story) == ("0.0", 0)


def test_volume_prices_choose_the_range_by_all_units_and_price_their_days() -> None:
    with diary("2026-03-01T03:00") as story:
        ranges = [
            {"from_value": 0, "to_value": 10, "per_unit_amount": "62", "flat_amount": "0"},
            {"from_value": 11, "to_value": None, "per_unit_amount": "31", "flat_amount": "5"},
        ]
        sell(story, "sum_agg", prorated=True, charge_model="volume", properties={"volume_ranges": ranges})
        story.customer()
        story.subscribe()
        story.on("2026-03-31T03:00")
        story.event("n", {"n": 20})
        # 20 units are in the second range, one day of each is priced: 0.64517 × 31 + 5 = 25.00027
        assert usage(story) == ("20.0", 2500)


def test_metric_rounding_comes_last() -> None:
    with diary("2026-03-01T03:00") as story:
        metric = story.metric(
            "n", "sum_agg", field_name="n", recurring=True, rounding_function="ceil", rounding_precision=0
        )
        price = {"charge_model": "standard", "properties": {"amount": "1"}, "prorated": True}
        story.plan(cents=0, charges=[{"billable_metric_id": metric["lago_id"], **price}])
        story.customer()
        story.subscribe()
        story.on("2026-03-31T03:00")
        story.event("n", {"n": "40.5"})
        assert usage(story) == ("41.0", 200)  # 40.5 / 31 = 1.30646, up to 2; 41 are there


def test_late_usage_of_an_earlier_day_stays_too() -> None:
    with diary("2026-03-01T03:00") as story:
        sell(story, "sum_agg", prorated=True)
        story.customer()
        story.subscribe()
        story.on("2026-04-01T03:00")
        story.jobs()
        story.on("2026-04-02T03:00")
        story.event("n", {"n": 1}, timestamp="1772600000")  # 4 March
        assert usage(story) == ("1.0", 3100)  # of April all days


def test_half_a_year_billed_monthly_counts_the_days_of_its_months() -> None:
    with diary("2026-01-01T03:00") as story:
        metric = story.metric("n", "sum_agg", field_name="n", recurring=True)
        price = {"charge_model": "standard", "properties": {"amount": "28"}, "prorated": True}
        story.plan(
            cents=0,
            interval="yearly",
            bill_charges_monthly=True,
            charges=[{"billable_metric_id": metric["lago_id"], **price}],
        )
        story.customer()
        story.subscribe()
        story.on("2026-02-15T03:00")
        story.event("n", {"n": 2})
        assert usage(story) == ("2.0", 2800)  # 15..28 February: half of the month
        story.on("2026-03-01T03:00")
        story.jobs()
        assert fees(story)[-1] == ("2.0", 2800)
