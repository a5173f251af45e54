"""The usage that an invoice billed was wrong: correcting the events, and settling what that comes to at once. Owns only
the way from the one to the other; events, late usage and documents have modules of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from billing.domain.event_corrections import CorrectionIn
from billing.domain.late_usage import Decision
from billing.models import BilledPeriod, EventCorrection, LateUsage, LateUsageCheck, UsageEvent
from billing.services import event_corrections, late_usage, late_usage_checks
from config.kernel import money
from config.kernel.actors import Actor
from invoicing.domain import corrections as rules
from invoicing.domain.correction_effects import WAITING, Made, MadeLine
from invoicing.models import Invoice


@transaction.atomic
def correct(
    *,
    invoice: Invoice,
    events: Sequence[CorrectionIn],
    waits: bool,
    given_back_by: str,
    reason: str,
    actor: Actor,
    at: datetime,
) -> list[Made]:
    """Correct events that an issued invoice billed, rate its time anew, and settle the difference; return what waits.

    What is owed is billed by the next invoice where it ``waits``, else by one of its own; what is the customer's is
    credited on the lines that billed it. What else came late for the same prices is settled with it, as there is one
    sum of all events. The caller holds the locks of the customer and the invoice. Raises InvalidCorrection where the
    invoice billed none of the events (`event_not_found`) or nothing changes (`nothing_to_correct`), what correcting
    events raises, and what deciding about late usage raises.
    """
    done = event_corrections.correct(corrections=events, actor=actor, at=at)
    periods = _periods(invoice, done)
    if not periods:
        message = "The invoice bills no usage of the time of these events."
        raise rules.InvalidCorrection("event_not_found", message, {"events": ["event_not_found"]})
    waiting: list[Made] = []
    settled = 0
    for period in periods:
        before = {row.pk: row.amount for row in LateUsage.objects.filter(period=period, state=LateUsage.State.HELD)}
        check, _ = LateUsageCheck.objects.get_or_create(period=period, defaults={"created_at": at})
        held = late_usage_checks.check(check_id=check.pk, at=at)
        rows = [row for row in held if before.get(row.pk) != row.amount]
        if not rows:
            continue
        settled += len(rows)
        total = sum((row.amount for row in rows), money.zero(rows[0].currency))
        decision = Decision.BILL if waits and total.amount > 0 else Decision.CORRECT
        late_usage.decide_together(
            rows=rows, decision=decision, given_back_by=given_back_by or rules.CREDIT, reason=reason, actor=actor, at=at
        )
        if decision is Decision.BILL:
            waiting.append(_waiting(rows))
    if not settled:
        message = "The invoice comes to the same with the events corrected."
        raise rules.InvalidCorrection("nothing_to_correct", message, {"events": ["nothing_to_correct"]})
    return waiting


def _periods(invoice: Invoice, done: Sequence[EventCorrection]) -> list[BilledPeriod]:
    """Return the billed times of an invoice in which a corrected event is, or the one that took its place."""
    moments = defaultdict(set)
    for row in done:
        moments[row.external_subscription_id].add(row.event_timestamp)
        amended = UsageEvent.objects.filter(
            external_subscription_id=row.external_subscription_id, transaction_id=row.transaction_id
        )
        moments[row.external_subscription_id] |= set(amended.values_list("timestamp", flat=True))
    billed = BilledPeriod.objects.filter(
        invoice=invoice, released_at__isnull=True, subscription__external_id__in=moments
    ).select_related("subscription")
    return [
        period
        for period in billed.order_by("pk")
        if any(
            period.charges_from_at <= moment < period.charges_to_at
            for moment in moments[period.subscription.external_id]
        )
    ]


def _waiting(rows: Sequence[LateUsage]) -> Made:
    total = sum((row.amount for row in rows), money.zero(rows[0].currency))
    nothing = money.zero(rows[0].currency)
    lines = tuple(
        MadeLine(str(row.charge), row.total_units - row.settled_units, row.amount.amount, row.amount) for row in rows
    )
    return Made(WAITING, total, nothing, total, nothing, nothing, nothing, nothing, nothing, lines=lines)
