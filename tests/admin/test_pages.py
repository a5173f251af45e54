"""What pages show: the invoice with its worked sums and document, the run, the overview, prices, history."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import BillingRun, BillingRunItem, RatedCharge
from config.platform.admin import blocks
from config.platform.admin.blocks import Block, Chart, Figures, Note, Sum, Table
from config.platform.models import AuditEntry
from customers.models import Customer
from invoicing.models import Document, Invoice, InvoiceLine
from invoicing.services import documents
from tests.admin import addresses
from tests.admin.conftest import signed_in
from tests.factories import books
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


def page_of(client: Client, instance: Any) -> Any:
    label = instance._meta.label_lower.replace(".", "/")
    answer = client.get(f"/admin/{label}/{instance.pk}/change/")
    assert answer.status_code == 200
    return answer


def shown(answer: Any) -> list[Block]:
    """All blocks of a page, those inside rows too."""
    page = answer.context["page"]
    found = [*page.top, *(block for tab in page.tabs for block in tab.blocks)]
    inner = [block for table in found if isinstance(table, Table) for row in table.rows for block in row.details]
    return found + inner


@pytest.fixture
def invoice(company: Company) -> Invoice:
    return Invoice.objects.filter(number__isnull=False, customer=company.customers[0]).order_by("pk").first()


def test_an_invoice_explains_every_line(finance: Client, invoice: Invoice) -> None:
    sums = [block for block in shown(page_of(finance, invoice)) if isinstance(block, Sum)]
    assert len(sums) == invoice.lines.count() > 0
    for line, worked in zip(invoice.lines.order_by("position"), sums, strict=True):
        assert worked.tone == "good"
        assert worked.lines[-1][2] == f"{line.amount.amount.quantize(Decimal('0.01'))} EUR"


def test_an_amount_that_its_trace_does_not_give_is_called_out(finance: Client, invoice: Invoice) -> None:
    rated = RatedCharge.objects.filter(line__invoice=invoice).order_by("line__position").first()
    trace = rated.trace
    trace["inputs"]["amount"] = "4901"
    with books.behind_its_back():
        RatedCharge.objects.filter(pk=rated.pk).update(trace=trace)
    sums = [block for block in shown(page_of(finance, invoice)) if isinstance(block, Sum)]
    assert sums[0].tone == "bad"
    assert "digest" in sums[0].verdict
    assert sums[1].tone == "good"


@pytest.mark.parametrize("trace", [{}, {"version": 9}, {"version": 1, "kind": "charge", "inputs": {}}])
def test_a_trace_of_nonsense_breaks_no_page(finance: Client, invoice: Invoice, trace: dict[str, Any]) -> None:
    with books.behind_its_back():
        RatedCharge.objects.filter(line__invoice=invoice).update(trace=trace)
    sums = [block for block in shown(page_of(finance, invoice)) if isinstance(block, Sum)]
    assert {worked.tone for worked in sums} == {"bad"}


def test_queries_of_an_invoice_do_not_grow_with_its_lines(
    finance: Client, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_of(finance, invoice)
    with CaptureQueriesContext(connection) as captured:
        page_of(finance, invoice)
    assert len(captured) <= 43


def test_the_document_of_an_issued_invoice_is_the_stored_one(finance: Client, invoice: Invoice) -> None:
    stored = documents.render(invoice_id=invoice.pk, at=invoice.finalized_at)
    before = addresses.fingerprint()
    answer = finance.get(f"/admin/invoicing/invoice/{invoice.pk}/pdf/")
    assert answer["Content-Type"] == "application/pdf"
    assert hashlib.sha256(answer.content).hexdigest() == stored.sha256
    assert answer["Content-Disposition"] == f'inline; filename="{invoice.number}.pdf"'
    download = finance.get(f"/admin/invoicing/invoice/{invoice.pk}/pdf/?download=1")
    assert download["Content-Disposition"].startswith("attachment")
    assert addresses.fingerprint() == before


def test_a_draft_has_a_preview_that_nothing_keeps(finance: Client, company: Company) -> None:
    draft = Invoice.objects.filter(status="draft").first()
    answer = finance.get(f"/admin/invoicing/invoice/{draft.pk}/pdf/")
    assert answer.content.startswith(b"%PDF")
    assert not Document.objects.filter(invoice=draft).exists()


def test_documents_are_not_for_everybody(company: Company, invoice: Invoice) -> None:
    address = f"/admin/invoicing/invoice/{invoice.pk}/pdf/"
    assert signed_in("Nobody").get(address).status_code == 403
    assert Client().get(address).status_code == 302


def test_the_history_tells_who_did_what_and_why(finance: Client, company: Company) -> None:
    draft = Invoice.objects.filter(status="draft").first()
    finance.post(f"/admin/invoicing/invoice/{draft.pk}/void/", {"reason": "<script>wrong</script>"})
    page = finance.get(f"/admin/invoicing/invoice/{draft.pk}/history/").content.decode()
    assert "finance_admin" in page
    assert "&lt;script&gt;wrong&lt;/script&gt;" in page
    assert "<script>wrong" not in page


def test_a_customer_shows_what_the_apps_above_know(finance: Client, company: Company) -> None:
    panels = page_of(finance, company.customers[0]).context["panels"]
    titles = [block.title for panel in panels for block in panel.context["blocks"] if isinstance(block, Table)]
    known = {"Invoices, open ones first", "Newest payments", "What happened", "Subscriptions"}
    assert known <= set(titles)


def test_names_are_escaped(finance: Client, company: Company) -> None:
    Customer.objects.filter(pk=company.customers[0].pk).update(name="<img src=x onerror=alert(1)>")
    for address in (
        "/admin/",
        "/admin/invoicing/invoice/",
        "/admin/billing/subscription/",
        f"/admin/customers/customer/{company.customers[0].pk}/change/",
        f"/admin/customers/customer/{company.customers[0].pk}/edit/",
        f"/admin/billing/subscription/{company.subscriptions[0].pk}/change/",
    ):
        assert "<img src=x" not in finance.get(address).content.decode(), address


def test_a_run_shows_its_progress_and_asks_for_it_again_while_it_runs(finance: Client, company: Company) -> None:
    done = page_of(finance, company.run).content.decode()
    assert "data-q-progress" not in done
    running = BillingRun.objects.create(
        as_of=company.at, created_at=company.at, trigger="test", customers_total=8, customers_done=2
    )
    BillingRunItem.objects.create(
        run=running, customer=company.customers[1], error_code="tier_gap", error="No tier holds 11 units."
    )
    BillingRun.objects.filter(pk=running.pk).update(failures_count=1)
    page = page_of(finance, running)
    assert f'data-q-progress="/admin/billing/billingrun/{running.pk}/progress/"' in page.content.decode()
    assert page.context["page"].top[0].percent == 25
    assert page.context["page"].tabs[0].title == "Failures"
    assert "No tier holds 11 units." in page.content.decode()


def test_balances_are_zero_in_sum(auditor: Client, company: Company) -> None:
    answer = auditor.get("/admin/invoicing/ledgerentry/balances/")
    assert answer.status_code == 200
    assert "The ledger is in balance" in answer.content.decode()


def test_what_is_not_there_leads_to_the_list(finance: Client, company: Company) -> None:
    answer = finance.get("/admin/invoicing/invoice/999999/change/", follow=True)
    assert answer.redirect_chain == [("/admin/invoicing/invoice/", 302)]
    assert "There is no invoice 999999." in answer.content.decode()


def test_the_search_finds_customers_invoices_and_subscriptions(finance: Client, company: Company) -> None:
    titles = finance.get("/admin/search/?s=lum-001&extended=1").content.decode()
    assert "LUM-001-" in titles
    assert "Nordlicht" in finance.get("/admin/search/?s=nordlicht&extended=1").content.decode()
    assert "Nordlicht" not in signed_in("Nobody").get("/admin/search/?s=nordlicht&extended=1").content.decode()


def test_audit_entries_lead_to_their_objects(superuser: Client, company: Company) -> None:
    entry = AuditEntry.objects.filter(object_type="invoicing.invoice").first()
    page = superuser.get(f"/admin/platform/auditentry/{entry.pk}/change/").content.decode()
    assert f"/admin/invoicing/invoice/{entry.object_id}/change/" in page


def test_a_panel_of_blocks_is_drawn_as_such() -> None:
    panel = blocks.panel(Figures(()))
    assert blocks.registered([panel])[0].inner == "admin/platform/blocks.html"


def test_figures_follow_the_readers_language(finance: Client, invoice: Invoice) -> None:
    total = f"{invoice.total_amount.amount:.2f}".replace(".", ",")
    answer = finance.get(f"/admin/invoicing/invoice/{invoice.pk}/change/", headers={"accept-language": "de"})
    assert f"{total}\xa0€" in answer.content.decode()


def test_a_subscription_shows_its_usage_so_far_expected_billed_and_in_all(finance: Client, company: Company) -> None:
    subscription = company.subscriptions[0]
    found = shown(page_of(finance, subscription))
    [figures] = [block for block in found if isinstance(block, Figures) and block.items[0].label == "Usage in all"]
    [table] = [block for block in found if isinstance(block, Table) and block.title.startswith("Running period")]
    [chart] = [block for block in found if isinstance(block, Chart) and block.title == "Billed usage by period"]
    lines = InvoiceLine.objects.filter(customer=subscription.customer, kind=InvoiceLine.Kind.CHARGE)
    billed = lines.aggregate(amount=models.Sum("amount"))["amount"]
    assert f"{billed:,.2f}" in str(figures.items[1].value)
    assert sum(sum(series.values) for series in chart.series) == billed
    assert [column.label for column in table.columns][-2:] == ["Units expected", "Amount expected"]


def test_a_subscription_of_a_customer_that_is_gone_is_shown(finance: Client, company: Company) -> None:
    Customer.objects.filter(pk=company.customers[0].pk).update(deleted_at=company.at)
    found = shown(page_of(finance, company.subscriptions[0]))
    assert next(block.text for block in found if isinstance(block, Note)).startswith("No running period")


def test_a_customers_page_tells_what_came_and_went(finance: Client, company: Company) -> None:
    customer = company.customers[0]
    text = finance.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    for shown in ("MRR", "Invoices, open ones first", "Newest payments", "What happened"):
        assert shown in text
    assert "q-sides" in text
