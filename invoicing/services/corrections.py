"""Making the documents of a correction, and writing down that it was done. Owns the steps of issued invoices; drafts,
usage and next invoices are whoever bills them's. What is made is decided by `invoicing.domain.corrections`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from moneyed import Money

from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.domain import correction_effects, corrections
from invoicing.domain.correction_effects import Effect
from invoicing.domain.corrections import Change, Kind, Line, Plan, Step
from invoicing.domain.specs import InvoiceSpec
from invoicing.models import (
    CorrectedLine,
    Correction,
    CorrectionDocument,
    CreditNote,
    Invoice,
    InvoiceLine,
    PaymentAllocation,
)
from invoicing.queries import held_payments as known_held
from invoicing.queries import receivables
from invoicing.queries import voids as known_voids
from invoicing.services import (
    correction_lines,
    credit_notes,
    drafting,
    finalization,
    held_payments,
    regenerating,
    voiding,
)
from invoicing.services.regenerating import LineEdit
from invoicing.services.voiding import CreditNoteParts

_SAME_KIND = (Invoice.Kind.SUBSCRIPTION, Invoice.Kind.ONE_OFF)


class Outdated(errors.Conflict):
    """The invoice is not any more as it was when the correction was looked at."""


@transaction.atomic
def credit(*, invoice: Invoice, step: Step, given_back_by: str, reason: str, actor: Actor, at: datetime) -> CreditNote:
    """Give back what a locked invoice billed too much, by one credit note: off what is due first.

    Rounded like any credit note; `corrections.split` says where it goes. Raises what crediting raises.
    """
    amounts = {change.line_id: change.net for change in step.changes}
    found = credit_notes.estimate(invoice_id=invoice.pk, amounts=amounts)
    parts = corrections.split(
        total=found.credited.amount.gross, limits=found.limits, given_back_by=given_back_by or corrections.CREDIT
    )
    return credit_notes.create(
        invoice_id=invoice.pk,
        amounts=amounts,
        reason=CreditNote.Reason.OTHER,
        description=reason,
        credit=parts.credit,
        refund=parts.refund,
        offset=parts.offset,
        actor=actor,
        at=at,
    )


@transaction.atomic
def bill(*, invoice: Invoice, step: Step, lines: Mapping[int, Line], actor: Actor, at: datetime) -> Invoice:
    """Bill what a locked invoice billed too little, by an invoice of its own, issued at once.

    It has the terms of the corrected one, its taxes are those of the prices, else the customer's or seller's of now,
    and coupons and credits are taken as by any invoice of its kind. Raises what drafting and issuing raise.
    """
    rows = {row.pk: row for row in _rows(invoice)}
    taxes = correction_lines.taxes(list(rows.values()))
    specs = []
    for change in step.changes:
        units, unit_amount = corrections.difference(change=change, line=lines[change.line_id])
        specs.append(
            correction_lines.spec(
                line=rows[change.line_id],
                number=str(invoice),
                units=units,
                unit_amount=unit_amount,
                amount=change.difference,
                tax_ids=taxes[change.line_id],
            )
        )
    spec = InvoiceSpec(
        kind=invoice.kind if invoice.kind in _SAME_KIND else Invoice.Kind.SUBSCRIPTION,
        customer_id=invoice.customer_id,
        billing_entity_id=invoice.billing_entity_id,
        currency=invoice.currency,
        timezone=invoice.timezone,
        billed_at=at,
        lines=tuple(specs),
        purchase_order_number=invoice.purchase_order_number,
        net_payment_term=invoice.net_payment_term,
        skip_automatic_payment=invoice.skip_automatic_payment,
        custom_section_ids=None if invoice.custom_section_ids is None else tuple(invoice.custom_section_ids),
    )
    [drafted] = drafting.draft_many(specs=[spec], actor=actor, at=at)
    return finalization.finalize(invoice_id=drafted.invoice.pk, actor=actor, at=at)


@transaction.atomic
def replace(*, invoice: Invoice, step: Step, reason: str, actor: Actor, at: datetime) -> Invoice:
    """Void a locked invoice and issue another one in its place, with what the customer and its taxes are now.

    The voided one is settled on paper by a credit note that is voided at once, unless money of wallets paid it: that
    goes back to them and is taken again. What was paid pays the new one, as far as that comes to; the rest is held.
    Raises what voiding, regenerating and issuing raise.
    """
    nothing = money.zero(invoice.currency)
    on_paper = not known_voids.settled(invoice).wallet
    voiding.void(
        invoice_id=invoice.pk,
        reason=reason,
        credit_note=CreditNoteParts(credit=nothing, refund=nothing) if on_paper else None,
        actor=actor,
        at=at,
    )
    issued = regenerating.regenerate(invoice_id=invoice.pk, edits=_edits(invoice, step), actor=actor, at=at)
    _pay(issued, invoice, actor, at)
    return Invoice.objects.get(pk=issued.pk)


@transaction.atomic
def record(
    *,
    invoice: Invoice,
    plan: Plan,
    told: Sequence[Mapping[str, Any]],
    asked: Mapping[str, Any],
    effect: Effect,
    made: tuple[Sequence[Invoice], Sequence[CreditNote]],
    fingerprint: str,
    reason: str,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None = None,
) -> Correction:
    """Write down that an invoice was corrected: what was said, the plan as ``told``, what it did. Not idempotent."""
    row = Correction.objects.create(
        created_at=at,
        invoice=invoice,
        reason=reason,
        made_by=actor.label,
        asked=dict(asked),
        plan=[dict(step) for step in told],
        effect=correction_effects.told(effect),
        fingerprint=fingerprint,
        idempotency_key=idempotency_key or None,
    )
    CorrectedLine.objects.bulk_create(
        CorrectedLine(
            created_at=at,
            correction=row,
            line_id=change.line_id,
            step=step.kind,
            currency=invoice.currency,
            before_amount=change.after - change.difference,
            after_amount=change.after,
            units=change.units,
            unit_amount=change.unit_amount,
        )
        for step, change in _by_line(plan)
    )
    invoices, notes = made
    documents = [CorrectionDocument(created_at=at, correction=row, kind="invoice", invoice=one) for one in invoices]
    documents += [
        CorrectionDocument(created_at=at, correction=row, kind="credit_note", credit_note=one) for one in notes
    ]
    CorrectionDocument.objects.bulk_create(documents)
    new = {
        "steps": [step["kind"] for step in told],
        "documents": [str(one) for one in (*invoices, *notes)],
        "balances": {
            balance.name: [money.to_minor(balance.before), money.to_minor(balance.after)] for balance in effect.balances
        },
    }
    audit.record(actor=actor, at=at, verb="correct", instance=invoice, new=new, reason=reason)
    return row


def _by_line(plan: Plan) -> list[tuple[Step, Change]]:
    """Return the lines of issued invoices with what made them right: what was only dropped with that."""
    found: dict[int, tuple[Step, Change]] = {}
    for step in plan.steps:
        if step.kind is not Kind.ADJUST:
            found |= {change.line_id: (step, change) for change in step.changes}
    return list(found.values())


def _rows(invoice: Invoice) -> list[InvoiceLine]:
    return list(InvoiceLine.objects.filter(invoice=invoice).prefetch_related("applied_taxes").order_by("position"))


def _edits(invoice: Invoice, step: Step) -> dict[int, LineEdit]:
    """Return what is changed of the lines. One that comes to what it came to is not priced anew: it keeps its sum."""
    found = {}
    lines = {row.pk: row for row in _rows(invoice)}
    for change in step.changes:
        units, unit_amount = corrections.edited(change=change)
        if change.own == lines[change.line_id].agreed_amount:
            found[change.line_id] = LineEdit(tax_ids=change.tax_ids)
        else:
            found[change.line_id] = LineEdit(units=units, unit_amount=unit_amount, tax_ids=change.tax_ids)
    return found


def _pay(issued: Invoice, voided: Invoice, actor: Actor, at: datetime) -> None:
    """Let what was paid for the voided invoice, and is held now, pay the one in its place."""
    if issued.status != Invoice.Status.FINALIZED:
        return
    due = receivables.remaining(Invoice.objects.get(pk=issued.pk))
    parts = PaymentAllocation.objects.filter(invoice=voided, release__isnull=False).select_related("payment", "release")
    for part in parts.order_by("pk"):
        amount = min(part.release.amount, known_held.held(part.payment), due)
        if amount.amount > 0:
            held_payments.allocate(
                payment_id=part.payment_id,
                invoice_id=issued.pk,
                amount=Money(amount.amount, issued.currency),
                actor=actor,
                at=at,
            )
            due -= amount
