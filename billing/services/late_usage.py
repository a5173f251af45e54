"""Late usage: finding what came for billed time, and deciding about its money. Owns the periodic job, the decisions and
the policies; rating it is `late_usage_checks`', invoice lines are `late_usage_lines`'.

Nothing slips through, whichever way events came: a period notes before it is rated which transactions were over by
then, and this looks at all events that were written since. No clock is asked.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from billing.domain import late_usage as rules
from billing.domain.late_usage import Decision, Terms
from billing.models import BilledPeriod, LateUsage, LateUsageCheck, LateUsageCursor, Subscription
from billing.queries import late_usage_arrivals, late_usage_marks
from billing.services import late_usage_checks, late_usage_corrections
from config.kernel import actors, db, errors, money
from config.kernel.actors import Actor
from config.platform.queries import installation
from config.platform.services import audit
from customers.models import Customer

log = logging.getLogger(__name__)

_PAGE = 500

# Sets of any size stay in the database.
_MARK_CHECKED = f"""
WITH marked AS (
    UPDATE billing_billedperiod SET late_checked = true WHERE id IN ({late_usage_arrivals.UNCHECKED})
    RETURNING usage_horizon
)
SELECT min(usage_horizon) FROM marked
"""  # noqa: S608 - put together from pieces of the product

_ENQUEUE = f"""
INSERT INTO billing_lateusagecheck (uuid, created_at, period_id, error)
SELECT gen_random_uuid(), %(at)s, found.id, '' FROM ({late_usage_arrivals.CHANGED}) AS found
ON CONFLICT (period_id) DO UPDATE SET created_at = excluded.created_at
"""  # noqa: S608 - put together from pieces of the product


class LateUsageNotFound(errors.NotFound):
    """There is no such entry."""


class NoNextInvoice(errors.Invalid):
    """Nothing of the customer is billed any more that the entry could go with."""


@dataclass(frozen=True)
class Looked:
    """What a look came to: billed periods that events came for, entries that are held by now, what failed by period."""

    periods: int
    held: int
    failed: dict[int, str]


def run(*, as_of: datetime) -> Looked:
    """Find events that came for billed time, bring the inbox up to date and do what the policies say: the periodic job.

    Looks only at what was written since the last time, and at periods that were issued since; the first time, and after
    a restore, at everything. Each period is a transaction of its own: what was looked at stays so when a run is
    interrupted, and the next one goes on. May be called any number of times; several at once share the work. A period
    that cannot be rated is told, kept and tried again. Memory does not grow with the number of periods.
    """
    look(at=as_of)
    done, held, failed = 0, 0, {}
    for check_id, period_id in _checks():
        try:
            with transaction.atomic():
                rows = late_usage_checks.check(check_id=check_id, at=as_of)
                held += len(rows) - _by_policy(rows, at=as_of)
            done += 1
        except Exception as error:  # whatever one period fails by must not keep the others from being looked at
            log.exception("billed period %s could not be looked at for late usage", period_id)
            failed[period_id] = str(error)
            LateUsageCheck.objects.filter(pk=check_id).update(error=str(error))
    return Looked(done, held, failed)


def _checks() -> Iterator[tuple[int, int]]:
    """Yield what waits to be looked at, page by page, and tell the progress of a long run."""
    after = seen = 0
    while page := list(
        LateUsageCheck.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "period_id")[:_PAGE]
    ):
        if seen:
            log.info("late usage: %s billed periods were looked at, %s wait", seen, LateUsageCheck.objects.count())
        yield from page
        after, seen = page[-1][0], seen + len(page)


@transaction.atomic
def look(*, at: datetime) -> int:
    """Note the billed periods that events came for since the last look; return how many they are. One look at a time.

    After a restore from a dump transactions are numbered anew: then everything is looked at once more.
    """
    LateUsageCursor.objects.get_or_create(singleton=True)
    cursor = LateUsageCursor.objects.select_for_update(no_key=True).get(singleton=True)
    horizon = late_usage_marks.horizon()
    if horizon < cursor.position:
        BilledPeriod.objects.update(usage_horizon=0, late_checked=False)
        LateUsage.objects.update(horizon=0)
    # Marked first: what is issued while this looks stays unmarked, and is looked at by the next one.
    oldest = _mark_checked()
    position = cursor.position if horizon >= cursor.position else 0
    found = _enqueue(since=position if oldest is None else min(position, oldest), at=at)
    cursor.position = horizon
    cursor.save(update_fields=["position"])
    return found


def _mark_checked() -> int | None:
    """Note that the issued periods are being looked at; return the lowest mark that any of them was rated by."""
    with connection.cursor() as statement:
        statement.execute(_MARK_CHECKED, {"issued": list(late_usage_arrivals.ISSUED)})
        (oldest,) = statement.fetchone()
    return None if oldest is None else int(oldest)


def _enqueue(*, since: int, at: datetime) -> int:
    with connection.cursor() as statement:
        statement.execute(_ENQUEUE, {"at": at, "since": since, "issued": list(late_usage_arrivals.ISSUED)})
        return int(statement.rowcount)


@transaction.atomic
def decide(*, entry_id: int, decision: Decision, reason: str, actor: Actor, at: datetime) -> LateUsage:
    """Decide about a held entry, once: bill it with the next invoice, correct it now, or waive it.

    A correction of what is owed is an invoice of its own, issued at once; what is the customer's is credited. What
    waits for an invoice may still be corrected or waived. Raises LateUsageNotFound, AlreadyDecided, NoNextInvoice,
    Invalid without a reason, and what invoicing raises; nothing is changed
    then. Takes the lock of the customer.
    """
    if not reason.strip():
        raise errors.Invalid("validation_errors", "Say why.", {"reason": ["value_is_mandatory"]})
    customer_id = (
        LateUsage.objects.filter(pk=entry_id).values_list("subscription__customer_id", flat=True).order_by().first()
    )
    if customer_id is None:
        raise LateUsageNotFound("late_usage_not_found", "There is no such late usage.")
    db.lock_one(Customer.objects.filter(pk=customer_id))
    row = db.lock_one(LateUsage.objects.filter(pk=entry_id))
    _decide([row], decision, reason=reason.strip(), actor=actor, at=at)
    return row


@transaction.atomic
def decide_together(
    *,
    rows: Sequence[LateUsage],
    decision: Decision,
    reason: str,
    actor: Actor,
    at: datetime,
    given_back_by: str = "",
) -> None:
    """Decide about held entries of one subscription and period by the same documents; see `decide`.

    ``given_back_by`` says how a correction gives back what is the customer's: as credit, or as a refund, of what was
    paid; what is due is lowered first. The caller holds the lock of the customer.
    """
    _decide(rows, decision, reason=reason, actor=actor, at=at, given_back_by=given_back_by)


@transaction.atomic
def set_policy(
    *, subscription_id: int, policy: str, waive_below: Decimal | None, actor: Actor, at: datetime
) -> Subscription:
    """Agree on what happens to late usage of a subscription; an empty policy leaves it to the installation's.

    ``waive_below`` is in major units of the plan's currency. What is held already stays held. Raises Invalid.
    """
    db.lock_one(Customer.objects.filter(subscriptions=subscription_id))
    row = db.lock_one(Subscription.objects.filter(pk=subscription_id))
    if policy not in Subscription.LateUsagePolicy.values:
        raise errors.Invalid("validation_errors", "", {"late_usage_policy": ["value_is_invalid"]})
    below = demand_limit(policy=policy, waive_below=waive_below)
    old = {"late_usage_policy": row.late_usage_policy, "late_usage_waive_below": row.late_usage_waive_below}
    new = {"late_usage_policy": policy, "late_usage_waive_below": below}
    if old != new:
        row.late_usage_policy, row.late_usage_waive_below, row.updated_at = policy, below, at
        row.save(update_fields=["late_usage_policy", "late_usage_waive_below", "updated_at"])
        audit.record(actor=actor, at=at, verb="set late usage policy", instance=row, old=old, new=new)
    return row


def demand_limit(*, policy: str, waive_below: Decimal | None) -> Decimal | None:
    """Return the limit below which a policy waives, nothing for other policies. Raises Invalid where it is missing."""
    if policy != rules.Policy.WAIVE:
        return None
    if waive_below is None or not 0 < waive_below < 10**16:
        code = "value_is_mandatory" if waive_below is None else "value_is_out_of_range"
        raise errors.Invalid("validation_errors", "", {"late_usage_waive_below": [code]})
    return money.round_half_up(waive_below, 4)


def _by_policy(rows: Sequence[LateUsage], *, at: datetime) -> int:
    """Do what the policies say about held entries, those of a charge together; return how many were decided."""
    groups: dict[int, list[LateUsage]] = defaultdict(list)
    for row in rows:
        groups[row.charge_id].append(row)
    done = 0
    for some in groups.values():
        agreed = _terms(some[0].subscription)
        net = sum((row.amount.amount for row in some), Decimal(0))
        decision = rules.by_policy(agreed=agreed, net=net)
        if decision is None:
            continue
        try:
            with transaction.atomic():
                reason = f"The policy for late usage: {agreed.policy}."
                _decide(some, decision, reason=reason, actor=actors.job("late_usage"), at=at)
            done += len(some)
        except errors.DomainError as refusal:
            LateUsage.objects.filter(pk__in=[row.pk for row in some]).update(note=refusal.message[:255])
    return done


def _terms(subscription: Subscription) -> Terms:
    general, general_below = installation.late_usage_policy()
    return rules.terms(
        own=subscription.late_usage_policy,
        own_below=subscription.late_usage_waive_below,
        general=general,
        general_below=general_below,
    )


def _demand_next_invoice(row: LateUsage) -> None:
    """Raise NoNextInvoice where the customer has no billing day to come in the currency."""
    coming = Subscription.objects.filter(
        customer_id=row.subscription.customer_id,
        next_billing_date__isnull=False,
        plan_version__currency=row.currency,
    )
    if not coming.exists():
        message = f"The customer has no billing day in {row.currency} to come: correct it now instead."
        raise NoNextInvoice("no_next_invoice", message)


def _decide(
    rows: Sequence[LateUsage],
    decision: Decision,
    *,
    reason: str,
    actor: Actor,
    at: datetime,
    given_back_by: str = "",
) -> None:
    old = {row.pk: row.state for row in rows}
    for row in rows:
        row.state = rules.after(state=row.state, decision=decision, is_billed=row.line_id is not None)
        row.reason, row.decided_by, row.decided_at, row.updated_at, row.note = reason, actor.label, at, at, ""
    if decision is Decision.BILL:
        _demand_next_invoice(rows[0])
    if decision is Decision.CORRECT:
        late_usage_corrections.correct(rows=rows, given_back_by=given_back_by, actor=actor, at=at)
    else:
        for row in rows:
            row.save(update_fields=["state", "reason", "decided_by", "decided_at", "updated_at", "note"])
    notes = [
        audit.Note(
            instance=row,
            verb=decision.value,
            old={"state": str(old[row.pk])},
            new={"state": str(row.state), "amount_cents": money.to_minor(row.amount), "currency": row.currency},
            reason=reason,
        )
        for row in rows
    ]
    audit.record_many(actor=actor, at=at, notes=notes)
