"""Correcting drafts: lines are adjusted, the draft is computed anew. Owns finding each line again, as the lines of a
draft are new ones each time it is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing.domain import adjusted_trace
from billing.domain.event_corrections import CorrectionIn
from billing.models import RatedCharge
from billing.services import event_corrections, line_adjustments
from billing.services.line_adjustments import Wanted
from config.kernel.actors import Actor
from invoicing.domain import corrections
from invoicing.domain.corrections import Change, Fix, Step
from invoicing.models import Invoice
from invoicing.services import invoices

ZERO = Decimal(0)


@transaction.atomic
def adjust(*, invoice: Invoice, step: Step, fixes: Mapping[int, Fix], reason: str, actor: Actor, at: datetime) -> None:
    """Set the lines of a draft as they are right. Raises NotAdjustable for a line of no subscription, and what
    adjusting raises.
    """
    places = {
        row.line_id: (row.subscription_id, row.item_key, row.from_at)
        for row in RatedCharge.objects.filter(line__invoice=invoice, released_at__isnull=True).defer("trace")
    }
    unknown = [change for change in step.changes if change.line_id not in places]
    if unknown:
        code = "invalid_type_or_status"
        raise adjusted_trace.NotAdjustable(code, f"{unknown[0].label} bills no subscription.", {"fees": [code]})
    for change in step.changes:
        subscription_id, item_key, from_at = places[change.line_id]
        row = RatedCharge.objects.filter(
            line__invoice=invoice,
            subscription_id=subscription_id,
            item_key=item_key,
            from_at=from_at,
            released_at__isnull=True,
        ).first()
        if row is None:
            code = "invalid_type_or_status"
            raise adjusted_trace.NotAdjustable(code, f"{change.label} is not on the draft any more.", {"fees": [code]})
        line_adjustments.adjust(
            line_id=row.line_id, wanted=_wanted(change, fixes[change.line_id]), reason=reason, actor=actor, at=at
        )


@transaction.atomic
def refresh(*, invoice: Invoice, actor: Actor, at: datetime) -> None:
    """Compute a draft anew: with the events, the taxes and the terms of now."""
    invoices.refresh(invoice_id=invoice.pk, actor=actor, at=at)


@transaction.atomic
def correct_usage(*, invoice: Invoice, events: Sequence[CorrectionIn], actor: Actor, at: datetime) -> None:
    """Correct events, and compute a draft anew from all of them. Raises what correcting events raises."""
    event_corrections.correct(corrections=events, actor=actor, at=at)
    refresh(invoice=invoice, actor=actor, at=at)


def _wanted(change: Change, fix: Fix) -> Wanted:
    if fix.not_owed:
        return Wanted(units=ZERO, unit_amount=ZERO)
    if fix.amount is not None:
        units, unit_amount = corrections.edited(change=change)
        return Wanted(units=units, unit_amount=unit_amount)
    return Wanted(units=fix.units, unit_amount=fix.unit_amount)
