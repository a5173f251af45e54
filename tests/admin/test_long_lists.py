"""Long lists: pages are read by keys and have the same rows in the same order; searches find by beginnings; counts that
a job keeps say the same as counting at once.
"""

from __future__ import annotations

import pytest
from django.db.models import F, QuerySet
from django.test import Client

from billing.models import Quote, Subscription, UsageCountCursor, UsageEvent
from billing.queries import usage_counts
from billing.services import usage_counts as counting
from config.platform.admin import paginators
from invoicing.models import Invoice, LedgerEntry
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("few", [0, 5_000])
def test_pages_have_the_rows_in_their_order(company: Company, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(paginators, "FEW", few)
    orders: list[QuerySet[Invoice] | QuerySet[LedgerEntry]] = [
        Invoice.objects.order_by("-issuing_date", "-created_at", "-id"),
        Invoice.objects.order_by("number", "id"),  # drafts have none
        Invoice.objects.order_by("-number", "-id"),
        Invoice.objects.order_by(F("number").desc(nulls_last=True), "id"),
        Invoice.objects.order_by("billing_entity", "id"),
        Invoice.objects.order_by("-id").select_related("customer"),
        LedgerEntry.objects.order_by("-id").prefetch_related("postings"),
    ]
    for rows in orders:
        pages = paginators.KeyedPaginator(rows, 3)
        found = [row.pk for number in pages.page_range for row in pages.page(number).object_list]
        assert found == [row.pk for row in rows]
        assert len(found) > 6


@pytest.mark.parametrize("few", [0, 5_000])
def test_events_are_paged_in_their_order(company: Company, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(paginators, "FEW", few)
    rows = UsageEvent.objects.order_by(F("timestamp").desc(), "id")
    pages = paginators.BoundedPaginator(rows, 50)
    found = [row.pk for number in pages.page_range for row in pages.page(number).object_list]
    assert found == list(rows.values_list("pk", flat=True))


def test_subscriptions_are_found_by_beginnings_and_customers(superuser: Client, company: Company) -> None:
    first = company.subscriptions[0]
    Subscription.objects.filter(pk=first.pk).update(purchase_order_number="PO-77/A")

    def found(term: str) -> set[int]:
        rows = superuser.get("/admin/billing/subscription/", {"q": term}).context["cl"].result_list
        return {row.pk for row in rows}

    assert first.pk in found(first.external_id[:-1].upper())
    assert found("po-77") == {first.pk}
    assert found("analytics") == set(first.customer.subscriptions.values_list("pk", flat=True))
    assert found("nobody has this") == set()


def test_a_quote_without_a_version_breaks_no_page(superuser: Client, company: Company) -> None:
    customer = company.customers[0]
    quote = Quote.objects.create(
        number="QT-1", name="Broken", customer=customer, billing_entity=customer.billing_entity, updated_at=company.at
    )
    assert "no version" in superuser.get("/admin/billing/quote/").content.decode()
    assert superuser.get(f"/admin/customers/customer/{customer.pk}/change/").status_code == 200
    assert superuser.get(f"/admin/billing/quote/{quote.pk}/change/").status_code == 302


@pytest.mark.parametrize("query", ["payment_due_date_to={0}", "payment_due_date_from={0}&payment_due_date_to={0}"])
def test_invoices_due_by_a_day(finance: Client, company: Company, query: str) -> None:
    day = Invoice.objects.order_by("payment_due_date", "id")[3].payment_due_date
    listed = finance.get(f"/admin/invoicing/invoice/?{query.format(day)}").context["cl"].result_list
    rows = Invoice.objects.filter(payment_due_date__lte=day)
    if "from" in query:
        rows = rows.filter(payment_due_date__gte=day)
    assert {row.pk for row in listed} == set(rows.values_list("pk", flat=True)) != set()


@pytest.mark.parametrize("match", ["metric", "subscription", "paused", "time", "price"])
def test_kept_counts_show_the_same_events(
    superuser: Client, company: Company, monkeypatch: pytest.MonkeyPatch, match: str
) -> None:
    address = f"/admin/billing/usageevent/?match={match}"
    live = [row.pk for row in superuser.get(address).context["cl"].result_list]
    monkeypatch.setattr(usage_counts, "MANY", 0)
    counting.run(as_of=company.at)
    assert UsageCountCursor.objects.get().not_billable is not None
    assert [row.pk for row in superuser.get(address).context["cl"].result_list] == live
    page = superuser.get("/admin/billing/usageevent/counts/").content.decode()
    assert "counted 20 May 2026" in page
    assert "Counted 20 May 2026" in superuser.get("/admin/overview/running/").content.decode()
