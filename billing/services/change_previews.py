"""What a change of plan or an end would make at the time that was chosen for it: played at the clock of that day, with
the billing days in between, and undone. Owns the play; what is billed is decided by the verbs and `billing_days`.

Other subscriptions of the customer are billed along as they are now, as a run would. Nothing stays: no row, no number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import models, transaction

from billing.domain import plan_changes as rules
from billing.models import BilledPeriod, Subscription
from billing.queries import contracts
from billing.queries import subscriptions as known
from billing.services import billing_days, plan_changes, terminations, trials
from config.kernel import actors, dates, errors
from config.platform.services import outbox
from invoicing.models import CreditNote, Invoice
from invoicing.services import invoices

Status = Subscription.Status
Verb = Callable[[], Subscription]

_ACTOR = actors.job("preview")
_BEFORE = timedelta(seconds=1)
# Each billing day in between is played: nobody waits for those of a century.
_FURTHEST = timedelta(days=10 * 366)


@dataclass(frozen=True)
class Played:
    """What would be made: at ``takes_effect_at`` by the change or end itself, then by the next billing day after it.

    Invoices come with their lines, credit notes with their amounts; the rows exist no more. ``subscription`` is what
    runs then, or has ended; ``billed_next_on`` is its local day, nothing after an end.
    """

    subscription: Subscription
    takes_effect_at: datetime
    takes_effect_on: date
    invoices: tuple[Invoice, ...]
    credit_notes: tuple[CreditNote, ...]
    billed_next_on: date | None = None
    next_invoices: tuple[Invoice, ...] = ()


class _Undo(Exception):
    """Ends a play, so that nothing of it stays."""


def of_change(*, subscription: Subscription, verb: Verb, at: datetime) -> Played:
    """Play a change of plan that is done or scheduled by ``verb`` at the instant ``at``, and its first billing day.

    Where the subscription ends before as agreed, the end is played: the change never comes. Raises Invalid
    (`too_far_away`) for more than ten years, and what the verb and billing raise.
    """
    return _undone(lambda: change(subscription=subscription, verb=verb, at=at))


def of_end(*, subscription: Subscription, verb: Verb, at: datetime) -> Played:
    """Play an end that is done or agreed on by ``verb`` at the instant ``at``.

    Raises Invalid (`too_far_away`) for more than ten years, and what the verb and billing raise.
    """
    return _undone(lambda: end(subscription=subscription, verb=verb, at=at))


def _undone(play: Callable[[], Played]) -> Played:
    found: list[Played] = []
    try:
        with outbox.silence(), transaction.atomic():
            found.append(play())
            raise _Undo
    except _Undo:
        return found[0]


def change(*, subscription: Subscription, verb: Verb, at: datetime) -> Played:
    """Play what `of_change` plays, and leave undoing it to the caller's transaction."""
    since = _marks(subscription)
    running = verb()
    waiting = plan_changes.pending(running)
    moment = at
    if waiting is not None and waiting.change_date is not None and running.pk == subscription.pk:
        schedule = contracts.schedule_of(running)
        moment = rules.takes_effect_at(schedule, day=waiting.change_date)
        if running.ending_at is not None and running.ending_at <= moment:
            return _ended(subscription, running.ending_at, at)
        _pass(subscription.customer_id, since=at, until=moment)
        since = _marks(subscription)
        _bill(subscription.customer_id, moment)
        running = waiting
    running = _again(running.pk)
    made = _made(since, {subscription.pk, running.pk})
    since, day = _marks(subscription), running.next_billing_date
    if running.status != Status.ACTIVE or day is None:
        return _played(running, moment, made)
    _bill_next(running, day)
    later = _made(since, {running.pk})
    return _played(running, moment, made, day, later[0])


def end(*, subscription: Subscription, verb: Verb, at: datetime) -> Played:
    """Play what `of_end` plays, and leave undoing it to the caller's transaction."""
    since = _marks(subscription)
    ended = verb()
    if ended.status == Status.ACTIVE and ended.ending_at is not None:
        return _ended(subscription, ended.ending_at, at)
    ended = _again(ended.pk)
    return _played(ended, ended.terminated_at or at, _made(since, {subscription.pk, ended.pk}))


def _ended(subscription: Subscription, moment: datetime, at: datetime) -> Played:
    """Play an end that is agreed on."""
    _pass(subscription.customer_id, since=at, until=moment)
    # A change of plan that waited has come by then: what follows is what ends.
    current = known.living(subscription.external_id) or subscription
    since = _marks(subscription)
    ended = terminations.end_as_agreed(subscription_id=current.pk, actor=_ACTOR, at=moment)
    ended = _again(ended.pk)
    return _played(ended, ended.terminated_at or moment, _made(since, {subscription.pk, ended.pk}))


def _bill_next(running: Subscription, day: date) -> None:
    clock = dates.start_of_day(day, dates.zone(running.customer.applicable_timezone))
    if running.ending_at is not None and running.ending_at <= clock:
        terminations.end_as_agreed(subscription_id=running.pk, actor=_ACTOR, at=running.ending_at)
    else:
        _bill(running.customer_id, clock)


def _pass(customer_id: int, *, since: datetime, until: datetime) -> None:
    """Let the time until an instant pass: its billing days are billed, trials end, and drafts whose grace is over are
    issued.
    """
    if until - since > _FURTHEST:
        raise errors.Invalid("too_far_away", "A preview reaches ten years at most.")
    last = until - _BEFORE
    billing_days.bill_customers(customer_ids=[customer_id], as_of=last, catch_up=True, actor=_ACTOR)
    in_trial = known.in_ended_trials(as_of=last).filter(customer_id=customer_id).order_by("pk")
    for subscription_id in list(in_trial.values_list("pk", flat=True)):
        trials.end(subscription_id=subscription_id, actor=_ACTOR, at=last)
    drafts = Invoice.objects.filter(customer_id=customer_id, status=Invoice.Status.DRAFT, finalize_after__lte=last)
    ids = list(drafts.order_by("pk").values_list("pk", flat=True))
    if ids:
        invoices.finalize_many(invoice_ids=ids, actor=_ACTOR, at=last)


def _bill(customer_id: int, at: datetime) -> None:
    billing_days.bill_customers(customer_ids=[customer_id], as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=_ACTOR)


def _again(subscription_id: int) -> Subscription:
    rows = known.with_contract(Subscription.objects.filter(pk=subscription_id))
    return rows.get()


def _marks(subscription: Subscription) -> tuple[int, int]:
    of_customer = {"customer_id": subscription.customer_id}
    return _last(Invoice.objects.filter(**of_customer)), _last(CreditNote.objects.filter(**of_customer))


def _last(rows: models.QuerySet[Invoice] | models.QuerySet[CreditNote]) -> int:
    found: int | None = rows.order_by("-pk").values_list("pk", flat=True).first()
    return found or 0


def _made(
    since: tuple[int, int], subscription_ids: Collection[int]
) -> tuple[tuple[Invoice, ...], tuple[CreditNote, ...]]:
    last_invoice, last_note = since
    own = BilledPeriod.objects.filter(subscription_id__in=subscription_ids).values("invoice_id")
    found = Invoice.objects.filter(pk__gt=last_invoice, pk__in=own).order_by("pk").prefetch_related("lines")
    notes = CreditNote.objects.filter(pk__gt=last_note, invoice_id__in=own).order_by("pk")
    return tuple(found), tuple(notes)


def _played(
    subscription: Subscription,
    moment: datetime,
    made: tuple[tuple[Invoice, ...], tuple[CreditNote, ...]],
    billed_next_on: date | None = None,
    next_invoices: tuple[Invoice, ...] = (),
) -> Played:
    zone = dates.zone(subscription.customer.applicable_timezone)
    return Played(
        subscription=subscription,
        takes_effect_at=moment,
        takes_effect_on=dates.local_date(moment, zone),
        invoices=made[0],
        credit_notes=made[1],
        billed_next_on=billed_next_on,
        next_invoices=next_invoices,
    )
