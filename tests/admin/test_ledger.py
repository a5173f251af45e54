"""The ledger in the admin: reports, accounts and their mapping, exports, and booking by hand."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from moneyed import Money

from customers.models import BillingEntity
from invoicing.admin import ledger as ledger_admin
from invoicing.domain import ledger as bookings
from invoicing.domain import standalone
from invoicing.models import JournalExport, LedgerAccount, LedgerEntry, LedgerMapping
from invoicing.queries import ledger
from invoicing.services import disputes, invoices, payments, statement_files
from tests.factories import invoicing as make
from tests.factories import wallets as purse
from tests.factories.company import Company

pytestmark = pytest.mark.django_db

LEDGER = "/admin/invoicing/ledgerentry"
ACCOUNTS = "/admin/invoicing/ledgeraccount"
EXPORTS = "/admin/invoicing/journalexport"


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def weighed(page: str) -> str:
    found = re.search(r'name="weighed" value="([0-9a-f]+)"', page)
    assert found
    return found.group(1)


@pytest.mark.parametrize("report", ["trial-balance", "ageing", "revenue"])
def test_reports_are_shown_as_known_on_a_day(auditor: Client, report: str) -> None:
    now = text(auditor.get(f"{LEDGER}/{report}/"))
    assert "q-num" in now
    before = text(auditor.get(f"{LEDGER}/{report}/?known=2020-01-01"))
    assert "q-num" not in before
    assert "Nobody knows yet" in text(auditor.get(f"{LEDGER}/{report}/?known=2030-01-01"))
    assert "not a currency" in text(auditor.get(f"{LEDGER}/{report}/?currency=XYZ"))


def test_reports_are_files_too(auditor: Client) -> None:
    def lines(report: str) -> list[list[str]]:
        answer = auditor.get(f"{LEDGER}/{report}/?as=csv")
        assert answer.headers["Content-Type"].startswith("text/csv")
        return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    _, *balances = lines("trial-balance")
    assert sum(Decimal(row[7]) for row in balances if row[3] == "EUR") == 0
    _, *items, total = lines("ageing")
    entity = BillingEntity.objects.order_by("-is_default", "pk").first()
    receivable = LedgerAccount.objects.get(role="receivable", billing_entity=entity)
    (owed,) = [Decimal(row[7]) for row in balances if (row[0], row[3]) == (receivable.code, "EUR")]
    assert total[0] == "Sum"
    assert sum(Decimal(row[7]) for row in items) == Decimal(total[7]) == owed
    assert sum(Decimal(row[2]) for row in lines("revenue")[1:-1]) > 0
    book = auditor.get(f"{LEDGER}/ageing/?as=xlsx")
    assert "spreadsheetml" in book.headers["Content-Type"]
    assert "not a currency" in text(auditor.get(f"{LEDGER}/ageing/?as=csv&currency=XYZ"))  # a page, no file
    assert "as=xlsx" in text(auditor.get(f"{LEDGER}/ageing/"))


def test_an_account_with_its_statement(auditor: Client, company: Company) -> None:
    account = LedgerAccount.objects.filter(role="receivable", postings__isnull=False).first()
    assert account is not None
    page = text(auditor.get(f"{ACCOUNTS}/{account.pk}/change/"))
    assert "Brought forward" in page
    assert "Which postings go where" in page
    assert auditor.get(f"{ACCOUNTS}/{account.pk}/change/?after_EUR=nonsense").status_code == 200


def test_a_mapping_shows_where_postings_go_before_it_is_made(finance: Client, company: Company) -> None:
    entity = BillingEntity.objects.order_by("-is_default").first()
    assert entity is not None
    form = {"billing_entity": entity.pk, "code": "4711", "name": "Usage", "type": "revenue", "role": "revenue"}
    assert finance.post(f"{ACCOUNTS}/create/", form).status_code == 302
    account = LedgerAccount.objects.get(code="4711")
    mapping = {"line_kind": "charge", "_do": "1"}
    page = text(finance.post(f"{ACCOUNTS}/{account.pk}/map/", mapping))
    assert "4000 Revenue" in page
    assert not LedgerMapping.objects.filter(account=account).exists()
    answer = finance.post(f"{ACCOUNTS}/{account.pk}/map/", {**mapping, "weighed": weighed(page)})
    assert answer.status_code == 302
    assert LedgerMapping.objects.get(account=account).line_kind == "charge"
    assert "No posting of this role" in text(finance.post(f"{ACCOUNTS}/{account.pk}/map/", {"payment_kind": "manual"}))
    closed = {**form, "is_active": ""}
    assert "map them to another" in text(finance.post(f"{ACCOUNTS}/{account.pk}/edit/", closed))
    unmap = {"mapping": LedgerMapping.objects.get(account=account).pk}
    assert finance.post(f"{ACCOUNTS}/{account.pk}/unmap/", unmap).status_code == 302
    assert finance.post(f"{ACCOUNTS}/{account.pk}/delete/").status_code == 302
    assert not LedgerAccount.objects.filter(code="4711").exists()


def test_a_month_is_exported_and_its_file_fetched(
    finance: Client, auditor: Client, company: Company, tmp_path: Any
) -> None:
    entity = BillingEntity.objects.order_by("-is_default").first()
    assert entity is not None
    assert "Bookings waiting" in text(finance.get(f"{EXPORTS}/create/"))
    form = {"billing_entity": entity.pk, "until_date": "2026-04-30"}
    assert finance.post(f"{EXPORTS}/create/", form).status_code == 302
    export = JournalExport.objects.get()
    assert "Control totals" in text(auditor.get(f"{EXPORTS}/{export.pk}/change/"))
    answer = auditor.get(f"{EXPORTS}/{export.pk}/file/csv/")
    assert b"".join(answer.streaming_content).startswith(b"journal,entry_id")
    assert auditor.post(f"{EXPORTS}/create/", form).status_code == 403
    call_command("export_journal", entity.code, "--format", "json", "--output", str(tmp_path))
    assert [one.name for one in tmp_path.iterdir()] == [f"journal-{entity.code}-0002.json"]
    with pytest.raises(CommandError, match="since the last export"):
        call_command("export_journal", entity.code, "--output", str(tmp_path))


def test_booking_by_hand_and_taking_it_back(finance: Client, company: Company) -> None:
    accounts = {row.role: row.pk for row in LedgerAccount.objects.filter(billing_entity__is_default=True)}
    entity = BillingEntity.objects.get(is_default=True)
    form: dict[str, Any] = {
        "billing_entity": entity.pk,
        "accounting_date": "2026-05-01",
        "currency": "eur",
        "reason": "Bank fee",
        "account_1": accounts["write_off"],
        "side_1": "debit",
        "amount_1": "3.50",
        "account_2": accounts["cash"],
        "side_2": "credit",
        "amount_2": "3.40",
        "side_3": "credit",
        "side_4": "credit",
        "_do": "1",
    }
    assert "differ by" in text(finance.post(f"{LEDGER}/post/", form))
    form["amount_2"] = "3.50"
    page = text(finance.post(f"{LEDGER}/post/", form))
    assert not LedgerEntry.objects.filter(fact="manual_entry").exists()
    assert finance.post(f"{LEDGER}/post/", {**form, "weighed": weighed(page)}).status_code == 302
    entry = LedgerEntry.objects.get(fact="manual_entry")
    assert "Bank fee" in text(finance.get(f"{LEDGER}/{entry.pk}/change/"))
    assert "Bank fee" in text(finance.get(f"{LEDGER}/"))
    back = {"reason": "Wrong", "accounting_date": "2026-05-02"}
    assert finance.post(f"{LEDGER}/{entry.pk}/reverse/", back).status_code == 302
    assert finance.post(f"{LEDGER}/{entry.pk}/reverse/", back).status_code == 302
    assert LedgerEntry.objects.filter(fact="manual_entry_reversed").count() == 1


def test_the_statement_of_a_customer(auditor: Client, company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = LedgerEntry.objects.filter(customer__isnull=False).first()
    assert entry is not None
    assert entry.customer is not None
    address = f"{LEDGER}/customer/{entry.customer.pk}/"
    page = text(auditor.get(address))
    assert "Brought forward" in page
    assert "as=pdf" in page
    assert address in text(auditor.get(f"/admin/customers/customer/{entry.customer.pk}/change/"))
    assert auditor.get(f"{address}?as=csv").content.startswith(b"billing_entity,currency")
    monkeypatch.setattr(statement_files.document_pdf, "write", lambda **_: b"%PDF-")
    assert auditor.get(f"{address}?as=pdf").content == b"%PDF-"
    assert "Nothing is booked" in text(auditor.get(f"{address}?known=2020-01-01"))
    assert auditor.get(f"{LEDGER}/customer/0/").status_code == 404


def test_every_fact_has_a_name() -> None:
    """Whatever the domain may book is told in words, and can be filtered by."""
    texts = {
        value
        for module in (bookings, standalone)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    facts = texts - {*LedgerAccount.Role.values, *standalone.STATUSES}
    assert set(dict(ledger_admin.FACTS)) == facts
    assert len(facts) > 20


def test_the_ledger_of_an_invoice_has_all_that_touched_it(auditor: Client, company: Company) -> None:
    customer = company.customers[0]
    wallet = purse.make_wallet(customer, currency="EUR")
    purse.give(wallet, "5")
    invoice = make.issue(customer, "100.00")
    payments.record(
        invoice_id=invoice.pk, amount=Money(9, "EUR"), reference="w", paid_at=make.AT, actor=make.ACTOR, at=make.AT
    )
    disputes.open_dispute(invoice_id=invoice.pk, amount=Money(7, "EUR"), reason="no", actor=make.ACTOR, at=make.AT)
    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)

    page = text(auditor.get(f"/admin/invoicing/invoice/{invoice.pk}/change/"))

    names = dict(ledger_admin.FACTS)
    facts = list(ledger.entries_of_invoice(invoice).values_list("fact", flat=True))
    wanted = {
        bookings.FINALIZED,
        bookings.CREDITS_USED,
        bookings.PAID,
        bookings.DISPUTE_OPENED,
        bookings.DISPUTE_ENDED,
        bookings.VOIDED,
        bookings.RELEASED,
        bookings.CREDITS_RETURNED,
    }
    assert (set(facts), len(facts)) == (wanted, len(wanted))
    for entry in ledger.entries_of_invoice(invoice):
        assert entry.description in page
        assert names[entry.fact] in text(auditor.get(f"{LEDGER}/{entry.pk}/change/"))
