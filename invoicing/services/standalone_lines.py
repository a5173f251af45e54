"""Lines that stand alone: making them, telling how they were paid, taking them back. Owns these rows and their books.

Putting paid ones on an invoice is `standalone_invoices`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import models, transaction

from config.kernel import dates, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from invoicing.domain import standalone, taxed_lines
from invoicing.domain.ledger import Booking
from invoicing.domain.specs import LineSpec
from invoicing.domain.totals import Taxed
from invoicing.models import InvoiceLine, LinePayment, LineTax
from invoicing.queries import lines as known_lines
from invoicing.queries import taxes as tax_books
from invoicing.services import approval_actions, line_rows
from invoicing.services import ledger as books

_BATCH = 1000
_TIMES = {
    standalone.SUCCEEDED: "succeeded_at",
    standalone.FAILED: "failed_at",
    standalone.REFUNDED: "refunded_at",
}


@dataclass(frozen=True)
class StandaloneSpec:
    """A line that stands alone, for a customer of a billing entity in one currency."""

    customer_id: int
    billing_entity_id: int
    currency: str
    line: LineSpec


@transaction.atomic
def create_many(*, specs: Sequence[StandaloneSpec], actor: Actor, at: datetime) -> list[InvoiceLine]:
    """Make lines that stand alone, in the order of their specifications, in a fixed number of statements.

    Taxes are those of the price, else the customer's, else the seller's, each rounded per line. They are owed from now
    on, and booked so; the books' day is the customer's local date. The database freezes them at once. Not idempotent:
    whoever calls has to know what was billed. Raises UnableToDraft for figures that no line can hold.
    """
    if not specs:
        return []
    book = tax_books.book(
        customer_ids={spec.customer_id for spec in specs},
        billing_entity_ids={spec.billing_entity_id for spec in specs},
        tax_ids={tax_id for spec in specs for tax_id in spec.line.tax_ids},
    )
    taxed = []
    for spec in specs:
        line_rows.demand_figures(spec.line)
        found = book.resolved(
            customer_id=spec.customer_id,
            billing_entity_id=spec.billing_entity_id,
            on=dates.local_date(at, UTC),
            tax_ids=spec.line.tax_ids,
        )
        line = taxed_lines.taxed(spec=spec.line, found=found)
        line_rows.demand_amounts(f"The line {spec.line.label}", line.spec.amount, line.taxes.amount)
        taxed.append((spec, line))
    rows = InvoiceLine.objects.bulk_create(
        [
            line_rows.line(
                spec=line.spec,
                taxes=line.taxes,
                basis=line.basis,
                gross=line.gross,
                billing_entity_id=spec.billing_entity_id,
                customer_id=spec.customer_id,
                currency=spec.currency,
                at=at,
                payment_status=InvoiceLine.PaymentStatus.PENDING,
            )
            for spec, line in taxed
        ],
        batch_size=_BATCH,
    )
    LineTax.objects.bulk_create(
        [
            line_rows.line_tax(line=line, row=row, at=at)
            for line, (_, own) in zip(rows, taxed, strict=True)
            for row in own.taxes.rows
        ],
        batch_size=_BATCH,
    )
    payments = _changes(rows, at)
    books.post_many(
        sources=[
            _source(payment, line, standalone.due(_amount(line)), at)
            for payment, line in zip(payments, _with_customers(rows), strict=True)
        ],
        at=at,
    )
    audit.record_many(actor=actor, at=at, notes=[_made(line) for line in rows])
    return rows


@transaction.atomic
def set_payment_status(*, line_id: int, payment_status: str, actor: Actor, at: datetime) -> InvoiceLine:
    """Set how a line that stands alone was paid, and book what that changes. Setting what is set changes nothing.

    The instant of the status is ``at``. Raises LineNotFound, InvalidStatus, OnInvoice for a line of an invoice, and
    ApprovalRequired for a refund.
    """
    standalone.demand_status(payment_status)
    line = known_lines.locked(line_id)
    standalone.demand_alone(is_on_invoice=line.invoice_id is not None)
    before = line.payment_status
    if before == payment_status:
        return line
    if payment_status == InvoiceLine.PaymentStatus.REFUNDED:
        approvals.demand(action=approval_actions.REFUND_FEE, amount=_amount(line).gross, actor=actor)
    line.payment_status = InvoiceLine.PaymentStatus(payment_status)
    changed = ["payment_status"]
    if payment_status in _TIMES:
        setattr(line, _TIMES[payment_status], at)
        changed.append(_TIMES[payment_status])
    line.save(update_fields=changed)
    booking = standalone.changed(amount=_amount(line), before=before, after=payment_status)
    books.post_many(sources=[_source(_changes([line], at)[0], line, booking, at)], at=at)
    audit.record(
        actor=actor,
        at=at,
        verb="set_payment_status",
        instance=line,
        old={"payment_status": before},
        new={"payment_status": payment_status},
    )
    return line


@transaction.atomic
def delete(*, line_id: int, actor: Actor, at: datetime) -> InvoiceLine:
    """Take back a line that stands alone and was not paid: nobody is shown it, and the books are set right.

    The row stays, and what it billed stays billed. Raises LineNotFound, OnInvoice and NotDeletable.
    """
    line = known_lines.locked(line_id)
    standalone.demand_alone(is_on_invoice=line.invoice_id is not None)
    standalone.demand_deletable(line.payment_status)
    line.deleted_at = at
    line.save(update_fields=["deleted_at"])
    booking = standalone.taken_back(amount=_amount(line), before=line.payment_status)
    books.post_many(sources=[_source(_changes([line], at)[0], line, booking, at)], at=at)
    audit.record(actor=actor, at=at, verb="delete", instance=line, old={"amount_cents": money.to_minor(line.amount)})
    return line


def _changes(rows: Sequence[InvoiceLine], at: datetime) -> list[LinePayment]:
    return LinePayment.objects.bulk_create(
        [LinePayment(created_at=at, line=line, status=line.payment_status) for line in rows], batch_size=_BATCH
    )


def _with_customers(rows: Sequence[InvoiceLine]) -> list[InvoiceLine]:
    models.prefetch_related_objects(list(rows), "customer__billing_entity")
    return list(rows)


def _amount(line: InvoiceLine) -> Taxed:
    return Taxed.of(net=line.amount, tax=line.taxes_amount)


def _source(payment: LinePayment, line: InvoiceLine, booking: Booking, at: datetime) -> books.Source:
    return books.Source(
        booking=booking,
        instance=payment,
        billing_entity_id=line.billing_entity_id,
        customer_id=line.customer_id,
        accounting_date=dates.local_date(at, dates.zone(line.customer.applicable_timezone)),
        description=f"Fee {line.label}",
    )


def _made(line: InvoiceLine) -> audit.Note:
    return audit.Note(
        instance=line, verb="create", new={"amount_cents": money.to_minor(line.amount), "currency": line.currency}
    )
