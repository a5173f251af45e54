"""Subscriptions that wait for their first payment, in the admin: made, shown, paid, declined."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from moneyed import Money

from billing.models import ActivationRule, Subscription
from catalog.models import PlanVersion
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import payments
from tests.admin.conftest import NOW
from tests.factories import catalog
from tests.factories.company import Company
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(company: Company) -> PlanVersion:
    return catalog.make_plan("upfront", cents=31000, pay_in_advance=True)


def begin(client: Client, plan: PlanVersion, **values: Any) -> Any:
    content = {
        "customer": Customer.objects.order_by("pk")[0].pk,
        "plan": plan.plan_id,
        "external_id": "gated",
        "billing_time": "calendar",
        "backdated_billing": "skip",
        "waits_for_payment": "on",
        **values,
    }
    return client.post("/admin/billing/subscription/create/", content)


def page(client: Client, instance: Any) -> str:
    meta = instance._meta
    return client.get(f"/admin/{meta.app_label}/{meta.model_name}/{instance.pk}/change/").content.decode()


def test_it_is_made_shown_and_paid(finance: Client, plan: PlanVersion) -> None:
    begin(finance, plan, payment_hours="48")
    made = Subscription.objects.get(external_id="gated")
    rule = ActivationRule.objects.get()
    assert (made.status, rule.timeout_hours, rule.invoice.status) == ("incomplete", 48, "open")
    text = page(finance, made)
    assert "It waits for" in text
    assert "of its first invoice, until" in text
    assert "waits for a payment" in finance.get("/admin/billing/subscription/").content.decode()
    assert "It waits for its payment" in page(finance, rule.invoice)
    assert finance.get("/admin/invoicing/invoice/?status__exact=open").status_code == 200
    total = rule.invoice.total_amount.amount
    finance.post(
        f"/admin/invoicing/invoice/{rule.invoice_id}/pay/",
        {"amount": str(total), "paid_on": NOW.date().isoformat(), "reference": "x"},
    )
    made.refresh_from_db()
    assert (made.status, Invoice.objects.get(pk=rule.invoice_id).status) == ("active", "finalized")
    assert "Payment held" in finance.get("/admin/invoicing/ledgerentry/").content.decode()


def test_a_wrong_time_is_told(finance: Client, plan: PlanVersion) -> None:
    answer = begin(finance, plan, payment_hours="0")
    assert answer.context["form"].errors["payment_hours"]
    assert not Subscription.objects.filter(external_id="gated").exists()


def test_declining_tells_of_money_that_came_in(finance: Client, plan: PlanVersion) -> None:
    begin(finance, plan)
    made, rule = Subscription.objects.get(external_id="gated"), ActivationRule.objects.get()
    payments.record(
        invoice_id=rule.invoice_id, amount=Money(Decimal(7), "EUR"), reference="", paid_at=NOW, actor=ACTOR, at=NOW
    )
    address = f"/admin/billing/subscription/{made.pk}/decline/"
    assert "came in already" in finance.get(address).content.decode()
    finance.post(address, {"reason": "Fraud"})
    made.refresh_from_db()
    assert (made.status, made.cancellation_reason) == ("canceled", "payment_failed")
    assert "pay it back" in page(finance, made)
    assert "pay it back" in page(finance, Invoice.objects.get(pk=rule.invoice_id))


def test_the_id_is_taken_while_it_waits(finance: Client, plan: PlanVersion) -> None:
    begin(finance, plan)
    answer = begin(finance, plan)
    assert answer.context["form"].errors["external_id"] == ["This is taken already."]


def test_what_runs_cannot_be_declined(finance: Client, company: Company) -> None:
    running = Subscription.objects.filter(status="active").order_by("pk")[0]
    assert "/decline/" not in page(finance, running)
    finance.post(f"/admin/billing/subscription/{running.pk}/decline/", {"reason": "x"})
    running.refresh_from_db()
    assert running.status == "active"
