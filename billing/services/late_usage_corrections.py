"""Correcting late usage at once: what is owed by an invoice of its own, what is the customer's by a credit note. Owns
making these documents; the decision and its record are `late_usage`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from moneyed import Money

from billing.models import LateUsage, RatedCharge
from billing.services import late_usage_lines
from billing.services.late_usage_lines import Placed
from config.kernel import db, errors, money
from config.kernel.actors import Actor
from invoicing.domain import corrections, taxed_lines
from invoicing.domain.specs import InvoiceSpec
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.services import credit_notes, invoices, progressive_credits

_CREDITED = ("state", "reason", "decided_by", "decided_at", "updated_at", "note", "credit_note_id")


class CannotCorrect(errors.Invalid):
    """There is no issued line that could be credited: it stays held."""


@transaction.atomic
def correct(*, rows: Sequence[LateUsage], actor: Actor, at: datetime, given_back_by: str = "") -> None:
    """Correct decided entries of one subscription and period: by one invoice if they come to nothing or more.

    Where they come to less, what is owed of them is invoiced and what is the customer's is credited on the lines that
    billed it: all as credit, or ``given_back_by`` credit or refund beyond what is due. Raises CannotCorrect where there
    is no such line, what invoicing raises where more than a line is left would be credited, and leaves everything as it
    was then.
    """
    related = "subscription__customer", "period", "charge__metric", "charge__plan_version__plan", "charge_filter"
    prefetch_related_objects(rows, *related, "charge__taxes", "charge__plan_version__taxes")
    total = sum((row.amount for row in rows), money.zero(rows[0].currency))
    owed = [row for row in rows if total.amount >= 0 or row.amount.amount > 0]
    if owed:
        _invoice(owed, actor=actor, at=at)
    if total.amount < 0:
        _credit([row for row in rows if row.amount.amount < 0], given_back_by=given_back_by, actor=actor, at=at)


def _invoice(rows: Sequence[LateUsage], *, actor: Actor, at: datetime) -> None:
    first = rows[0]
    customer, own_sections = first.subscription.customer, first.subscription.custom_section_ids
    placed = [Placed(row, row.amount, late_usage_lines.line_of(row=row, part=row.amount)) for row in rows]
    spec = InvoiceSpec(
        customer_id=customer.pk,
        billing_entity_id=first.subscription.seller_id,
        currency=first.currency,
        timezone=first.period.timezone,
        purchase_order_number=first.subscription.purchase_order_number,
        custom_section_ids=own_sections if own_sections is None else tuple(own_sections),
        billed_at=at,
        lines=tuple(one.line for one in placed),
    )
    drafted = invoices.draft_many(specs=[spec], actor=actor, at=at)
    late_usage_lines.record(drafted=[(drafted[0], placed)], at=at)
    invoices.finalize_many(invoice_ids=[drafted[0].invoice.pk], actor=actor, at=at)


def _credit(rows: Sequence[LateUsage], *, given_back_by: str, actor: Actor, at: datetime) -> None:
    by_invoice: dict[int, list[tuple[LateUsage, InvoiceLine]]] = defaultdict(list)
    for row in rows:
        line = _billed_line(row)
        by_invoice[line.invoice_id].append((row, line))
    # All of them first, in the order of their keys: each note also waits for what else the customer is credited.
    db.lock(Invoice.objects.filter(pk__in=by_invoice))
    for invoice_id, pairs in by_invoice.items():
        left = progressive_credits.left_of(invoice_id=invoice_id)
        own: dict[int, Money] = {}
        before = money.zero(rows[0].currency)
        for row, line in pairs:
            # What a progressive invoice billed of the line is credited there.
            less = _net(line, -row.amount)
            part = min(less, left[line.pk]) if line.progressive_credit_amount else less
            own[line.pk] = part
            before += less - part
        notes = [_note(invoice_id, own, given_back_by, actor, at)] if any(own.values()) else []
        notes += progressive_credits.give_back_of(invoice_id=invoice_id, amount=before, actor=actor, at=at)
        for row, _ in pairs:
            row.credit_note_id = notes[0].uuid
            row.save(update_fields=_CREDITED)


def _net(line: InvoiceLine, amount: Money) -> Money:
    """Return what is credited of a line for an amount in the terms of its price, which may include its taxes."""
    net = taxed_lines.net_share(amount=amount.amount, gross=line.tax_inclusive_amount, net=line.amount.amount)
    return Money(money.quantize(net, currency=line.currency), line.currency)


def _note(invoice_id: int, amounts: dict[int, Money], given_back_by: str, actor: Actor, at: datetime) -> CreditNote:
    amounts = {line_id: amount for line_id, amount in amounts.items() if amount}
    parts: dict[str, Any] = {}
    if given_back_by:
        found = credit_notes.estimate(invoice_id=invoice_id, amounts=amounts)
        total = found.credited.amount.gross
        split = corrections.split(total=total, limits=found.limits, given_back_by=given_back_by)
        parts = {"credit": split.credit, "refund": split.refund, "offset": split.offset}
    return credit_notes.create(
        invoice_id=invoice_id,
        amounts=amounts,
        **parts,
        reason="other",
        description="Late usage and corrections of events.",
        actor=actor,
        at=at,
    )


def _billed_line(row: LateUsage) -> InvoiceLine:
    """Return the line that billed the item, else the first one that billed late usage of it."""
    rated = RatedCharge.objects.filter(
        period=row.period, item_key=row.item_key, released_at__isnull=True, event_transaction_id__isnull=True
    )
    found = InvoiceLine.objects.filter(rated_charge__in=rated, invoice__isnull=False).first()
    if found is None:
        late = LateUsage.objects.filter(period=row.period, item_key=row.item_key, line__invoice__status="finalized")
        found = InvoiceLine.objects.filter(late_usage__in=late).order_by("pk").first()
    if found is None:
        raise CannotCorrect("cannot_credit", "No issued invoice has a line of it that could be credited.")
    return found
