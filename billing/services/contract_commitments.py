"""Commitments over a term, settled when the term is over: what was not bought is billed once, on an invoice of its own.

Owns when that is and the rows of it; the sum is `term_commitments`', the lines that count are `contract_lines`'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from moneyed import Money

from billing.domain import contract_trace, identity, term_commitments, trace
from billing.domain.contract_terms import Span
from billing.domain.contract_trace import CountedInvoice
from billing.domain.term_commitments import Committed
from billing.models import Contract, ContractCommitment, RatedCharge, Subscription
from billing.queries import contract_lines
from billing.queries.contract_lines import BilledLine
from billing.services import contract_rows
from config.kernel import db, money
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.domain.specs import InvoiceSpec, LineSpec
from invoicing.services import invoices

LABEL = "Commitment – True-up"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a commitment is, in major units rounded to the currency: owed, billed, and what is to be expected."""

    due: Decimal
    billed: Decimal
    forecast: Decimal
    missing: Decimal


def committed(commitment: ContractCommitment) -> Committed:
    """Return a commitment as the sum takes it."""
    whole = Span(commitment.starts_on, commitment.ends_on)
    span = whole if commitment.cut_on is None else Span(commitment.starts_on, commitment.cut_on)
    return Committed(amount=commitment.amount.amount, span=span, of=whole, is_whole=commitment.is_whole)


def progress(*, contract: Contract, commitments: Sequence[ContractCommitment]) -> dict[int, Progress]:
    """Return how far commitments over the term are now, by their keys; what is settled stays what it came to.

    Reads only. One query, where any is not settled.
    """
    spans = [committed(one).span for one in commitments if not _is_settled(one)]
    if not spans:
        return {one.pk: _progress(one, ()) for one in commitments}
    whole = Span(min(span.first for span in spans), max(span.last for span in spans))
    lines = contract_lines.of_contract(contract=contract, span=whole)
    return {one.pk: _progress(one, lines) for one in commitments}


def _is_settled(commitment: ContractCommitment) -> bool:
    figures = commitment.due_amount, commitment.billed_amount
    return commitment.settled_at is not None and None not in figures


def _progress(commitment: ContractCommitment, known: Sequence[BilledLine]) -> Progress:
    currency = commitment.currency
    if commitment.settled_at is not None and commitment.due_amount is not None and commitment.billed_amount is not None:
        due, billed = commitment.due_amount.amount, commitment.billed_amount.amount
        return Progress(due, billed, billed, max(due - billed, Decimal(0)))
    wanted = committed(commitment)
    lines = [line for line in known if line.counted.span.overlap(wanted.span) is not None]
    billed = contract_lines.totals(lines, span=wanted.span)
    last = max((line.counted.span.last for line in lines), default=None)
    expected = term_commitments.forecast(billed=billed, span=wanted.span, last=last)
    figures = wanted.due, billed, expected, term_commitments.missing(due=wanted.due, billed=billed)
    return Progress(*(money.quantize(figure, currency=currency) for figure in figures))


@transaction.atomic
def settle(*, commitment_id: int, actor: Actor, at: datetime) -> ContractCommitment:
    """Bill what is missing of a commitment whose days are over, once all of their time is billed and issued.

    Committed, by its days where it ended early, less the net amounts of the contract's subscriptions for these days,
    less credit notes; rounded once, half up. Where nothing is missing it is settled without a line. Too early, or
    settled already, it is returned as it is: may be called any number of times. The invoice is issued at once, without
    a grace period: the invoices that it follows from are. Raises what drafting raises.
    """
    contract_id = ContractCommitment.objects.values_list("contract_id", flat=True).get(pk=commitment_id)
    contract = contract_rows.locked(contract_id)
    commitment = db.lock_one(ContractCommitment.objects.filter(pk=commitment_id))
    commitment.contract = contract
    wanted = committed(commitment)
    if commitment.settled_at is not None or not _is_ready(contract, wanted.span, at):
        return commitment
    lines = contract_lines.of_contract(contract=contract, span=wanted.span)
    billed = contract_lines.totals(lines, span=wanted.span)
    currency = commitment.currency
    commitment.due_amount = Money(money.quantize(wanted.due, currency=currency), currency)
    commitment.billed_amount = Money(money.quantize(billed, currency=currency), currency)
    commitment.settled_at = at
    precise = term_commitments.missing(due=wanted.due, billed=billed)
    if money.quantize(precise, currency=currency):
        _bill(contract, commitment, wanted, precise, lines, actor, at)
    commitment.save(update_fields=["due_amount", "billed_amount", "settled_at", "line"])
    audit.record(
        actor=actor,
        at=at,
        verb="settle_commitment",
        instance=contract,
        new={
            "commitment": str(commitment),
            "due_cents": money.to_minor(commitment.due_amount),
            "billed_cents": money.to_minor(commitment.billed_amount),
        },
    )
    return commitment


def _is_ready(contract: Contract, span: Span, at: datetime) -> bool:
    if contract_rows.today(contract, at) <= span.last:
        return False
    return contract_lines.is_billed(contract=contract, span=span) and not contract_lines.has_drafts(
        contract=contract, span=span
    )


def _bill(
    contract: Contract,
    commitment: ContractCommitment,
    wanted: Committed,
    precise: Decimal,
    lines: Sequence[BilledLine],
    actor: Actor,
    at: datetime,
) -> None:
    currency, customer = commitment.currency, contract.customer
    subscription = Subscription.objects.filter(contract_item__contract=contract).order_by("pk")[0]
    time = contract_lines.period(contract, wanted.span)
    spec = LineSpec(
        kind="commitment",
        item_code=contract.number,
        item_name=contract.name,
        label=commitment.invoice_name or LABEL,
        units=Decimal(1),
        unit_amount=precise,
        precise_amount=precise,
        amount=Money(money.quantize(precise, currency=currency), currency),
        from_at=time.start,
        to_at=time.end,
        group_key=contract.number,
        group_label=f"{contract.number} {contract.name}"[:255],
        tax_ids=tuple(commitment.taxes.order_by("pk").values_list("pk", flat=True)),
    )
    invoice = InvoiceSpec(
        customer_id=customer.pk,
        billing_entity_id=customer.billing_entity_id,
        currency=currency,
        timezone=customer.applicable_timezone,
        billed_at=at,
        lines=(spec,),
        purchase_order_number=contract.purchase_order_number,
    )
    (draft,) = invoices.draft_many(specs=[invoice], actor=actor, at=at)
    (line,) = draft.lines
    written = contract_trace.written(
        subscription_id=str(subscription.uuid),
        contract_id=str(contract.uuid),
        contract_number=contract.number,
        currency=currency,
        committed=wanted,
        period=time,
        timezone=customer.applicable_timezone,
        counted=_by_invoice(lines, wanted.span),
        line_ids=[one.line_id for one in lines],
    )
    RatedCharge.objects.create(
        created_at=at,
        subscription=subscription,
        line=line,
        item_key=identity.term_commitment_key(commitment_id=str(commitment.uuid)),
        from_at=time.start,
        to_at=time.end,
        trace=written,
        trace_sha256=trace.digest(written),
    )
    commitment.line = line
    invoices.finalize_many(invoice_ids=[draft.invoice.pk], actor=actor, at=at)


def _by_invoice(lines: Sequence[BilledLine], span: Span) -> list[CountedInvoice]:
    found: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for line in lines:
        found[line.subscription, line.invoice].append(line.counted.within(span))
    return [
        CountedInvoice(subscription, invoice, len(amounts), sum(amounts, Decimal(0)))
        for (subscription, invoice), amounts in found.items()
    ]
