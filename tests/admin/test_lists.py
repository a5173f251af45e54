"""Lists that stay quick: as many queries for one row as for many, bounded counts, filters that survive anything."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.platform.admin import paginators
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

LISTS = (
    "catalog/addon",
    "catalog/billablemetric",
    "catalog/charge",
    "catalog/feature",
    "catalog/fixedcharge",
    "catalog/plan",
    "catalog/pricingunit",
    "catalog/tax",
    "customers/billingentity",
    "customers/customer",
    "billing/billingrun",
    "billing/order",
    "billing/quote",
    "billing/quoteapprovalrule",
    "billing/subscription",
    "billing/triggeredalert",
    "billing/usagealert",
    "billing/usageevent",
    "invoicing/bookscheck",
    "invoicing/invoice",
    "invoicing/ledgerentry",
    "invoicing/payment",
    "invoicing/paymentrequest",
    "platform/apikey",
    "platform/auditentry",
    "auth/user",
    "auth/group",
)
MOST_QUERIES = 17
"""Session, person, rights and the sidebar's badge are six of them."""


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", LISTS)
def test_rows_cost_no_queries(superuser: Client, company: Company, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model_admin = next(
        one for model, one in admin.site._registry.items() if model._meta.label_lower == name.replace("/", ".")
    )
    address = f"/admin/{name}/"
    monkeypatch.setattr(model_admin, "list_per_page", 1)
    one = queries(superuser, address)
    monkeypatch.setattr(model_admin, "list_per_page", 100)
    many = queries(superuser, address)
    assert many <= one
    assert many <= MOST_QUERIES


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("term", ["LUM", "x" * 300, "%_\\", "\x00", "🧾", "' OR 1=1"])
def test_searches_survive_anything(superuser: Client, company: Company, name: str, term: str) -> None:
    assert superuser.get(f"/admin/{name}/", {"q": term}).status_code in (200, 302)


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("invoicing/invoice", "total_amount_from=abc&total_amount_to=1e999"),
        ("invoicing/invoice", "total_amount_from=NaN&total_amount_to=99999999999999999999999999"),
        ("invoicing/invoice", "issuing_date_from=32.13.2026&issuing_date_to=9999-12-31"),
        ("invoicing/invoice", "due=nothing&currency=XXX&status__exact=unknown"),
        ("invoicing/invoice", "customer__id__exact=abc"),
        ("invoicing/invoice", "p=999&o=99"),
        ("invoicing/payment", "paid_at_from=9999-12-31&paid_at_to=0001-01-01"),
        ("invoicing/payment", "paid_at_to=9999-12-31"),
        ("billing/usageevent", "timestamp_from=x&code=%00&subscription=%00&match=metric"),
        ("billing/subscription", "plan=abc&next_billing_date_from=x"),
        ("billing/subscription", "plan=99999999999999999999999"),
        ("customers/customer", "country=ZZ&state=all&created_at_to=2026-05-20"),
        ("platform/auditentry", "object_type=x.y&at_from=2026-05-19&at_to=2026-05-20"),
    ],
)
def test_filters_survive_anything(superuser: Client, company: Company, name: str, query: str) -> None:
    assert superuser.get(f"/admin/{name}/?{query}").status_code in (200, 302)


def found(client: Client, query: str) -> set[str]:
    answer = client.get(f"/admin/invoicing/invoice/?{query}")
    return {str(row) for row in answer.context["cl"].result_list}


def test_what_finance_looks_for_is_found(finance: Client, company: Company) -> None:
    every = set(map(str, Invoice.objects.all()))
    drafts = set(map(str, Invoice.objects.filter(status="draft")))
    overdue = set(map(str, Invoice.objects.filter(payment_overdue=True)))
    first = company.customers[0]
    assert found(finance, "") == every
    assert found(finance, "status__exact=draft") == drafts != set()
    assert found(finance, "due=overdue") == overdue != set()
    assert found(finance, "due=open") >= overdue
    assert found(finance, "q=Nordlicht") == set(map(str, Invoice.objects.filter(customer=first)))
    assert found(finance, "q=lum-001") == set(map(str, Invoice.objects.filter(number__startswith="LUM-001")))
    assert found(finance, f"customer__id__exact={first.pk}") == found(finance, "q=Nordlicht")
    assert found(finance, "currency=USD") == set(map(str, Invoice.objects.filter(currency="USD")))
    assert found(finance, "total_amount_from=100000") == set()
    assert found(finance, "issuing_date_from=2026-05-01&issuing_date_to=2026-05-01") == set(
        map(str, Invoice.objects.filter(issuing_date="2026-05-01"))
    )


def test_days_of_a_filter_belong_to_it_on_both_ends(finance: Client, company: Company) -> None:
    answer = finance.get("/admin/billing/usageevent/?timestamp_from=2026-05-19&timestamp_to=2026-05-19")
    days = {row.timestamp.date().isoformat() for row in answer.context["cl"].result_list}
    assert days == {"2026-05-19"}


def test_retired_rows_show_only_when_asked_for(finance: Client, company: Company) -> None:
    Customer.objects.filter(pk=company.customers[0].pk).update(deleted_at=company.at)
    usual = finance.get("/admin/customers/customer/").context["cl"].result_list
    retired = finance.get("/admin/customers/customer/?state=retired").context["cl"].result_list
    assert company.customers[0] not in usual
    assert list(retired) == [company.customers[0]]


def test_a_long_list_is_counted_to_a_bound(finance: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paginators, "BOUND", 3)
    with CaptureQueriesContext(connection) as captured:
        answer = finance.get("/admin/invoicing/invoice/")
    assert answer.context["cl"].result_count == 3
    assert "more than 3" in " ".join(answer.content.decode().split())
    counts = [one["sql"] for one in captured if "COUNT(" in one["sql"] and "invoicing_invoice" in one["sql"]]
    assert counts
    assert all("LIMIT" in sql for sql in counts)


def test_events_that_nobody_counts_say_why(superuser: Client, company: Company) -> None:
    page = superuser.get("/admin/billing/usageevent/").content.decode()
    assert page.count("no metric") >= 1
    assert "no subscription" in page
    lost = superuser.get("/admin/billing/usageevent/?match=metric").context["cl"].result_list
    assert [event.code for event in lost] == ["unheard_of"]
    strays = superuser.get("/admin/billing/usageevent/?match=subscription").context["cl"].result_list
    assert [event.external_subscription_id for event in strays] == ["sub_nobody"]


def test_an_event_is_found_by_its_transaction(superuser: Client, company: Company) -> None:
    rows = superuser.get("/admin/billing/usageevent/?q=evt-0000007").context["cl"].result_list
    assert [event.transaction_id for event in rows] == ["evt-0000007"]
