"""Stories of billing days: calendar, anniversary, years, time zones far and near, and daylight saving."""

from __future__ import annotations

import pytest

from tests.scenarios.diary import Diary, diary

pytestmark = pytest.mark.django_db


def catalogue(story: Diary, **plan: object) -> None:
    """Sell requests at 10 cents each on top of 31.00 a period, unless told otherwise."""
    metric = story.metric("requests")
    charge = {"billable_metric_id": metric["lago_id"], "charge_model": "standard", "properties": {"amount": "0.10"}}
    story.plan(charges=[charge], **plan)


def test_a_calendar_month_begun_on_the_fifteenth() -> None:
    with diary("2026-01-15T10:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe()
        story.event("requests")
        story.on("2026-01-31T23:59:59")
        story.event("requests")
        story.jobs()
        assert story.billed() == []

        story.on("2026-02-01T00:10")
        story.event("requests")
        story.jobs()

        [invoice] = story.invoices()
        # 31.00 × 17 / 31 = 17.00 for 15..31 January, 2 × 0.10 for usage
        assert [fee["amount_cents"] for fee in invoice["fees"]] == [1700, 20]
        assert [fee["units"] for fee in invoice["fees"]] == ["1.0", "2.0"]
        assert invoice["status"] == "finalized"
        assert invoice["issuing_date"] == "2026-02-01"
        assert invoice["billing_periods"] == [
            {
                "lago_subscription_id": invoice["subscriptions"][0]["lago_id"],
                "external_subscription_id": "sub",
                "lago_plan_id": story.call("get", "plans/pro")["plan"]["lago_id"],
                "subscription_from_datetime": "2026-01-15T00:00:00Z",
                "subscription_to_datetime": "2026-01-31T23:59:59Z",
                "charges_from_datetime": "2026-01-15T10:00:00Z",
                "charges_to_datetime": "2026-01-31T23:59:59Z",
                "fixed_charges_from_datetime": None,
                "fixed_charges_to_datetime": None,
                "invoicing_reason": "subscription_periodic",
            }
        ]
        assert "plan" not in invoice["subscriptions"][0]
        usage = invoice["fees"][1]
        assert usage["external_subscription_id"] == "sub"
        assert usage["item"]["code"] == "requests"
        assert usage["item"]["item_type"] == "BillableMetric"
        assert (usage["from_date"], usage["to_date"]) == ("2026-01-15T10:00:00Z", "2026-01-31T23:59:59Z")
        assert usage["lago_charge_id"] == story.call("get", "plans/pro")["plan"]["charges"][0]["lago_id"]

        story.on("2026-03-01T00:10")
        story.jobs()
        assert [row["fees_amount_cents"] for row in story.invoices()] == [1720, 3110]
        numbers = [row["number"] for row in story.invoices()]
        assert [number[-3:] for number in numbers] == ["001", "002"]


@pytest.mark.parametrize(
    ("timezone", "hours"),
    [("UTC", 0), ("Asia/Tokyo", 9)],
)
def test_a_year_of_anniversaries_on_the_thirty_first_and_its_twin(timezone: str, hours: int) -> None:
    local_midnight = "T00:00:00Z" if not hours else f"T{24 - hours}:00:00Z"
    with diary("2025-01-31T03:00") as story:
        catalogue(story)
        story.customer(timezone=timezone)
        story.subscribe(billing_time="anniversary")
        days = ["02-28", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31", "11-30", "12-31"]
        for day in days:
            # An hour before the local day nothing happens, on it one invoice comes.
            before = story.count()
            month, date = day.split("-")
            story.on(f"2025-{month}-{int(date) - 1:02}T{23 - hours}:59")
            story.jobs()
            assert story.count() == before
            story.on(f"2025-{day}T00:10")
            story.jobs()
            assert story.count() == before + 1

        found = story.invoices()
        assert [row["fees_amount_cents"] for row in found] == [3100] * 11
        assert [row["issuing_date"][5:] for row in found] == days
        starts = [row["billing_periods"][0]["subscription_from_datetime"] for row in found]
        assert all(start.endswith(local_midnight) for start in starts)
        ends = [row["billing_periods"][0]["subscription_to_datetime"] for row in found]
        assert len(set(starts)) == len(set(ends)) == 11


def test_a_yearly_plan() -> None:
    with diary("2024-02-29T12:00") as story:
        catalogue(story, cents=36500, interval="yearly")
        story.customer()
        story.subscribe(billing_time="anniversary")
        story.subscribe("calendar")
        story.on("2024-12-31T12:00")
        story.jobs()
        assert story.billed() == []

        story.on("2025-01-01T00:10")
        story.jobs()
        story.on("2025-02-28T00:10")
        story.jobs()
        story.on("2026-01-01T00:10")
        story.jobs()

        # Calendar: 365.00 × 307 / 366 for 29 February to 31 December; anniversary: 366 whole days, then 28 February on.
        assert story.billed() == [
            ("2024-02-29T00:00:00Z", "2024-12-31T23:59:59Z", 30616),
            ("2024-02-29T00:00:00Z", "2025-02-27T23:59:59Z", 36500),
            ("2025-01-01T00:00:00Z", "2025-12-31T23:59:59Z", 36500),
        ]


def test_across_both_changes_of_the_clock() -> None:
    with diary("2026-02-28T23:30") as story:
        catalogue(story)
        # In Berlin it is 00:30 on 1 March.
        story.customer(timezone="Europe/Berlin")
        story.subscribe()
        story.on("2026-03-31T21:59:59")
        story.event("requests")
        story.jobs()
        assert story.billed() == []
        story.on("2026-03-31T22:00")
        story.event("requests")
        story.jobs()
        # March has 743 hours and 31 whole days; the second event is April's.
        assert story.billed() == [("2026-02-28T23:00:00Z", "2026-03-31T21:59:59Z", 3110)]
        for month in range(5, 12):
            story.on(f"2026-{month:02}-01T00:10")
            story.jobs()

        assert story.billed()[1] == ("2026-03-31T22:00:00Z", "2026-04-30T21:59:59Z", 3110)
        assert story.billed()[-1] == ("2026-09-30T22:00:00Z", "2026-10-31T22:59:59Z", 3100)
        assert len(story.billed()) == 8


def test_the_customers_day_and_not_the_servers() -> None:
    with diary("2026-01-01T12:00") as story:
        catalogue(story)
        story.customer("tokyo", timezone="Asia/Tokyo")
        story.customer("acme")
        story.customer("honolulu", timezone="Pacific/Honolulu")
        for name in ("tokyo", "acme", "honolulu"):
            story.subscribe(name, customer=name)

        counts = []
        for moment in ("2026-01-31T15:00", "2026-02-01T00:00", "2026-02-01T10:00"):
            story.on(moment)
            story.jobs("billing")
            counts.append(tuple(story.count(name) for name in ("tokyo", "acme", "honolulu")))

        assert counts == [(1, 0, 0), (1, 1, 0), (1, 1, 1)]
        assert [row["issuing_date"] for name in ("tokyo", "acme", "honolulu") for row in story.invoices(name)] == [
            "2026-02-01"
        ] * 3
