"""Customers, billing entities and subscriptions through the admin's forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import models
from django.test import Client

from billing.models import Subscription
from config.platform.models import AuditEntry
from customers.models import BillingEntity, Customer
from tests.admin.conftest import signed_in
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


def filled(client: Client, address: str, **changed: Any) -> dict[str, Any]:
    """The form of a page as a browser would send it back, with some fields changed."""
    form = client.get(address).context["form"]
    content: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if isinstance(value, list):
            value = [getattr(one, "pk", one) for one in value]
        elif getattr(bound.field.widget, "allow_multiple_selected", False):
            value = []
        content[bound.html_name] = "" if value is None else getattr(value, "pk", value)
    return {name: value for name, value in {**content, **changed}.items() if value is not False}


def _updates(customer: Customer) -> models.QuerySet[AuditEntry]:
    """What the audit trail has of changes, but for the currency that the customer's first subscription agreed on."""
    found = AuditEntry.objects.filter(object_type="customers.customer", object_id=customer.pk, verb="update")
    return found.exclude(new__has_key="currency")


def test_a_customer_is_changed_and_nothing_else_of_it(finance: Client, company: Company) -> None:
    customer = company.customers[0]
    address = f"/admin/customers/customer/{customer.pk}/edit/"
    before = Customer.objects.filter(pk=customer.pk).values().get()
    done = finance.post(address, filled(finance, address, city="Bremen", net_payment_term="30"))
    after = Customer.objects.filter(pk=customer.pk).values().get()
    assert done.status_code == 302
    changed = {field for field in before if before[field] != after[field]}
    assert changed == {"city", "net_payment_term", "updated_at"}
    entry = _updates(customer).get()
    assert entry.new == {"city": "Bremen", "net_payment_term": 30}


def test_saving_a_customer_as_it_is_changes_nothing(finance: Client, company: Company) -> None:
    customer = company.customers[1]
    address = f"/admin/customers/customer/{customer.pk}/edit/"
    finance.post(address, filled(finance, address))
    assert not _updates(customer).exists()
    assert customer.metadata.count() == 1


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"url": "ftp://x"}, "url"),
        ({"country": "XX"}, "country"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"net_payment_term": "-1"}, "net_payment_term"),
        ({"external_id": "cust_001"}, "external_id"),
    ],
)
def test_a_wrong_customer_is_refused_beside_its_field(
    finance: Client, company: Company, content: dict[str, str], field: str
) -> None:
    address = "/admin/customers/customer/create/"
    count = Customer.objects.count()
    answer = finance.post(address, filled(finance, address, external_id="new", name="New") | content)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert Customer.objects.count() == count


def test_a_new_customer_is_billed_by_the_default_seller(finance: Client, company: Company) -> None:
    address = "/admin/customers/customer/create/"
    finance.post(address, filled(finance, address, external_id="new", name="New"))
    customer = Customer.objects.get(external_id="new")
    assert customer.billing_entity.is_default
    assert customer.created_at == company.at


def test_retiring_a_customer_ends_its_subscriptions(finance: Client, company: Company) -> None:
    customer = company.customers[0]
    finance.post(f"/admin/customers/customer/{customer.pk}/delete/", {"_do": "1"})
    assert Customer.objects.get(pk=customer.pk).deleted_at == company.at
    assert Subscription.objects.get(customer=customer).status == "terminated"


def test_a_seller_is_changed(finance: Client, company: Company) -> None:
    entity = BillingEntity.objects.get(code="de")
    address = f"/admin/customers/billingentity/{entity.pk}/edit/"
    before = BillingEntity.objects.filter(pk=entity.pk).values().get()
    finance.post(address, filled(finance, address, invoice_footer="Thank you."))
    after = BillingEntity.objects.filter(pk=entity.pk).values().get()
    assert {field for field in before if before[field] != after[field]} == {"invoice_footer"}
    assert list(entity.taxes.values_list("code", flat=True)) == ["vat_de"]


def test_accountants_look_at_sellers_only(company: Company) -> None:
    accountant = signed_in("Accountant")
    entity = BillingEntity.objects.get(code="de")
    assert accountant.get(f"/admin/customers/billingentity/{entity.pk}/change/").status_code == 200
    assert accountant.get(f"/admin/customers/billingentity/{entity.pk}/edit/").status_code == 403


NEW = {
    "external_id": "sub_new",
    "name": "",
    "start": "2026-05-01",
    "billing_time": "calendar",
    "backdated_billing": "bill",
}


def test_a_subscription_begins_on_the_customers_day(finance: Client, company: Company) -> None:
    plan = company.subscriptions[0].plan_version.plan
    done = finance.post(
        "/admin/billing/subscription/create/", {**NEW, "customer": company.customers[0].pk, "plan": plan.pk}
    )
    made = Subscription.objects.get(external_id="sub_new")
    assert done.url == f"/admin/billing/subscription/{made.pk}/change/"
    # 1 May begins in Berlin at 22:00 of the day before in UTC.
    assert made.started_at == datetime(2026, 4, 30, 22, tzinfo=UTC)
    assert made.status == "active"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"external_id": "sub_001"}, "external_id"),
        ({"external_id": " "}, "external_id"),
        ({"customer": "nobody"}, "customer"),
        ({"customer": ""}, "customer"),
        ({"start": "yesterday"}, "start"),
        ({"plan": "999999"}, "plan"),
    ],
)
def test_a_wrong_subscription_is_refused(
    finance: Client, company: Company, content: dict[str, str], field: str
) -> None:
    count = Subscription.objects.count()
    plan = company.subscriptions[0].plan_version.plan
    filled = {**NEW, "customer": company.customers[0].pk, "plan": plan.pk, **content}
    answer = finance.post("/admin/billing/subscription/create/", filled)
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert Subscription.objects.count() == count


def test_a_retired_customer_begins_nothing(finance: Client, company: Company) -> None:
    customer = company.customers[0]
    Customer.objects.filter(pk=customer.pk).update(deleted_at=company.at)
    plan = company.subscriptions[0].plan_version.plan
    answer = finance.post("/admin/billing/subscription/create/", {**NEW, "customer": customer.pk, "plan": plan.pk})
    assert answer.context["form"].errors["customer"] == ["There is no such customer, or it was retired."]


def test_customers_are_searched_for(finance: Client, company: Company) -> None:
    asked = {"app_label": "billing", "model_name": "subscription", "field_name": "customer", "term": "nordlicht"}
    found = finance.get("/admin/autocomplete/", asked).json()["results"]
    assert [one["id"] for one in found] == [str(company.customers[0].pk)]
