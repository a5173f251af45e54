"""Issuing invoices: number, snapshot, freeze, ledger. Owns the moment at which a draft becomes a document.

Drafting is next door, and so is what happens after: rendering and e-mail start once the transaction is committed.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction

from config.kernel import actors, dates, db, events, money
from config.kernel import rows as db_rows
from config.kernel.actors import Actor
from config.platform.services import audit, numbers
from customers.models import Customer
from invoicing.domain import issuing, ledger, numbering, states
from invoicing.domain.facts import BalancesMoved, InvoiceFinalized, InvoicePaid
from invoicing.domain.numbering import Scheme
from invoicing.domain.totals import Taxed
from invoicing.models import Invoice
from invoicing.queries import invoices as known_invoices
from invoicing.services import (
    announcements,
    coupon_uses,
    credit_note_drafts,
    credit_note_uses,
    dispatch,
    held_drafts,
    prepaid_draws,
    progressive_credits,
    refreshing,
    section_texts,
    snapshots,
    tax_notes,
    tax_reports,
    tax_waits,
    wallet_draws,
    wallet_settlements,
)
from invoicing.services import ledger as books

log = logging.getLogger(__name__)

CHUNK = 100
_ISSUED_FIELDS = [
    "status",
    "payment_status",
    "number",
    "sequential_id",
    "coupons_amount",
    "taxes_amount",
    "credit_notes_amount",
    "prepaid_credit_amount",
    "total_amount",
    "offset_amount",
    "issuing_date",
    "payment_due_date",
    "finalized_at",
    "paid_at",
    "updated_at",
    "snapshot",
]


@dataclass(frozen=True)
class Finalized:
    """What a round did: how many invoices were issued or closed, and which could not be, by id with the reason."""

    done: int
    failed: dict[int, str]


def finalize(*, invoice_id: int, actor: Actor, at: datetime) -> Invoice:
    """Issue one draft; see `finalize_many`. Raises NotFound."""
    return finalize_many(invoice_ids=[invoice_id], actor=actor, at=at)[0]


@transaction.atomic
def finalize_many(*, invoice_ids: Collection[int], actor: Actor, at: datetime) -> list[Invoice]:
    """Issue drafts in one transaction, all or none, in a fixed number of statements.

    Numbers are gapless and follow the instant of billing, then the id. An invoice of nothing is paid at once, or closed
    without a number where customer or seller want none. Coupons lower what is taxed. What the customer has in credit
    lowers the total, after taxes, then what it prepaid, and draft credit notes of the invoices are issued with them;
    one of which nothing is due is paid. The issuing date never lies in the future: a draft finalized before its grace
    is over is dated ``at``. Drafts are computed anew first, unless they were at this very instant: late events, prices
    and taxes count. Subscribers hear InvoiceFinalized (and InvoicePaid where nothing is due) inside the transaction;
    document and e-mail are made after it. Call it once per transaction: numbers are locked until its end. Raises
    NotFound for an unknown id and InvalidTransition for what is no draft.
    """
    wanted = set(invoice_ids)
    invoices = db.lock(Invoice.objects.filter(pk__in=wanted))
    if len(invoices) != len(wanted):
        raise known_invoices.InvoiceNotFound("invoice_not_found", "There is no such invoice.")
    for invoice in invoices:
        states.move(status=invoice.status, verb=states.FINALIZE)
    return _issue(invoices, actor, at)


@transaction.atomic
def finalize_of_customer(*, customer_id: int, actor: Actor, at: datetime) -> list[Invoice]:
    """Issue all drafts of a customer that is retired, while it still has its coupons and credits."""
    drafts = Invoice.objects.filter(customer=customer_id, status=Invoice.Status.DRAFT)
    return _issue(db.lock(drafts), actor, at)


@transaction.atomic
def issue_taxed(*, invoice_ids: Collection[int], actor: Actor, at: datetime) -> list[Invoice]:
    """Issue those of these invoices that waited for their taxes and need not any more; the others go on waiting.

    They are as they were drafted, with the taxes of now. Idempotent: what does not wait is left alone.
    """
    waiting = Invoice.objects.filter(pk__in=set(invoice_ids), status=Invoice.Status.PENDING)
    return _issue(db.lock(waiting), actor, at)


def issue_paid(*, invoice: Invoice, actor: Actor, at: datetime, paid_at: datetime | None = None) -> Invoice:
    """Issue an invoice that waited for its payment: numbered, booked, and paid by the money that was held for it.

    It is dated by the day on which that happens. What it comes to stays as it was: credits of the customer are not used
    for it, as all of it was paid, at ``paid_at`` or now. The invoice is locked, its payments are recorded. Raises
    InvalidTransition for one that did not wait.
    """
    states.move(status=invoice.status, verb=states.ISSUE_PAID)
    invoice.paid_at = paid_at
    (issued,) = _issue([invoice], actor, at)
    if issued.paid_amount:
        books.post_many(sources=[_held_booking(issued)], at=at)
    return issued


def finalize_due(*, as_of: datetime) -> Finalized:
    """Issue every draft whose grace is over, in chunks, each in its own transaction.

    May run any number of times and beside itself: drafts that another run holds are skipped. A chunk that fails is
    tried invoice by invoice, so that one broken draft stops no other; it is logged and tried again by the next run.
    """
    failed: dict[int, str] = {}
    done = 0
    while True:
        try:
            count = _finalize_chunk(as_of, without=failed, limit=CHUNK)
            if not count:
                return Finalized(done=done, failed=failed)
        except Exception:
            log.exception("a chunk of drafts could not be finalized, trying one by one")
            count = _finalize_singly(as_of, failed)
        done += count


def _finalize_chunk(as_of: datetime, *, without: Collection[int], limit: int) -> int:
    with transaction.atomic():
        invoices = list(
            _due(as_of)
            .exclude(pk__in=list(without))
            .select_for_update(no_key=True, skip_locked=True, of=("self",))[:limit]
        )
        _issue(invoices, actors.job("finalize"), as_of, by_the_clock=True)
        return len(invoices)


def _finalize_singly(as_of: datetime, failed: dict[int, str]) -> int:
    done = 0
    for pk in _due(as_of).exclude(pk__in=list(failed)).values_list("pk", flat=True)[:CHUNK]:
        try:
            with transaction.atomic():
                held = _due(as_of).filter(pk=pk).select_for_update(no_key=True, skip_locked=True, of=("self",))
                done += len(_issue(list(held), actors.job("finalize"), as_of, by_the_clock=True))
        except Exception as error:
            log.exception("draft %s could not be finalized", pk)
            failed[pk] = str(error)
    return done


def _due(as_of: datetime) -> models.QuerySet[Invoice]:
    drafts = Invoice.objects.filter(status=Invoice.Status.DRAFT, finalize_after__lte=as_of)
    return held_drafts.without(drafts).order_by("billed_at", "pk")


def _issue(invoices: Sequence[Invoice], actor: Actor, at: datetime, *, by_the_clock: bool = False) -> list[Invoice]:
    if not invoices:
        return []
    current = refreshing.refreshed(drafts=invoices, actor=actor, at=at)
    if by_the_clock:
        announcements.ready(drafts=current, at=at)
    ordered = sorted(current, key=lambda invoice: (invoice.billed_at, invoice.pk))
    rows = Customer.objects.filter(pk__in={invoice.customer_id for invoice in ordered})
    customers = {row.pk: row for row in rows.prefetch_related("metadata")}
    models.prefetch_related_objects(ordered, "billing_entity")
    everything, ordered = ordered, tax_waits.ready(invoices=ordered, customers=customers, actor=actor, at=at)
    if ordered:
        _issue_now(ordered, customers, actor, at)
    return everything


def _issue_now(ordered: Sequence[Invoice], customers: dict[int, Customer], actor: Actor, at: datetime) -> None:
    """Issue what waits for nothing, in its order."""
    issued: list[Invoice] = []
    paid: set[int] = set()
    for invoice in ordered:
        closes = _is_skipped(invoice, customers[invoice.customer_id])
        if invoice.status == Invoice.Status.OPEN:
            paid.add(invoice.pk)
            invoice.payment_status = Invoice.PaymentStatus.SUCCEEDED
            invoice.issuing_date = dates.local_date(at, dates.zone(invoice.timezone))
        verb = states.ISSUE_PAID if invoice.pk in paid else states.CLOSE if closes else states.FINALIZE
        invoice.status = states.move(status=invoice.status, verb=verb)
        invoice.updated_at = at
        if not closes:
            issued.append(invoice)
    # Lines that were paid before they got on their invoice are settled and booked already.
    owed = [invoice for invoice in issued if invoice.kind != Invoice.Kind.ADVANCE_CHARGES]
    progressive_credits.give_back(invoices=ordered, actor=actor, at=at)
    # What was paid in full before it was issued has nothing left that a credit could pay.
    creditable = [invoice for invoice in owed if invoice.pk not in paid]
    lowered = coupon_uses.take(invoices=creditable, at=at)
    credit_note_drafts.lower(invoices=creditable, at=at)
    taken = credit_note_uses.take(invoices=creditable, at=at)
    drawn = prepaid_draws.take(invoices=creditable, at=at)
    if paid:
        wallet_settlements.lock(invoice_ids=paid)
    tapped = wallet_draws.take(invoices=creditable, uses=drawn.uses, at=at)
    for invoice in ordered:
        if invoice.total_amount == invoice.offset_amount:
            invoice.payment_status = Invoice.PaymentStatus.SUCCEEDED
    _number(issued, customers, at)
    db_rows.update(ordered, _ISSUED_FIELDS)
    books.post_many(sources=[_booking(invoice) for invoice in owed], at=at)
    coupon_uses.write(taken=lowered, actor=actor, at=at)
    credit_note_uses.write(taken=taken, invoices=issued, actor=actor, at=at)
    prepaid_draws.write(drawn=drawn, invoices=issued, at=at)
    wallet_draws.write(drawn=tapped, at=at)
    befores = [states.OPEN if invoice.pk in paid else states.DRAFT for invoice in ordered]
    notes = [_note(invoice, before) for invoice, before in zip(ordered, befores, strict=True)]
    audit.record_many(actor=actor, at=at, notes=notes)
    events.publish(BalancesMoved(customer_ids=tuple(customers), at=at))
    for invoice in issued:
        events.publish(InvoiceFinalized(invoice_id=invoice.pk))
        if invoice.paid_at:
            events.publish(InvoicePaid(invoice_id=invoice.pk))
    announcements.issued(invoices=owed, at=at)
    announcements.closed(invoices=[one for one in ordered if one.status == Invoice.Status.CLOSED], at=at)
    announcements.credited(notes=[note for note, _ in taken.drafts], at=at)
    announcements.moved(transactions=[flow.transaction for flow, _ in tapped.flows], at=at)
    sold = [one.pk for one in issued if one.paid_at and one.kind == Invoice.Kind.CREDIT]
    if sold:
        wallet_settlements.settle_paid(invoice_ids=sold, actor=actor, at=at)
    tax_reports.finalized(invoice_ids=[invoice.pk for invoice in issued], at=at)
    dispatch.request(invoice_ids=[invoice.pk for invoice in issued], actor=actor, at=at)


def _is_skipped(invoice: Invoice, customer: Customer) -> bool:
    if invoice.fees_amount or invoice.kind == Invoice.Kind.ADVANCE_CHARGES:
        return False
    if customer.finalize_zero_amount_invoice == Customer.ZeroAmount.INHERIT:
        return not invoice.billing_entity.finalize_zero_amount_invoice
    return customer.finalize_zero_amount_invoice == Customer.ZeroAmount.SKIP


def _number(invoices: Sequence[Invoice], customers: dict[int, Customer], at: datetime) -> None:
    """Give numbers in order, and freeze dates and snapshot with them."""
    schemes = {invoice.pk: _scheme(invoice, customers[invoice.customer_id]) for invoice in invoices}
    counts: dict[str, int] = defaultdict(int)
    for scheme in schemes.values():
        counts[scheme.scope] += 1
    taken = {scope: iter(found) for scope, found in numbers.take_many(counts=counts).items()} if counts else {}
    sections = section_texts.of_many(invoices=invoices, customers=customers)
    told = tax_notes.of_many(invoices=invoices)
    for invoice in invoices:
        scheme = schemes[invoice.pk]
        invoice.issuing_date, invoice.payment_due_date = issuing.when_finalized(
            issuing_date=invoice.issuing_date, at=at, timezone=invoice.timezone, term_days=invoice.net_payment_term
        )
        invoice.sequential_id = next(taken[scheme.scope])
        invoice.number = scheme.number(sequential_id=invoice.sequential_id, issued_on=invoice.issuing_date)
        invoice.finalized_at = at
        is_paid = invoice.payment_status == Invoice.PaymentStatus.SUCCEEDED
        invoice.paid_at = (invoice.paid_at or at) if is_paid else None
        invoice.snapshot = snapshots.build(
            invoice=invoice,
            customer=customers[invoice.customer_id],
            entity=invoice.billing_entity,
            sections=sections[invoice.pk],
            taxes=told.get(invoice.pk, []),
        )


def _scheme(invoice: Invoice, customer: Customer) -> Scheme:
    entity = invoice.billing_entity
    return numbering.Scheme(
        kind=entity.document_numbering,
        prefix=entity.document_number_prefix,
        billing_entity_id=entity.pk,
        customer_id=customer.pk,
        customer_number=customer.sequential_id,
    )


def _booking(invoice: Invoice) -> books.Source:
    amount = Taxed.of(net=invoice.net_amount, tax=invoice.taxes_amount)
    is_prepaid = invoice.kind == Invoice.Kind.CREDIT
    return books.Source(
        booking=ledger.prepaid_sold(amount.gross) if is_prepaid else ledger.finalized(amount),
        instance=invoice,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=invoice.issuing_date,
        description=f"Invoice {invoice.number}",
    )


def _held_booking(invoice: Invoice) -> books.Source:
    return books.Source(
        booking=ledger.held_used(invoice.paid_amount),
        instance=invoice,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=invoice.issuing_date,
        description=f"Invoice {invoice.number}",
    )


def _note(invoice: Invoice, before: str) -> audit.Note:
    if invoice.status == Invoice.Status.CLOSED:
        return audit.Note(instance=invoice, verb="close", old={"status": before}, new={"status": states.CLOSED})
    return audit.Note(
        instance=invoice,
        verb="finalize",
        old={"status": before},
        new={
            "status": states.FINALIZED,
            "number": invoice.number,
            "issuing_date": invoice.issuing_date,
            "total_cents": money.to_minor(invoice.total_amount),
        },
    )
