"""Recurring revenue and usage over time, told over the API: stories of a few contracts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import time_machine
from lago_python_client.models.mrr import MrrsResponse
from lago_python_client.models.usage import UsagesResponse

from billing.services import runs
from catalog.models import PlanVersion
from config.platform.services import installation
from customers.models import BillingEntity, Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import plan_stories as story
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


def make_plan(code: str, cents: int, **values: Any) -> PlanVersion:
    return goods.make_plan(code, cents=cents, at=instant("2025-01-01"), **values)


def mrr(at: str, **params: Any) -> list[tuple[str, str, int]]:
    with time_machine.travel(instant(at), tick=False):
        response = ApiClient().read("analytics/mrr", **params)
    assert response.status_code == 200, response.json()
    rows = response.json()["mrrs"]
    assert len(MrrsResponse(__root__=rows).__root__) == len(rows)
    return [(row["month"][:7], row["currency"], row["amount_cents"]) for row in rows]


def run(*moments: str) -> None:
    for moment in moments:
        runs.run(as_of=instant(moment), trigger="test", actor=ACTOR)


def test_the_pace_of_contracts_that_come_and_go(customer: Customer, entity: BillingEntity) -> None:
    """A part of a month counts with the whole fee, whether it is billed yet or not; an end takes it away."""
    monthly = make_plan("monthly", 6000)
    yearly = make_plan("yearly", 120000, interval="yearly", pay_in_advance=True)
    other = parties.make_customer(entity, "c2", timezone="Asia/Tokyo")
    subscription = story.begin(customer, monthly, "2026-01-15T10:00", external_id="a")
    made.make_subscription(other, yearly, "b", at=instant("2026-02-10"))
    before = mrr("2026-02-20")
    run("2026-02-01T00:10", "2026-02-10T01:00", "2026-03-01T00:10", "2026-04-01T00:10")
    story.end(subscription, "2026-04-10T12:00")

    expected = [
        ("2026-01", "EUR", 6000),
        ("2026-02", "EUR", 16000),  # 60.00 and 1,200.00 / 12
        ("2026-03", "EUR", 16000),
        ("2026-04", "EUR", 10000),  # the monthly one has ended
    ]
    assert before == expected[:2]  # told the same before anything was billed
    assert mrr("2026-04-20") == expected
    assert mrr("2026-04-20", months=2) == expected[2:]
    assert mrr("2026-04-20", external_customer_id="c1") == [(month, "EUR", 6000) for month, _, _ in expected[:3]]
    assert mrr("2026-04-20", currency="USD") == []
    assert mrr("2026-04-20", billing_entity_code="acme", months=1) == expected[3:]


def test_the_past_keeps_its_price(customer: Customer) -> None:
    """A dearer plan counts from the month in which it took over; a trial counts for nothing."""
    cheap, dear = make_plan("cheap", 3000), make_plan("dear", 9000)
    trial = make_plan("trial", 1000, trial_period=Decimal(40))
    subscription = story.begin(customer, cheap, "2026-01-01", external_id="a")
    made.make_subscription(customer, trial, "t", at=instant("2026-01-01"))
    run("2026-02-01T00:10", "2026-03-01T00:10")
    made.make_subscription(customer, dear, "a", at=instant("2026-03-12"))
    run("2026-04-01T00:10")

    assert subscription.external_id == "a"
    assert mrr("2026-04-05") == [
        ("2026-01", "EUR", 3000),
        ("2026-02", "EUR", 4000),  # the trial was over on 10 February
        ("2026-03", "EUR", 10000),
        ("2026-04", "EUR", 10000),
    ]


def test_weeks_and_currencies(customer: Customer) -> None:
    make = made.make_subscription
    make(customer, make_plan("weekly", 700, interval="weekly"), "w", at=instant("2026-05-04"))
    yen = parties.make_customer(customer.billing_entity, "c2")
    make(yen, make_plan("yen", 1000, currency="JPY", interval="quarterly"), "y", at=instant("2026-05-04"))

    # 7.00 × 30.44 / 7; ¥1,000 / 3 = 333.33…
    assert mrr("2026-05-20") == [("2026-05", "EUR", 3044), ("2026-05", "JPY", 333)]
    assert mrr("2026-05-03") == []


def usage(**params: Any) -> list[dict[str, Any]]:
    with time_machine.travel(instant("2026-03-01T12:00"), tick=False):
        response = ApiClient().read("analytics/usage", **params)
    assert response.status_code == 200, response.json()
    rows: list[dict[str, Any]] = response.json()["usages"]
    assert len(UsagesResponse(__root__=rows).__root__) == len(rows)
    return rows


@pytest.fixture
def used(customer: Customer) -> str:
    """31 requests at 0.10 in January, and storage for 10.00 in a contract of three days; nothing billed of March."""
    organization = installation.ensure(at=instant("2025-01-01"))
    requests, storage = goods.make_metric("requests"), goods.make_metric("storage")
    pro = make_plan("pro", 0, charges=[goods.standard(requests, "0.10")])
    box = make_plan("box", 0, charges=[goods.standard(storage, "10.00")])
    made.make_subscription(customer, pro, "sub", at=instant("2026-01-01"))
    made.make_subscription(customer, box, "box", at=instant("2026-01-30"), billing_time="anniversary")
    made.send("sub", "requests", *(f"2026-01-{day:02}T10:00" for day in range(1, 32)))
    made.send("box", "storage", "2026-01-31T10:00")
    made.send("sub", "requests", "2026-03-01T10:00")
    run("2026-02-01T00:10", "2026-03-01T00:10")
    return str(organization.uuid)


def test_usage_over_time(customer: Customer, used: str) -> None:
    daily = usage(from_date="2026-01-30", to_date="2026-02-01", billable_metric_code="requests")

    assert daily == [
        {
            "organization_id": used,
            "start_of_period_dt": f"2026-01-{day}",
            "end_of_period_dt": f"2026-01-{day}",
            "amount_currency": "EUR",
            "amount_cents": 10,  # 3.10 / 31
            "billable_metric_code": "requests",
            "units": 1.0,
            "is_billable_metric_deleted": False,
        }
        for day in (30, 31)
    ]
    monthly = usage(time_granularity="monthly", from_date="2026-01-01", to_date="2026-02-28")
    told = [(row["start_of_period_dt"], row["billable_metric_code"], row["amount_cents"]) for row in monthly]
    # The contract's month from 30 January to 27 February has 29 days: 10.00 × 2 / 29 = 0.69 of it are January's.
    assert told == [("2026-01-01", "requests", 310), ("2026-01-01", "storage", 69), ("2026-02-01", "storage", 931)]
    weekly = usage(time_granularity="weekly", from_date="2026-01-01", to_date="2026-02-28")
    for metric, cents in (("requests", 310), ("storage", 1000)):
        assert sum(row["amount_cents"] for row in weekly if row["billable_metric_code"] == metric) == cents


@pytest.mark.parametrize(
    ("narrowed", "metrics"),
    [
        ({}, {"requests", "storage"}),
        ({"external_subscription_id": "box"}, {"storage"}),
        ({"plan_code": "pro"}, {"requests"}),
        ({"external_customer_id": "c1", "currency": "EUR"}, {"requests", "storage"}),
        ({"external_customer_id": "c2"}, set()),
        ({"currency": "USD"}, set()),
        ({"customer_type": "company"}, set()),
        ({"customer_country": "DE"}, set()),
        ({"is_billable_metric_recurring": "false"}, {"requests", "storage"}),
        ({"is_billable_metric_recurring": "true"}, set()),
        ({"billing_entity_code": "acme"}, {"requests", "storage"}),
    ],
)  # fmt: skip
def test_narrowed_usage(used: str, narrowed: dict[str, str], metrics: set[str]) -> None:
    rows = usage(time_granularity="monthly", **narrowed)
    assert {row["billable_metric_code"] for row in rows} == metrics


@pytest.mark.parametrize(
    ("params", "details"),
    [
        ({"time_granularity": "hourly"}, {"time_granularity": ["value_is_invalid"]}),
        ({"from_date": "2026-02-02", "to_date": "2026-02-01"}, {"from_date": ["invalid_date_range"]}),
        ({"from_date": "1999-01-01"}, {"from_date": ["value_is_out_of_range"]}),
        ({"from_date": "soon"}, {"from_date": ["invalid_date"]}),
        ({"customer_type": "cat"}, {"customer_type": ["value_is_invalid"]}),
        ({"currency": "EURO"}, {"currency": ["invalid_currency"]}),
    ],
)
def test_usage_that_is_refused(params: dict[str, str], details: dict[str, list[str]]) -> None:
    refused = ApiClient().read("analytics/usage", **params)
    assert (refused.status_code, refused.json()["error_details"]) == (422, details)
