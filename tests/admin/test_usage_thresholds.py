"""Usage thresholds in the admin: setting them on a plan and on a subscription, and what the pages tell of them."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Subscription, SubscriptionThreshold
from billing.services import progressive_billing, runs
from catalog.models import PlanVersion, UsageThreshold
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan() -> PlanVersion:
    charge = goods.standard(goods.make_metric("gigabytes", "sum_agg"), "1")
    return goods.make_plan("stairs", cents=3100, charges=[charge], usage_thresholds=[{"amount_cents": 20_000}])


@pytest.fixture
def subscription(plan: PlanVersion) -> Subscription:
    """300.00 used in May and billed at the threshold."""
    customer = parties.make_customer(parties.make_entity("steps"), "stair", timezone="UTC")
    found = made.make_subscription(customer, plan, "stair", at=instant("2026-05-01"))
    made.send("stair", "gigabytes", "2026-05-04T10:00", gigabytes="300")
    assert progressive_billing.run(as_of=instant("2026-05-04T11:00")).failed == {}
    return found


def text(response: Any) -> str:
    assert response.status_code == 200, response
    return response.content.decode()


def test_thresholds_of_a_plan_are_set(finance: Client, plan: PlanVersion) -> None:
    address = f"/admin/catalog/plan/{plan.plan_id}/usage_thresholds/"
    assert "200.00" in text(finance.get(address))
    done = finance.post(address, {"thresholds": "200.00\n500,50 Second step\n", "step": "1000"})
    assert done.status_code == 302
    current = UsageThreshold.objects.filter(plan_version__plan=plan.plan_id, plan_version__is_current=True)
    assert list(current.values_list("amount_cents", "recurring", "name")) == [
        (20_000, False, ""),
        (50_050, False, "Second step"),
        (100_000, True, ""),
    ]
    page = text(finance.get(f"/admin/catalog/plan/{plan.plan_id}/change/"))
    assert "Second step" in page
    assert "again and again beyond the highest" in page


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"thresholds": "many"}, "many is no amount above nothing"),
        ({"thresholds": "1.005"}, "finer than the currency"),
        ({"thresholds": "5\n5"}, "Duplicated values"),
        ({"step": "-1"}, "-1 is no amount above nothing"),
    ],
)
def test_what_is_no_threshold_is_told(finance: Client, plan: PlanVersion, values: Any, told: str) -> None:
    found = finance.post(f"/admin/catalog/plan/{plan.plan_id}/usage_thresholds/", values)
    assert told in text(found)
    assert PlanVersion.objects.filter(plan=plan.plan_id).count() == 1


def test_a_subscription_gets_its_own(finance: Client, subscription: Subscription) -> None:
    address = f"/admin/billing/subscription/{subscription.pk}/usage_thresholds/"
    assert finance.post(address, {"thresholds": "700", "is_off": "on"}).status_code == 302
    assert SubscriptionThreshold.objects.get().amount_cents == 70_000
    subscription.refresh_from_db()
    assert subscription.progressive_billing_disabled
    assert finance.post(address, {"thresholds": ""}).status_code == 302
    assert not SubscriptionThreshold.objects.exists()


def test_the_pages_tell_what_was_passed(finance: Client, subscription: Subscription) -> None:
    with time_machine.travel(instant("2026-05-20T10:30"), tick=False):
        page = text(finance.get(f"/admin/billing/subscription/{subscription.pk}/change/"))
    assert "€300.00 used since the first day" in page
    progressive = Invoice.objects.get(customer=subscription.customer)
    assert str(progressive) in page
    runs.run(as_of=instant("2026-06-01"), trigger="test", actor=ACTOR, customer_ids=[subscription.customer_id])
    final = Invoice.objects.get(customer=subscription.customer, kind="subscription")
    shown = text(finance.get(f"/admin/invoicing/invoice/{final.pk}/change/"))
    assert f"Billed before on {progressive}" in shown
    assert "€31.00" in shown


def test_who_may_not_change_plans_may_not_set_them(auditor: Client, plan: PlanVersion) -> None:
    assert auditor.get(f"/admin/catalog/plan/{plan.plan_id}/usage_thresholds/").status_code == 403
