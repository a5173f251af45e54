"""Making drafts and computing them anew. Owns the rows of a draft: the invoice, its lines and its taxes.

A draft has no number and no snapshot; those come with `finalization`. What is charged is decided by whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from moneyed import Money

from config.kernel import dates, events, money, rows
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import BillingEntity, Customer
from invoicing.domain import states, taxed_lines
from invoicing.domain.facts import BalancesMoved
from invoicing.domain.specs import InvoiceSpec, LineSpec, ProgressiveCreditSpec
from invoicing.domain.tax import Basis, LineTaxes, Resolved
from invoicing.domain.taxed_lines import TaxedLine
from invoicing.domain.totals import Totals
from invoicing.models import Invoice, InvoiceLine, InvoiceTax, LineTax
from invoicing.queries import invoices as known_invoices
from invoicing.queries import taxes as tax_books
from invoicing.queries.taxes import TaxBook
from invoicing.services import credit_note_drafts, line_rows, progressive_credits, terms

_SUMS = ("fees_amount", "progressive_billing_credit_amount", "taxes_amount", "total_amount")

UnableToDraft = line_rows.UnableToDraft


@dataclass(frozen=True)
class Drafted:
    """A draft with its lines in the order of its specification."""

    invoice: Invoice
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True)
class _Parties:
    customers: dict[int, Customer]
    sellers: dict[int, BillingEntity]


@transaction.atomic
def draft_many(*, specs: Sequence[InvoiceSpec], actor: Actor, at: datetime) -> list[Drafted]:
    """Draft invoices, in the order of their specifications, in a fixed number of statements.

    Lines come rounded; taxes are rounded per line, per tax group and per invoice. Dates are local to each
    specification's time zone: issued on the billing day plus the grace period, due after the payment term. Not
    idempotent: whoever calls has to know what was billed. Raises UnableToDraft, MixedCurrencies, and Invalid for an
    unrounded line.
    """
    if not specs:
        return []
    parties = _read_parties(specs)
    book = _tax_book(specs)
    planned = [
        _taxed(spec.lines, spec.customer_id, spec.billing_entity_id, book, _day(spec.billed_at, spec.timezone))
        for spec in specs
    ]
    sums = [_total(lines, spec.currency) for spec, lines in zip(specs, planned, strict=True)]
    invoices = rows.insert(
        [_invoice(spec, parties, whole, lines, at) for spec, whole, lines in zip(specs, sums, planned, strict=True)]
    )
    drafted = _write_lines(list(zip(invoices, planned, strict=True)), at)
    _write_taxes(list(zip(invoices, sums, strict=True)), at)
    progressive_credits.write(
        wanted=[(invoice, spec.progressive_credits) for invoice, spec in zip(invoices, specs, strict=True)], at=at
    )
    audit.record_many(actor=actor, at=at, notes=[_note("draft", invoice) for invoice in invoices])
    events.publish(BalancesMoved(customer_ids=tuple({spec.customer_id for spec in specs}), at=at))
    return drafted


@transaction.atomic
def recompute(
    *,
    invoice_id: int,
    lines: Sequence[LineSpec],
    actor: Actor,
    at: datetime,
    progressive: Sequence[ProgressiveCreditSpec] = (),
) -> Drafted:
    """Replace the lines and taxes of a draft, and what was billed ``progressive``ly of them. Its dates stay.

    The same lines give the same amounts again. Draft credit notes move to the new lines and follow their amounts;
    whatever else points at the old lines has to be gone before. Raises NotFound,
    InvalidTransition when the invoice is no draft, and what `draft_many` raises.
    """
    invoice = known_invoices.locked(invoice_id)
    states.move(status=invoice.status, verb=states.RECOMPUTE)
    old = {"total_cents": money.to_minor(invoice.total_amount)}
    held = credit_note_drafts.take_off(invoice=invoice)
    progressive_credits.take_off(invoice=invoice)
    InvoiceTax.objects.filter(invoice=invoice).delete()
    LineTax.objects.filter(line__invoice=invoice).delete()
    InvoiceLine.objects.filter(invoice=invoice).delete()
    book = tax_books.book(
        customer_ids=[invoice.customer_id],
        billing_entity_ids=[invoice.billing_entity_id],
        tax_ids=[tax_id for line in lines for tax_id in line.tax_ids],
    )
    day = _day(invoice.billed_at, invoice.timezone)
    taxed = _taxed(lines, invoice.customer_id, invoice.billing_entity_id, book, day)
    whole = _total(taxed, invoice.currency)
    invoice.progressive_billing_credit_amount = _credited(taxed, invoice.currency)
    invoice.fees_amount = whole.amount.net + invoice.progressive_billing_credit_amount
    invoice.taxes_amount = whole.amount.tax
    invoice.total_amount = whole.amount.gross
    invoice.updated_at = at
    invoice.save(update_fields=[*_SUMS, "updated_at"])
    drafted = _write_lines([(invoice, taxed)], at)[0]
    _write_taxes([(invoice, whole)], at)
    progressive_credits.write(wanted=[(invoice, progressive)], at=at)
    credit_note_drafts.put_on(invoice=invoice, held=held, lines=drafted.lines, at=at)
    audit.record(
        actor=actor,
        at=at,
        verb="recompute",
        instance=invoice,
        old=old,
        new={"total_cents": money.to_minor(invoice.total_amount)},
    )
    events.publish(BalancesMoved(customer_ids=(invoice.customer_id,), at=at))
    return drafted


def _read_parties(specs: Sequence[InvoiceSpec]) -> _Parties:
    parties = _Parties(
        customers=Customer.objects.in_bulk({spec.customer_id for spec in specs}),
        sellers=BillingEntity.objects.in_bulk({spec.billing_entity_id for spec in specs}),
    )
    for spec in specs:
        if spec.customer_id not in parties.customers:
            raise UnableToDraft("customer_not_found", f"There is no customer {spec.customer_id}.")
        if spec.billing_entity_id not in parties.sellers:
            raise UnableToDraft("billing_entity_not_found", f"There is no billing entity {spec.billing_entity_id}.")
    return parties


def _tax_book(specs: Sequence[InvoiceSpec]) -> TaxBook:
    return tax_books.book(
        customer_ids=[spec.customer_id for spec in specs],
        billing_entity_ids=[spec.billing_entity_id for spec in specs],
        tax_ids=[tax_id for spec in specs for line in spec.lines for tax_id in line.tax_ids],
    )


def _taxed(lines: Sequence[LineSpec], customer_id: int, seller_id: int, book: TaxBook, day: date) -> list[TaxedLine]:
    return [
        taxed_lines.taxed(
            spec=line,
            # What is prepaid is taxed when it is used.
            found=Resolved((), Basis.NONE)
            if line.kind == InvoiceLine.Kind.CREDIT
            else book.resolved(customer_id=customer_id, billing_entity_id=seller_id, on=day, tax_ids=line.tax_ids),
        )
        for line in lines
    ]


def _day(billed_at: datetime, timezone: str) -> date:
    return dates.local_date(billed_at, dates.zone(timezone))


def _credited(lines: Sequence[TaxedLine], currency: str) -> Money:
    return progressive_credits.of_lines([line.spec for line in lines], currency)


def _total(lines: Sequence[TaxedLine], currency: str) -> Totals:
    for line in lines:
        line_rows.demand_figures(line.spec)
        line_rows.demand_amounts(f"The line {line.spec.label}", line.spec.amount)
    whole = taxed_lines.total(lines=lines, currency=currency)
    if whole.amount.gross.amount < 0:
        raise UnableToDraft("negative_total", f"An invoice cannot come to {whole.amount.gross}.")
    fees = whole.amount.net + _credited(lines, currency)
    line_rows.demand_amounts("The invoice", fees, whole.amount.net, whole.amount.tax, whole.amount.gross)
    return whole


def _invoice(spec: InvoiceSpec, parties: _Parties, whole: Totals, lines: Sequence[TaxedLine], at: datetime) -> Invoice:
    customer, seller = parties.customers[spec.customer_id], parties.sellers[spec.billing_entity_id]
    term = spec.net_payment_term
    if term is None:
        term = terms.payment_term(customer=customer, seller=seller)
    dated = terms.dated(
        customer=customer,
        seller=seller,
        billed_at=spec.billed_at,
        timezone=spec.timezone,
        term_days=term,
        kind=spec.kind,
        is_periodic=spec.is_periodic,
    )
    credited = _credited(lines, spec.currency)
    return Invoice(
        **({} if spec.uuid is None else {"uuid": spec.uuid}),
        created_at=at,
        updated_at=at,
        customer=customer,
        billing_entity=seller,
        currency=spec.currency,
        kind=Invoice.Kind(spec.kind),
        fees_amount=whole.amount.net + credited,
        progressive_billing_credit_amount=credited,
        taxes_amount=whole.amount.tax,
        total_amount=whole.amount.gross,
        paid_amount=money.zero(spec.currency),
        timezone=spec.timezone,
        locale=customer.document_locale or seller.document_locale,
        net_payment_term=term,
        purchase_order_number=spec.purchase_order_number,
        is_periodic=spec.is_periodic,
        skip_automatic_payment=spec.skip_automatic_payment,
        custom_section_ids=None if spec.custom_section_ids is None else list(spec.custom_section_ids),
        billed_at=spec.billed_at,
        finalize_after=dated.finalize_after,
        issuing_date=dated.issuing_date,
        payment_due_date=dated.payment_due_date,
    )


def _write_lines(wanted: Sequence[tuple[Invoice, Sequence[TaxedLine]]], at: datetime) -> list[Drafted]:
    taxes = [[line.taxes for line in lines] for _, lines in wanted]
    made = [
        [
            _line(invoice, position, line, own, at)
            for position, (line, own) in enumerate(zip(lines, found, strict=True), start=1)
        ]
        for (invoice, lines), found in zip(wanted, taxes, strict=True)
    ]
    rows.insert([line for lines in made for line in lines])
    rows.insert(
        [
            line_rows.line_tax(line=line, row=row, at=at)
            for lines, found in zip(made, taxes, strict=True)
            for line, own in zip(lines, found, strict=True)
            for row in own.rows
        ]
    )
    return [Drafted(invoice=invoice, lines=tuple(lines)) for (invoice, _), lines in zip(wanted, made, strict=True)]


def _line(invoice: Invoice, position: int, line: TaxedLine, taxes: LineTaxes, at: datetime) -> InvoiceLine:
    return line_rows.line(
        spec=line.spec,
        taxes=taxes,
        basis=line.basis,
        gross=line.gross,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        at=at,
        invoice=invoice,
        position=position,
    )


def _write_taxes(wanted: Sequence[tuple[Invoice, Totals]], at: datetime) -> None:
    rows.insert(
        [
            line_rows.invoice_tax(invoice=invoice, group=group, at=at)
            for invoice, whole in wanted
            for group in whole.groups
        ]
    )


def _note(verb: str, invoice: Invoice) -> audit.Note:
    return audit.Note(
        instance=invoice,
        verb=verb,
        new={
            "total_cents": money.to_minor(invoice.total_amount),
            "currency": invoice.currency,
            "issuing_date": invoice.issuing_date,
        },
    )
