"""Stories of plans paid in advance: the start, renewals, trials, years with usage billed monthly, and the end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.diary import Diary, diary

pytestmark = pytest.mark.django_db


def catalogue(story: Diary, **plan: Any) -> None:
    """Sell requests at 10 cents each on top of 31.00 a period in advance, unless told otherwise."""
    metric = story.metric("requests")
    charge = {"billable_metric_id": metric["lago_id"], "charge_model": "standard", "properties": {"amount": "0.10"}}
    terms = {"name": "Pro", "code": "pro", "interval": "monthly", "amount_cents": 3100, "amount_currency": "EUR"}
    story.post("plans", "plan", **{**terms, "pay_in_advance": True, "charges": [charge], **plan})


def fees(invoice: dict[str, Any]) -> dict[str, int]:
    """Return the amounts of an invoice by what is billed."""
    return {fee["item"]["code"]: fee["amount_cents"] for fee in invoice["fees"]}


def period(invoice: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return the time of the fee and of the usage on an invoice, first and last second."""
    (found,) = invoice["billing_periods"]
    parts = ("subscription_from", "subscription_to", "charges_from", "charges_to")
    return tuple(found[f"{part}_datetime"] for part in parts)  # type: ignore[return-value]


def newest(story: Diary) -> dict[str, Any]:
    """Return the invoice with the highest number."""
    return max(story.invoices(), key=lambda invoice: invoice["sequential_id"])


@pytest.mark.parametrize(
    ("zone", "start", "renewal", "shown"),
    [
        (
            "UTC",
            "2024-01-30T10:00",
            "2024-02-29T00:10",
            ("2024-02-29T00:00:00Z", "2024-03-29T23:59:59Z", "2024-01-30T10:00:00Z", "2024-02-28T23:59:59Z"),
        ),
        (
            "Asia/Tokyo",
            "2024-01-29T16:00",
            "2024-02-28T15:10",
            ("2024-02-28T15:00:00Z", "2024-03-29T14:59:59Z", "2024-01-29T16:00:00Z", "2024-02-28T14:59:59Z"),
        ),
        (
            "America/New_York",  # clocks go forward on 10 March
            "2024-01-30T15:00",
            "2024-02-29T05:10",
            ("2024-02-29T05:00:00Z", "2024-03-30T03:59:59Z", "2024-01-30T15:00:00Z", "2024-02-29T04:59:59Z"),
        ),
    ],
)
def test_the_fee_comes_first_and_usage_follows(
    zone: str, start: str, renewal: str, shown: tuple[str, str, str, str]
) -> None:
    with diary(start) as story:
        catalogue(story)
        story.customer(timezone=zone)
        story.subscribe(billing_time="anniversary")

        [first] = story.invoices()
        assert fees(first) == {"pro": 3100}
        assert first["status"] == "finalized"
        assert first["billing_periods"][0]["invoicing_reason"] == "subscription_starting"
        assert period(first)[2] == period(first)[3] == f"{start}:00Z"

        story.event("requests")
        story.on(renewal)
        story.event("requests")
        story.jobs()
        story.jobs()

        assert story.count() == 2
        second = newest(story)
        # The event of the day of the renewal belongs to the next invoice.
        assert fees(second) == {"pro": 3100, "requests": 10}
        assert period(second) == shown
        assert second["billing_periods"][0]["invoicing_reason"] == "subscription_periodic"


def test_a_week_begun_on_its_friday_in_halifax() -> None:
    with diary("2023-06-16T05:00") as story:
        catalogue(story, interval="weekly", amount_cents=700, charges=[])
        story.customer(timezone="America/Halifax")
        story.subscribe()

        [invoice] = story.invoices()
        assert invoice["total_amount_cents"] == 300  # 7.00 × 3 / 7 for Friday to Sunday


def test_a_waiting_subscription_bills_its_start_when_it_comes() -> None:
    with diary("2026-01-10T00:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe(subscription_at="2026-01-15T10:00:00Z")
        story.jobs()
        assert story.count() == 0

        story.on("2026-01-15T10:00")
        story.jobs("activate_pending")
        story.jobs()

        assert story.billed() == [("2026-01-15T00:00:00Z", "2026-01-31T23:59:59Z", 1700)]  # 31.00 × 17 / 31


@pytest.mark.parametrize(
    ("how", "billed"),
    [
        ("skip", [("2026-04-01T00:00:00Z", "2026-04-30T23:59:59Z", 3100)]),
        (
            "bill",
            [
                ("2026-02-15T00:00:00Z", "2026-02-28T23:59:59Z", 1550),  # 31.00 × 14 / 28
                ("2026-03-01T00:00:00Z", "2026-03-31T23:59:59Z", 3100),
                ("2026-04-01T00:00:00Z", "2026-04-30T23:59:59Z", 3100),
            ],
        ),
    ],
)
def test_a_start_in_the_past(how: str, billed: list[tuple[str, str, int]]) -> None:
    with diary("2026-03-10T10:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe(subscription_at="2026-02-15T10:00:00Z", backdated_billing=how)
        assert story.count() == 0

        story.on("2026-04-01T00:10")
        story.jobs()

        assert story.billed() == billed


def test_a_trial_bills_usage_and_then_the_rest_of_the_month() -> None:
    with diary("2026-03-25T12:00") as story:
        catalogue(story, trial_period=10)
        story.customer()
        made = story.subscribe()
        assert made["trial_ended_at"] is None
        story.event("requests")

        story.on("2026-04-01T00:10")
        story.jobs("billing", "trial_ended")
        [usage] = story.invoices()
        assert fees(usage) == {"requests": 10}
        assert usage["billing_periods"][0]["charges_to_datetime"] == "2026-03-31T23:59:59Z"

        story.on("2026-04-04T11:59")
        story.jobs("billing", "trial_ended")
        assert story.count() == 1

        story.on("2026-04-04T12:35")
        story.jobs("billing", "trial_ended")
        story.jobs("billing", "trial_ended")

        assert story.count() == 2
        rest = newest(story)
        assert fees(rest) == {"pro": 2790}  # 31.00 × 27 / 30 for 4..30 April
        assert rest["billing_periods"][0]["invoicing_reason"] == "subscription_starting"
        shown = story.call("get", "subscriptions/sub")["subscription"]
        assert shown["trial_ended_at"] == "2026-04-04T12:00:00Z"
        usage_now = story.call("get", "customers/acme/current_usage?external_subscription_id=sub")["customer_usage"]
        assert usage_now["from_datetime"] == "2026-04-01T00:00:00Z"

        story.on("2026-05-01T00:10")
        story.jobs()
        assert fees(newest(story)) == {"pro": 3100}


def test_another_subscription_of_the_same_id_has_no_second_trial() -> None:
    with diary("2026-03-02T12:00") as story:
        catalogue(story, trial_period=14)
        story.customer()
        story.subscribe()
        story.on("2026-03-06T12:00")
        story.call("delete", "subscriptions/sub?on_termination_invoice=skip")

        story.on("2026-03-10T12:00")
        story.subscribe()
        assert story.count() == 0
        story.on("2026-03-16T12:35")
        story.jobs("trial_ended")

        # The trial counts from 2 March: 31.00 × 16 / 31 for 16..31 March.
        assert [fees(invoice) for invoice in story.invoices()] == [{"pro": 1600}]


def test_a_year_in_advance_with_usage_every_month() -> None:
    with diary("2026-01-31T01:00") as story:
        catalogue(story, interval="yearly", amount_cents=36500, bill_charges_monthly=True)
        story.customer()
        story.subscribe(billing_time="anniversary")
        story.event("requests")
        usage = story.call("get", "customers/acme/current_usage?external_subscription_id=sub")["customer_usage"]
        assert (usage["from_datetime"], usage["to_datetime"]) == ("2026-01-31T01:00:00Z", "2026-02-27T23:59:59Z")

        story.on("2026-02-28T00:10")
        story.event("requests")
        story.event("requests")
        story.jobs()
        monthly = newest(story)
        assert fees(monthly) == {"requests": 10}
        assert period(monthly) == (
            "2026-01-31T00:00:00Z",
            "2027-01-30T23:59:59Z",
            "2026-01-31T01:00:00Z",
            "2026-02-27T23:59:59Z",
        )

        story.on("2027-01-31T00:10")
        story.event("requests")
        story.jobs()

        by_usage = {period(invoice)[2:]: fees(invoice) for invoice in story.invoices()}
        assert by_usage == {
            ("2026-01-31T01:00:00Z", "2026-01-31T01:00:00Z"): {"pro": 36500},
            ("2026-01-31T01:00:00Z", "2026-02-27T23:59:59Z"): {"requests": 10},
            ("2026-02-28T00:00:00Z", "2026-03-30T23:59:59Z"): {"requests": 20},
            # No usage in the months between, so no invoices: the year's fee comes with December's usage.
            ("2026-12-31T00:00:00Z", "2027-01-30T23:59:59Z"): {"pro": 36500},
        }


def test_the_agreed_end_on_a_billing_day_makes_a_last_invoice_of_nothing() -> None:
    with diary("2023-09-05T00:00") as story:
        catalogue(story, amount_cents=1000, charges=[])
        story.customer(timezone="Europe/Paris")
        story.subscribe(billing_time="anniversary", ending_at="2023-10-05T00:00:00Z")
        story.on("2023-10-05T00:15")
        story.jobs("terminate_ended")
        story.jobs()

        assert story.count() == 2
        last = newest(story)
        assert (last["total_amount_cents"], last["fees"], last["issuing_date"]) == (0, [], "2023-10-05")
        assert last["payment_status"] == "succeeded"
        assert last["billing_periods"][0]["invoicing_reason"] == "subscription_terminating"


def test_an_end_in_the_period_bills_the_usage_since_the_renewal() -> None:
    with diary("2026-01-01T00:00") as story:
        catalogue(story)
        story.customer()
        story.subscribe()
        story.on("2026-01-20T10:00")
        story.event("requests")
        story.on("2026-01-20T11:00")
        story.call("delete", "subscriptions/sub?on_termination_credit_note=skip")
        story.on("2026-02-01T00:10")
        story.jobs()

        assert [fees(invoice) for invoice in story.invoices()] == [{"requests": 10}, {"pro": 3100}]


def test_two_subscriptions_of_one_day_share_the_invoice_of_their_renewal() -> None:
    with diary("2026-01-01T00:00") as story:
        catalogue(story)
        story.plan("basic", cents=1000)
        story.customer()
        story.subscribe()
        story.subscribe("other", plan="basic")
        story.on("2026-02-01T00:10")
        story.jobs()

        assert story.count() == 2
        # January of the plan in arrears and February of the one in advance.
        assert fees(newest(story)) == {"pro": 3100, "basic": 1000}
