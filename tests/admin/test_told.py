"""How pages tell facts: days of the right calendar, audit values with currencies, prices that mean something."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from billing.models import BillingRun
from billing.services import runs
from config.kernel import actors
from config.platform.admin import audit_values, cells
from config.platform.models import AuditEntry
from invoicing.models import Invoice
from tests.factories.company import Company

pytestmark = pytest.mark.django_db


def page(client: Client, invoice: Invoice) -> str:
    return " ".join(client.get(f"/admin/invoicing/invoice/{invoice.pk}/change/").content.decode().split())


@pytest.fixture
def draft(company: Company) -> Invoice:
    return Invoice.objects.filter(status="draft").order_by("pk").first()


def test_a_draft_is_finalized_on_a_day_of_its_own_zone(finance: Client, draft: Invoice) -> None:
    # Midnight of 27 November in Berlin is 23:00 of 26 November in UTC.
    Invoice.objects.filter(pk=draft.pk).update(
        timezone="Europe/Berlin",
        finalize_after=datetime(2026, 11, 26, 23, tzinfo=UTC),
        issuing_date="2026-11-27",
    )
    shown = page(finance, draft)
    assert "from 27 Nov 2026 (Europe/Berlin) on" in shown
    assert "26 Nov 2026" not in shown


def test_a_draft_will_be_issued(finance: Client, draft: Invoice) -> None:
    assert "Will be issued" in page(finance, draft)
    finance.post(f"/admin/invoicing/invoice/{draft.pk}/void/", {"_do": "1", "reason": "wrong price"})
    shown = page(finance, draft)
    assert "never was issued" in shown
    assert "Will be issued" not in shown


def test_one_moment_is_told_once_and_its_zone_too(finance: Client, company: Company) -> None:
    issued = Invoice.objects.filter(status="finalized", timezone="Europe/Berlin").order_by("pk").first()
    shown = page(finance, issued)
    times = re.findall(r"<dt>(?:Billed|Finalized)</dt><dd>.*?>([^<]+)</time>", shown)
    assert times == [cells.instant_text(issued.billed_at), "20 May 2026 10:30"]
    assert shown.count("Times of day are UTC") == 1


def test_a_line_of_several_prices_has_no_unit_price(finance: Client, company: Company) -> None:
    issued = Invoice.objects.filter(status="finalized").order_by("pk").first()
    tab = finance.get(f"/admin/invoicing/invoice/{issued.pk}/change/").context["page"].tabs[0]
    rows = {line.label: line.charge_model for line in issued.lines.all()}
    prices = {}
    for row in tab.blocks[0].rows:
        for label, model in rows.items():
            if f">{label}<" in str(row.cells[0]) and not row.is_group:
                prices[model] = str(row.cells[3])
    assert prices["graduated"] == prices["package"] == ""
    assert "€49.00" in prices[""]


@pytest.mark.parametrize(
    ("name", "value", "content", "text"),
    [
        ("total_cents", 5065, {"currency": "EUR"}, "€50.65"),
        ("total_cents", 5065, {"currency": "JPY"}, "¥5,065"),
        ("total_cents", 5065, {}, "5065"),
        ("recipients", ["a@example.com", "b@example.com"], {}, "a@example.com, b@example.com"),
        ("issuing_date", "2026-11-27", {}, "27 Nov 2026"),
        ("as_of", "2026-11-22T10:25:07.235Z", {}, "22 Nov 2026 10:25"),
        ("day", "2026-02-31", {}, "2026-02-31"),
        ("ending_at", None, {}, "–"),
        ("is_staff", True, {}, "yes"),
        ("filters", [{"key": "region", "values": ["eu", "us"]}], {}, "key: region; values: eu, us"),
    ],
)
def test_values_of_the_audit_trail(name: str, value: object, content: dict[str, str], text: str) -> None:
    assert audit_values.shown(AuditEntry(old={}, new={**content, name: value}), name, value) == text


def test_amounts_without_a_currency_take_that_of_their_object(finance: Client, company: Company) -> None:
    issued = Invoice.objects.filter(status="finalized", currency="EUR").order_by("pk").first()
    entry = AuditEntry.objects.get(object_type="invoicing.invoice", object_id=issued.pk, verb="finalize")
    assert "currency" not in entry.new
    total = f"€{issued.total_amount.amount:,.2f}"
    for address in (f"/admin/invoicing/invoice/{issued.pk}/history/", "/admin/platform/auditentry/?q=finalize"):
        shown = finance.get(address).content.decode()
        assert f"<b>total</b> {total}" in shown
        assert "total cents" not in shown


def test_a_long_run_shows_all_of_its_invoices(
    finance: Client, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.admin.runs.ITEMS", 3)
    address = f"/admin/billing/billingrun/{company.run.pk}/change/"
    seen: list[str] = []
    for number in (1, 2, 3, 4):
        table = finance.get(address, {"made": number}).context["page"].tabs[0].blocks[0]
        if not (seen and str(table.rows[0].cells[0]) in seen):
            seen += [str(row.cells[0]) for row in table.rows]
    assert len(seen) == company.run.invoices_count == len(set(seen))


def test_the_list_follows_a_run_that_was_asked_for(finance: Client, company: Company) -> None:
    address = "/admin/billing/billingrun/"
    now = int(datetime(2026, 5, 20, 10, 30, tzinfo=UTC).timestamp())
    BillingRun.objects.update(created_at=datetime(2026, 5, 19, tzinfo=UTC))
    assert "every 2s" in finance.get(address, {"since": now}).content.decode()
    assert "every 2s" not in finance.get(address, {"since": now - 3600}).content.decode()
    for nonsense in ("x", "9" * 40, "-1", "١"):
        assert finance.get(address, {"since": nonsense}).status_code == 200
    runs.run(as_of=datetime(2026, 5, 20, 10, 30, tzinfo=UTC), trigger="test", actor=actors.job("billing"))
    assert "every 2s" not in finance.get(address, {"since": now}).content.decode()
