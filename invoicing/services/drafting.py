"""Making drafts and computing them anew. Owns the rows of a draft: the invoice, its lines and its taxes.

A draft has no number and no snapshot; those come with `finalization`. What is charged is decided by whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from config.kernel import money
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import BillingEntity, Customer
from invoicing.domain import issuing, states, tax, totals
from invoicing.domain.specs import InvoiceSpec, LineSpec, ProgressiveCreditSpec
from invoicing.domain.tax import LineTaxes, TaxRate
from invoicing.domain.totals import Totals
from invoicing.models import Invoice, InvoiceLine, InvoiceTax, LineTax
from invoicing.queries import invoices as known_invoices
from invoicing.queries import taxes as tax_books
from invoicing.queries.taxes import TaxBook
from invoicing.services import credit_note_drafts, line_rows, progressive_credits

_BATCH = 1000
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
    planned = [_taxes_of(spec.lines, spec.customer_id, spec.billing_entity_id, book) for spec in specs]
    sums = [_total(spec.lines, taxes, spec.currency) for spec, taxes in zip(specs, planned, strict=True)]
    invoices = Invoice.objects.bulk_create(
        [_invoice(spec, parties, whole, at) for spec, whole in zip(specs, sums, strict=True)], batch_size=_BATCH
    )
    drafted = _write_lines(
        [(invoice, spec.lines, taxes) for invoice, spec, taxes in zip(invoices, specs, planned, strict=True)], at
    )
    _write_taxes(list(zip(invoices, sums, strict=True)), at)
    progressive_credits.write(
        wanted=[(invoice, spec.progressive_credits) for invoice, spec in zip(invoices, specs, strict=True)], at=at
    )
    audit.record_many(actor=actor, at=at, notes=[_note("draft", invoice) for invoice in invoices])
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
    taxes = _taxes_of(lines, invoice.customer_id, invoice.billing_entity_id, book)
    whole = _total(lines, taxes, invoice.currency)
    invoice.progressive_billing_credit_amount = progressive_credits.of_lines(lines, invoice.currency)
    invoice.fees_amount = whole.amount.net + invoice.progressive_billing_credit_amount
    invoice.taxes_amount = whole.amount.tax
    invoice.total_amount = whole.amount.gross
    invoice.updated_at = at
    invoice.save(update_fields=[*_SUMS, "updated_at"])
    drafted = _write_lines([(invoice, lines, taxes)], at)[0]
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


def _taxes_of(lines: Sequence[LineSpec], customer_id: int, seller_id: int, book: TaxBook) -> list[tuple[TaxRate, ...]]:
    return [
        # What is prepaid is taxed when it is used.
        ()
        if line.kind == InvoiceLine.Kind.CREDIT
        else book.for_line(customer_id=customer_id, billing_entity_id=seller_id, tax_ids=line.tax_ids)
        for line in lines
    ]


def _total(lines: Sequence[LineSpec], taxes: Sequence[tuple[TaxRate, ...]], currency: str) -> Totals:
    for line in lines:
        line_rows.demand_figures(line)
        line_rows.demand_amounts(f"The line {line.label}", line.amount)
    whole = totals.total(lines=[(line.net, rates) for line, rates in zip(lines, taxes, strict=True)], currency=currency)
    if whole.amount.gross.amount < 0:
        raise UnableToDraft("negative_total", f"An invoice cannot come to {whole.amount.gross}.")
    fees = whole.amount.net + progressive_credits.of_lines(lines, currency)
    line_rows.demand_amounts("The invoice", fees, whole.amount.net, whole.amount.tax, whole.amount.gross)
    return whole


def _invoice(spec: InvoiceSpec, parties: _Parties, whole: Totals, at: datetime) -> Invoice:
    customer, seller = parties.customers[spec.customer_id], parties.sellers[spec.billing_entity_id]
    term = seller.net_payment_term if customer.net_payment_term is None else customer.net_payment_term
    grace = seller.invoice_grace_period if customer.invoice_grace_period is None else customer.invoice_grace_period
    dates = issuing.plan(billed_at=spec.billed_at, timezone=spec.timezone, grace_days=grace, term_days=term)
    credited = progressive_credits.of_lines(spec.lines, spec.currency)
    return Invoice(
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
        billed_at=spec.billed_at,
        finalize_after=dates.finalize_after,
        issuing_date=dates.issuing_date,
        payment_due_date=dates.payment_due_date,
    )


def _write_lines(
    wanted: Sequence[tuple[Invoice, Sequence[LineSpec], Sequence[tuple[TaxRate, ...]]]], at: datetime
) -> list[Drafted]:
    taxed = [
        (invoice, [(spec, tax.on_line(net=spec.net, taxes=rates)) for spec, rates in zip(specs, taxes, strict=True)])
        for invoice, specs, taxes in wanted
    ]
    rows = [
        [_line(invoice, position, spec, taxes, at) for position, (spec, taxes) in enumerate(lines, start=1)]
        for invoice, lines in taxed
    ]
    InvoiceLine.objects.bulk_create([line for lines in rows for line in lines], batch_size=_BATCH)
    LineTax.objects.bulk_create(
        [
            line_rows.line_tax(line=line, row=row, at=at)
            for lines, (_, pairs) in zip(rows, taxed, strict=True)
            for line, (_, taxes) in zip(lines, pairs, strict=True)
            for row in taxes.rows
        ],
        batch_size=_BATCH,
    )
    return [Drafted(invoice=invoice, lines=tuple(lines)) for (invoice, _), lines in zip(taxed, rows, strict=True)]


def _line(invoice: Invoice, position: int, spec: LineSpec, taxes: LineTaxes, at: datetime) -> InvoiceLine:
    return line_rows.line(
        spec=spec,
        taxes=taxes,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        at=at,
        invoice=invoice,
        position=position,
    )


def _write_taxes(wanted: Sequence[tuple[Invoice, Totals]], at: datetime) -> None:
    InvoiceTax.objects.bulk_create(
        [
            InvoiceTax(
                created_at=at,
                invoice=invoice,
                tax_id=group.tax.id,
                tax_code=group.tax.code,
                tax_name=group.tax.name,
                tax_description=group.tax.description,
                rate=group.tax.rate,
                currency=invoice.currency,
                base_amount=group.base,
                amount=group.amount,
            )
            for invoice, whole in wanted
            for group in whole.groups
        ],
        batch_size=_BATCH,
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
