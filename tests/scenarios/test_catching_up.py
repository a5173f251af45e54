"""Stories of silence and disorder: a scheduler that was down, repeats, backdated contracts, late events."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.core import cache
from django.db import transaction

from billing.services import event_partitions
from tests.scenarios.diary import Diary, diary

pytestmark = pytest.mark.django_db


def catalogue(story: Diary) -> None:
    """Sell requests (graduated), bytes (sum, package) and paths (unique, volume), all read from one kind of event."""
    requests = story.metric("requests")
    traffic = story.metric("traffic", "sum_agg", field_name="bytes", event_code="requests")
    paths = story.metric("paths", "unique_count_agg", field_name="path", event_code="requests")
    tiers = [
        {"from_value": 0, "to_value": 2, "per_unit_amount": "1", "flat_amount": "0"},
        {"from_value": 3, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "2"},
    ]
    volume = [{"from_value": 0, "to_value": None, "per_unit_amount": "0.25", "flat_amount": "0"}]
    story.plan(
        charges=[
            _charge(requests, "graduated", graduated_ranges=tiers),
            _charge(traffic, "package", amount="3", package_size=100, free_units=50),
            _charge(paths, "volume", volume_ranges=volume),
        ]
    )


def _charge(metric: dict[str, object], model: str, **properties: object) -> dict[str, object]:
    return {"billable_metric_id": metric["lago_id"], "charge_model": model, "properties": properties}


LOG = [
    ("2026-01-05T10:00:00Z", "/a", 100),
    ("2026-01-20T10:00:00Z", "/b", 70),
    ("2026-02-10T10:00:00Z", "/a", 20),
    ("2026-03-01T00:00:00Z", "/a", 51),
    ("2026-03-02T10:00:00Z", "/a", 100),
    ("2026-03-03T10:00:00Z", "/c", 0),
    ("2026-03-31T23:59:59Z", "/d", 0),
]
# January: 2 requests 2.00; 170 bytes, 120 to pay, 2 packages 6.00; 2 paths 0.50; fee 31.00
# February: 1 request 1.00; 20 bytes are free; 1 path 0.25; fee 31.00
# March: 4 requests 2.00 + 2 × 0.50 + 2.00 = 5.00; 151 bytes, 101 to pay, 2 packages 6.00; 3 paths 0.75; fee 31.00
EXPECTED = [3950, 3225, 4275]


def send(story: Diary, log: Sequence[tuple[str, str, int]]) -> None:
    """Send a log; an event's transaction id is its line's, whenever it is sent."""
    for timestamp, path, size in log:
        number = LOG.index((timestamp, path, size))
        event = {
            "transaction_id": f"line-{number}",
            "external_subscription_id": "sub",
            "code": "requests",
            "timestamp": timestamp,
            "properties": {"path": path, "bytes": size},
        }
        story.api.call("post", "events", {"event": event})


def amounts(story: Diary) -> list[int]:
    return [row["fees_amount_cents"] for row in story.invoices()]


def test_three_months_of_silence_are_made_up_each_once() -> None:
    with diary("2026-01-01T00:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe()
        story.on("2026-04-02T12:00")
        send(story, LOG)

        story.jobs()

        assert amounts(story) == EXPECTED
        assert [row["issuing_date"] for row in story.invoices()] == ["2026-02-01", "2026-03-01", "2026-04-01"]
        assert [row["number"][-3:] for row in story.invoices()] == ["001", "002", "003"]
        story.jobs()
        story.on("2026-04-03T12:00")
        story.jobs()
        assert amounts(story) == EXPECTED


def test_the_reference_s_way_bills_only_the_day_itself(settings) -> None:
    settings.BILLING_CATCH_UP = False
    with diary("2026-01-01T00:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe()
        send(story, LOG)
        story.on("2026-03-02T12:00")
        story.jobs()
        assert amounts(story) == []
        story.on("2026-04-01T12:00")
        story.jobs()
        assert amounts(story) == EXPECTED[2:]


@pytest.mark.parametrize("order", ["sorted", "reversed", "repeated", "halves"])
def test_the_order_and_the_repeats_of_events_change_nothing(order: str) -> None:
    with diary("2026-01-01T00:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe()
        story.on("2026-04-02T12:00")
        if order == "halves":
            send(story, LOG[::2])
            event_partitions.forget()  # a restart forgets what a process knew
            cache.cache.clear()
            send(story, LOG[1::2])
        else:
            send(story, {"sorted": LOG, "reversed": LOG[::-1], "repeated": [*LOG, *LOG]}[order])

        story.jobs()

        assert amounts(story) == EXPECTED


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Tokyo"])
def test_monthly_jobs_and_one_late_job_make_the_same_invoices(timezone: str) -> None:
    def live(moments: Sequence[str]) -> list[tuple[str, str, int]]:
        with transaction.atomic(), diary("2026-01-01T00:00") as story:
            catalogue(story)
            story.customer(timezone=timezone)
            story.subscribe(subscription_at="2026-01-04T00:00:00Z")
            send(story, LOG)
            for moment in moments:
                story.on(moment)
                story.jobs()
            found = story.billed()
            transaction.set_rollback(True)
            return found

    late = live(["2026-04-05T00:00"])
    in_time = live(
        [f"2026-{month:02}-{day:02}T{hour:02}:10" for month in (1, 2, 3, 4) for day in (1, 5) for hour in (0, 15)]
    )

    assert in_time == late
    assert len(late) == 3


def test_contracts_that_moved_over_bill_their_past_or_not() -> None:
    with diary("2026-03-10T12:00") as story:
        catalogue(story)
        story.customer()
        story.customer("other")
        story.subscribe(subscription_at="2026-01-01T00:00:00Z", backdated_billing="bill")
        story.subscribe("skips", customer="other", subscription_at="2026-01-01T00:00:00Z")
        send(story, LOG)

        story.jobs()

        assert amounts(story) == EXPECTED[:2]
        assert story.billed("other") == []
        story.on("2026-04-01T00:10")
        story.jobs()
        assert amounts(story) == EXPECTED
        # The reference's way: the whole last period at the next renewal, and nothing before it, ever.
        assert story.billed("other") == [("2026-03-01T00:00:00Z", "2026-03-31T23:59:59Z", 3100)]


def test_a_draft_takes_late_events_until_its_grace_is_over() -> None:
    with diary("2026-01-01T00:00") as story:
        catalogue(story)
        story.customer(billing_configuration={"invoice_grace_period": 2})
        story.subscribe()
        send(story, LOG[:1])
        story.on("2026-02-01T00:10")
        story.jobs()
        [draft] = story.invoices()
        # 31.00, 1 request, 50 bytes to pay, 1 path
        assert (draft["status"], draft["fees_amount_cents"], draft["number"][-5:]) == ("draft", 3525, "DRAFT")
        story.on("2026-02-02T12:00")
        send(story, LOG[1:3])

        refreshed = story.call("put", f"invoices/{draft['lago_id']}/refresh")["invoice"]
        assert (refreshed["status"], refreshed["fees_amount_cents"]) == ("draft", EXPECTED[0])
        story.jobs()
        assert story.invoices()[0]["status"] == "draft"
        story.on("2026-02-03T00:20")
        story.jobs()
        [issued] = story.invoices()
        assert (issued["status"], issued["fees_amount_cents"]) == ("finalized", EXPECTED[0])
        assert issued["issuing_date"] == "2026-02-03"


def test_a_deleted_draft_is_billed_anew() -> None:
    with diary("2026-01-01T00:00") as story:
        catalogue(story)
        story.customer(billing_configuration={"invoice_grace_period": 5})
        story.subscribe()
        story.on("2026-02-01T00:10")
        story.jobs()
        [draft] = story.invoices()
        story.call("delete", f"invoices/{draft['lago_id']}")
        send(story, LOG[:2])

        story.on("2026-02-01T01:10")
        story.jobs()

        [again] = story.invoices()
        assert again["lago_id"] != draft["lago_id"]
        assert (again["status"], again["fees_amount_cents"]) == ("draft", EXPECTED[0])


def test_a_price_that_changes_is_billed_from_the_next_invoice_on() -> None:
    with diary("2026-01-01T00:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe()
        story.on("2026-02-01T00:10")
        story.jobs()
        story.on("2026-02-15T00:10")
        story.call("put", "plans/pro", {"plan": {"amount_cents": 6200}})
        story.on("2026-03-01T00:10")
        story.jobs()

        assert amounts(story) == [3100, 6200]


def test_a_customer_that_leaves_is_billed_to_the_last_day() -> None:
    with diary("2026-01-01T00:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe(ending_at="2026-02-14T12:00:00Z")
        story.on("2026-02-14T12:05")
        story.jobs()

        # 31.00, then 31.00 × 14 / 28
        assert amounts(story) == [3100, 1550]
        assert story.invoices()[1]["billing_periods"][0]["invoicing_reason"] == "subscription_terminating"
        story.on("2026-04-02T12:00")
        story.jobs()
        assert amounts(story) == [3100, 1550]


def test_a_deleted_customer_gets_the_last_invoices() -> None:
    with diary("2026-02-01T00:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe()
        story.on("2026-02-14T12:00")

        story.call("delete", "customers/acme")

        # 31.00 × 14 / 28
        assert [row["fees_amount_cents"] for row in story.call("get", "invoices")["invoices"]] == [1550]
        assert story.call("get", "subscriptions?status[]=terminated")["meta"]["total_count"] == 1
        assert story.call("get", "subscriptions")["meta"]["total_count"] == 0
