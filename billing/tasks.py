"""Background work of this app: billing runs, the days on which subscriptions begin and end, drafts whose grace is over.

Each task makes one service call. All of them may run any number of times: what is done is known by its rows.
"""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from billing.services import runs, subscription_moves
from config.kernel import actors, jobs
from invoicing.services import invoices

jobs.register(
    jobs.PeriodicJob(
        name="billing",
        service="billing.services.runs.run_scheduled",
        task="billing.tasks.run_billing",
        minutes="10",
        description="Bills every subscription whose billing day has come in its customer's time zone.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="activate_pending",
        service="billing.services.subscription_moves.activate_pending",
        task="billing.tasks.activate_pending",
        minutes="*/5",
        description="Starts subscriptions whose day has come.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="terminate_ended",
        service="billing.services.subscription_moves.terminate_ended",
        task="billing.tasks.terminate_ended",
        minutes="5",
        description="Terminates subscriptions whose agreed end has come, and makes their last invoices.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="trial_ended",
        service="billing.services.subscription_moves.end_trials",
        task="billing.tasks.end_trials",
        minutes="35",
        description="Ends trials, and bills the fee of plans paid in advance from then on.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="finalize",
        service="invoicing.services.invoices.finalize_due",
        task="billing.tasks.finalize_drafts",
        minutes="20",
        description="Computes drafts whose grace period is over anew and issues them.",
    )
)


@shared_task(name="billing.tasks.run_billing")
def run_billing(**_: Any) -> None:
    """Bill what is due now."""
    runs.run_scheduled(as_of=timezone.now())


@shared_task(name="billing.tasks.start_run")
def start_run(*, user_id: int | None, label: str, **_: Any) -> None:
    """Bill what is due now, because a person asked for it."""
    person = actors.Actor(kind="user", label=label, user_id=user_id)
    runs.run(as_of=timezone.now(), trigger=f"started by {label}", actor=person)


@shared_task(name="billing.tasks.activate_pending")
def activate_pending(**_: Any) -> None:
    """Start what begins today."""
    subscription_moves.activate_pending(as_of=timezone.now())


@shared_task(name="billing.tasks.terminate_ended")
def terminate_ended(**_: Any) -> None:
    """End what has come to its agreed end."""
    subscription_moves.terminate_ended(as_of=timezone.now())


@shared_task(name="billing.tasks.end_trials")
def end_trials(**_: Any) -> None:
    """End the trials that are over."""
    subscription_moves.end_trials(as_of=timezone.now())


@shared_task(name="billing.tasks.finalize_drafts")
def finalize_drafts(**_: Any) -> None:
    """Issue the drafts whose grace is over."""
    invoices.finalize_due(as_of=timezone.now())
