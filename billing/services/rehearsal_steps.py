"""What comes to pass until a day that is to come: starts, resumes, ends of trials, ends. Owns letting it happen in a
play for some customers, so that a run of that day can be rehearsed. What happens is the verbs'.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from billing.domain import forecast_steps
from billing.domain.forecast_steps import Step, StepKind
from billing.models import Subscription
from billing.queries import subscriptions as known
from billing.services import billing_days, contract_days, forecasts, pauses, subscriptions, terminations, trials
from config.kernel.actors import Actor

MOST_STEPS = 120
"""So many steps of one customer are played; what comes after them is billed as if nothing else came to pass."""

_FARTHEST = timedelta(days=1)
Status = Subscription.Status


def moving(*, customer_ids: Collection[int], until: datetime) -> list[int]:
    """Return those of the customers of whom something else than a billing day comes to pass until then."""
    latest = until + _FARTHEST
    rows = Subscription.objects.filter(customer_id__in=customer_ids).filter(
        Q(status=Status.PENDING, previous__isnull=True, subscription_at__lte=latest)
        | Q(status=Status.PAUSED, change_date__lte=latest.date())
        | Q(status__in=[Status.ACTIVE, Status.PAUSED], ending_at__lte=until)
        | Q(status=Status.ACTIVE, trial_ended_at__isnull=True, trial_ends_at__lte=until)
    )
    return sorted(set(rows.values_list("customer_id", flat=True)))


def play(*, customer_id: int, at: datetime, until: datetime, actor: Actor) -> list[int]:
    """Let all that is agreed for a customer come to pass in its order, up to an instant, and bill each billing day that
    goes before. Return the ids of the invoices that billing days made, not those of starts and ends. Needs a
    transaction, which the caller undoes. Raises what the verbs and billing raise.
    """
    made: list[int] = []
    clock, done = at, set[tuple[int, Step]]()
    for _ in range(MOST_STEPS):
        found = _next(customer_id, clock, until, done)
        if found is None:
            break
        subscription, step = found
        done.add((subscription.pk, step))
        clock = max(clock, step.at)
        outcome = billing_days.bill_customers(
            customer_ids=[customer_id], as_of=clock, catch_up=settings.BILLING_CATCH_UP, actor=actor
        )
        made += [invoice.pk for invoice in outcome.invoices]
        if subscription.contract_item is not None:
            contract_days.move_on(contract_id=subscription.contract_item.contract_id, actor=actor, at=clock)
        _do(subscription.pk, step.kind, clock, actor)
    return made


def _next(
    customer_id: int, clock: datetime, until: datetime, done: set[tuple[int, Step]]
) -> tuple[Subscription, Step] | None:
    rows = Subscription.objects.filter(customer_id=customer_id).filter(
        Q(status__in=[Status.ACTIVE, Status.PAUSED]) | Q(status=Status.PENDING, previous__isnull=True)
    )
    soonest: tuple[Subscription, Step] | None = None
    for row in known.with_contract(rows).order_by("pk"):
        own = {step for pk, step in done if pk == row.pk}
        step = forecast_steps.next_step(forecasts.moves_of(row), clock=clock, done=own)
        if step is None or step.at > until:
            continue
        if soonest is None or (step.at, step.kind) < (soonest[1].at, soonest[1].kind):
            soonest = row, step
    return soonest


def _do(pk: int, kind: StepKind, clock: datetime, actor: Actor) -> None:
    if not Subscription.objects.filter(pk=pk, status__in=[Status.ACTIVE, Status.PAUSED, Status.PENDING]).exists():
        return
    if kind is StepKind.START:
        subscriptions.activate(subscription_id=pk, actor=actor, at=clock)
    elif kind is StepKind.RESUME:
        pauses.resume_as_agreed(subscription_id=pk, actor=actor, at=clock)
    elif kind is StepKind.END:
        terminations.end_as_agreed(subscription_id=pk, actor=actor, at=clock)
    elif kind is StepKind.TRIAL_END:
        trials.end(subscription_id=pk, actor=actor, at=clock)
