"""Telling tax engines about documents, after they are committed: issued, voided, credited. Each is told once.

The report is a row that is written with the document; what is sent is what it says then.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from config.kernel import db, jobs, money
from customers.domain import eu_vat
from invoicing.models import CreditNote, Invoice, InvoiceTax, TaxEngine, TaxReport
from invoicing.services import tax_engine_clients

CHUNK = 50
_CLAIMED = timedelta(minutes=5)


def finalized(*, invoice_ids: Collection[int], at: datetime) -> None:
    """Have the engines told about invoices that were issued. One query where no seller has an engine."""
    _write(invoice_ids, TaxReport.Event.FINALIZED, at)


def voided(*, invoice_id: int, at: datetime) -> None:
    """Have the engine told about an invoice that was voided after it was issued."""
    _write([invoice_id], TaxReport.Event.VOIDED, at)


def credited(*, credit_note_ids: Collection[int], at: datetime) -> None:
    """Have the engines told about credit notes that were issued."""
    notes = CreditNote.objects.filter(pk__in=credit_note_ids, invoice__billing_entity__tax_engine__is_active=True)
    rows = [
        TaxReport(
            created_at=at,
            engine=note.invoice.billing_entity.tax_engine,
            event=TaxReport.Event.CREDITED,
            invoice=note.invoice,
            credit_note=note,
            content=_credit_note(note),
            next_attempt_at=at,
        )
        for note in notes.select_related("invoice__billing_entity__tax_engine").order_by("pk")
    ]
    _save(rows)


def send_due(*, as_of: datetime) -> int:
    """Send the reports that are due, and return how many arrived. A periodic job.

    May run any number of times and beside itself; a report carries a key, so that an engine that got it twice counts it
    once. One that does not arrive is sent again after a while, longer each time.
    """
    done = 0
    for report in _claim(as_of):
        try:
            tax_engine_clients.client(report.engine).report(content=report.content, key=str(report.uuid))
        except tax_engine_clients.Unavailable as error:
            _put_off(report.pk, str(error), as_of)
        else:
            TaxReport.objects.filter(pk=report.pk).update(told_at=as_of, next_attempt_at=None, error="")
            done += 1
    return done


def _write(invoice_ids: Collection[int], event: TaxReport.Event, at: datetime) -> None:
    engines = {row.billing_entity_id: row for row in TaxEngine.objects.filter(is_active=True)}
    if not engines:
        return
    found = Invoice.objects.filter(pk__in=invoice_ids, billing_entity__in=engines).exclude(
        kind__in=[Invoice.Kind.CREDIT, Invoice.Kind.ADVANCE_CHARGES]
    )
    rows = [
        TaxReport(
            created_at=at,
            engine=engines[invoice.billing_entity_id],
            event=event,
            invoice=invoice,
            content=_invoice(invoice, event),
            next_attempt_at=at,
        )
        for invoice in found.prefetch_related("applied_taxes").order_by("pk")
    ]
    _save(rows)


def _save(rows: list[TaxReport]) -> None:
    if rows:
        TaxReport.objects.bulk_create(rows, ignore_conflicts=True)
        jobs.enqueue("invoicing.tasks.report_taxes")


def _invoice(invoice: Invoice, event: TaxReport.Event) -> dict[str, Any]:
    return {
        "event": event.value,
        "invoice_id": str(invoice.uuid),
        "number": invoice.number,
        "issuing_date": invoice.issuing_date.isoformat(),
        "currency": invoice.currency,
        "net_cents": money.to_minor(invoice.net_amount),
        "taxes_cents": money.to_minor(invoice.taxes_amount),
        "taxes": [_tax(row) for row in invoice.applied_taxes.all()],
    }


def _credit_note(note: CreditNote) -> dict[str, Any]:
    return {
        "event": TaxReport.Event.CREDITED.value,
        "invoice_id": str(note.invoice.uuid),
        "credit_note_id": str(note.uuid),
        "number": note.number,
        "issuing_date": note.issuing_date.isoformat(),
        "currency": note.currency,
        "net_cents": money.to_minor(note.total_amount - note.taxes_amount),
        "taxes_cents": money.to_minor(note.taxes_amount),
    }


def _tax(row: InvoiceTax) -> dict[str, Any]:
    return {
        "code": row.tax_code,
        "rate": f"{row.rate.normalize():f}",
        "base_cents": money.to_minor(row.base_amount),
        "amount_cents": money.to_minor(row.amount),
    }


@transaction.atomic
def _claim(as_of: datetime) -> list[TaxReport]:
    due = TaxReport.objects.filter(told_at__isnull=True, next_attempt_at__lte=as_of).select_related("engine")
    rows = list(due.order_by("pk").select_for_update(no_key=True, skip_locked=True, of=("self",))[:CHUNK])
    for row in rows:
        row.next_attempt_at = as_of + _CLAIMED
    TaxReport.objects.bulk_update(rows, ["next_attempt_at"])
    return rows


@transaction.atomic
def _put_off(pk: int, error: str, at: datetime) -> None:
    row = db.lock_one(TaxReport.objects.filter(pk=pk))
    row.attempts += 1
    row.error = error
    row.next_attempt_at = eu_vat.next_attempt(attempts=row.attempts, at=at)
    row.save(update_fields=["attempts", "error", "next_attempt_at"])
