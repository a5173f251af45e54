"""Long invoices: sums in the document, every line in its annex."""

import csv
import io
from decimal import Decimal

import pytest
from django.core import mail

from config.kernel import actors
from invoicing.domain import document_folding
from invoicing.models import Document, Invoice
from invoicing.services import deliveries, document_annexes, document_views, documents
from tests.factories import documents as factory
from tests.factories.documents import LineRow

pytestmark = pytest.mark.django_db

REGIONS = document_folding.LONGEST
PACKAGES = {"free_units": "10", "paid_units": "5", "per_package_size": "5", "per_package_unit_amount": "2"}


def usage(number: int, **values: str) -> LineRow:
    # 10 free, 5 in a package of 2.00
    return LineRow(
        f"API – region: {number}",
        "2.00",
        units="15",
        charge_model="package",
        details=PACKAGES,
        **values,  # type: ignore[arg-type]
    )


def a_long_one() -> Invoice:
    rows = [LineRow("=Fee", "49.00", unit_amount="49"), *(usage(number) for number in range(REGIONS))]
    return factory.finalized(factory.buyer(factory.seller()), rows)


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_document_shows_sums_and_the_annex_every_line() -> None:
    invoice = a_long_one()
    view = document_views.of(invoice=document_views.read(invoice_id=invoice.pk))
    (group,) = view.groups
    # 300 × 2.00 = 600.00 for 300 × 15 = 4,500 units
    shown = [(line.label, line.units, line.amount.replace("\u00a0", " "), line.notes) for line in group.lines]
    assert shown == [("=Fee", "1", "49,00 €", ()), ("API", "4.500", "600,00 €", ("300 Zeilen, siehe Anlage",))]
    assert view.subtotal.replace("\u00a0", " ") == "649,00 €"
    assert view.annex == "Die Anlage NOR-202606-001.csv zeigt jede Zeile im Einzelnen."
    assert not view.is_compact

    document = documents.render(invoice_id=invoice.pk, at=factory.AT)
    assert document.kind == Document.Kind.PDF
    annex = documents.annex(invoice_id=invoice.pk)
    assert annex is not None
    assert annex.file.name.endswith("/NOR-202606-001.csv")
    rows = table(documents.content(document=annex))
    lines = [row for row in rows if row["row"] == "line"]
    assert sum(Decimal(row["amount"]) for row in lines) == invoice.fees_amount.amount
    # What a spreadsheet would compute is text.
    assert (lines[0]["label"], lines[0]["unit_price"]) == ("'=Fee", "49")
    assert [(row["row"], row["label"], row["units"], row["part_amount"]) for row in rows[1:4]] == [
        ("line", "API – region: 0", "15", ""),
        ("part", "Kostenlos enthalten", "10", "0"),
        ("part", "Pakete zu 5", "1", "2"),
    ]
    assert {(row["first_day"], row["last_day"]) for row in lines} == {("2026-05-01", "2026-05-31")}


def test_rendering_again_keeps_both_files() -> None:
    invoice = a_long_one()
    first = documents.render(invoice_id=invoice.pk, at=factory.AT)
    annex = documents.annex(invoice_id=invoice.pk)
    assert documents.render(invoice_id=invoice.pk, at=factory.AT) == first
    assert documents.annex(invoice_id=invoice.pk) == annex
    assert Document.objects.count() == 2
    read = document_views.read(invoice_id=invoice.pk)
    assert annex is not None
    assert documents.content(document=annex) == document_annexes.content(invoice=read)


def test_a_short_invoice_has_no_annex() -> None:
    invoice = factory.finalized(factory.buyer(factory.seller()), [usage(1)])
    documents.render(invoice_id=invoice.pk, at=factory.AT)
    assert documents.annex(invoice_id=invoice.pk) is None
    assert document_views.of(invoice=document_views.read(invoice_id=invoice.pk)).annex == ""


def test_the_mail_brings_both() -> None:
    invoice = a_long_one()
    (delivery,) = deliveries.request(invoice_ids=[invoice.pk], actor=actors.SYSTEM, at=factory.AT)
    deliveries.send(delivery_id=delivery.pk, at=factory.AT)
    (message,) = mail.outbox
    assert [(name, kind) for name, _, kind in message.attachments] == [
        ("NOR-202606-001.pdf", "application/pdf"),
        ("NOR-202606-001.csv", "text/csv"),
    ]


def test_contracts_beyond_count_share_rows() -> None:
    rows = [LineRow("Seats", "3.00", units="2", group=f"Contract {number}") for number in range(REGIONS + 1)]
    view = document_views.of(invoice=factory.draft(factory.buyer(factory.seller()), rows))
    (group,) = view.groups
    assert group.label == ""
    # 301 × 2 = 602 units, 301 × 3.00 = 903.00
    assert [(line.label, line.units, line.amount.replace("\u00a0", " ")) for line in group.lines] == [
        ("Seats", "602", "903,00 €")
    ]


def test_items_beyond_count_share_the_last_row() -> None:
    rows = [LineRow(f"Item {number}", "1.00") for number in range(REGIONS + 5)]
    view = document_views.of(invoice=factory.draft(factory.buyer(factory.seller()), rows))
    (group,) = view.groups
    assert view.is_compact
    assert len(group.lines) == REGIONS
    # 305 items, 299 of them have rows of their own.
    last = group.lines[-1]
    assert (last.label, last.units, last.notes) == ("Weitere Posten", "", ("6 Zeilen, siehe Anlage",))
