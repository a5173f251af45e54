"""``GET /subscriptions/:id/timeline`` and ``…/upcoming_invoices``: what is answered, narrowed and refused."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import Subscription
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.pause_stories import pause
from tests.factories.plan_stories import end, run
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    customer = parties.make_customer(parties.make_entity())
    plan = goods.make_plan("gym", cents=3100, charges=[goods.standard(goods.make_metric("visits"), "0.10")])
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.send("sub", "visits", "2026-02-03T10:00", "2026-02-04T10:00")
    run("2026-02-01T12:00")
    return customer


def get(api: ApiClient, path: str, *, at: str = "2026-02-14T12:00") -> Any:
    with time_machine.travel(instant(at), tick=False):
        return api.call("get", f"subscriptions/sub/{path}")


def kinds(entries: Any) -> list[str]:
    return [entry["kind"] for entry in entries]


def test_the_time_line(api: ApiClient, customer: Customer) -> None:
    pause(Subscription.objects.get(), "2026-02-10T12:00")

    found = get(api, "timeline").json()

    assert kinds(found["timeline"]) == ["invoice", "paused", "invoice", "started", "created"]
    assert (kinds(found["scheduled"]), found["meta"]) == ([], {"current_page": 1, "next_page": None})
    newest = found["timeline"][0]
    # 31.00 × 10 / 28 = 11.07, and 2 visits
    assert (newest["amount_cents"], newest["currency"], newest["group"]) == (1127, "EUR", "money")
    assert newest["lago_resource_id"] == str(Invoice.objects.latest("pk").uuid)
    assert kinds(get(api, "timeline?group[]=changes").json()["timeline"]) == ["paused", "started", "created"]
    assert get(api, "timeline?page=2").json()["timeline"] == []


def test_the_past_keeps_the_price_of_its_day(api: ApiClient, customer: Customer) -> None:
    terms = {"subscription": {"plan_overrides": {"amount_cents": 2000}}}
    with time_machine.travel(instant("2026-02-10T12:00"), tick=False):
        assert api.call("put", "subscriptions/sub", terms).status_code == 200

    told = get(api, "timeline?group[]=changes").json()["timeline"]

    assert [(one["kind"], one["amount_cents"]) for one in told] == [
        ("terms_changed", 2000),
        ("started", 3100),
        ("created", 3100),
    ]


def test_the_time_line_of_an_ended_subscription(api: ApiClient, customer: Customer) -> None:
    end(Subscription.objects.get(), "2026-02-10T12:00")
    assert "ended" in kinds(get(api, "timeline").json()["timeline"])
    assert get(api, "upcoming_invoices").json() == {"upcoming_invoices": []}


def test_the_next_invoices(api: ApiClient, customer: Customer) -> None:
    days = get(api, "upcoming_invoices").json()["upcoming_invoices"]

    assert [day["billing_date"] for day in days] == ["2026-03-01", "2026-04-01", "2026-05-01"]
    assert [day["usage"] for day in days] == ["so_far", "to_come", "to_come"]
    assert [[fee["amount_cents"] for fee in day["fees"] if fee["amount_cents"]] for day in days] == [
        [3100, 20],
        [3100],
        [3100],
    ]
    assert days[0]["projected_usage_amount_cents"] == 40  # 2 visits in 14 of 28 days
    assert [invoice["total_amount_cents"] for invoice in days[0]["invoices"]] == [3120]
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("timeline?group[]=all", 422),
        ("timeline?page=x", 422),
        ("timeline?status=terminated", 404),
        ("upcoming_invoices?periods=0", 422),
        ("upcoming_invoices?periods=13", 422),
        ("upcoming_invoices?periods=many", 422),
    ],
)
def test_what_cannot_be_answered_is_refused(api: ApiClient, customer: Customer, path: str, status: int) -> None:
    assert get(api, path).status_code == status


@pytest.mark.parametrize("path", ["timeline", "upcoming_invoices"])
def test_nobody_has_no_time_line(api: ApiClient, path: str) -> None:
    answer = get(api, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "subscription_not_found")
