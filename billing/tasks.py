"""Background work of this app: billing runs, the days on which subscriptions begin and end, drafts whose grace is over.

Each task makes one service call. All of them may run any number of times: what is done is known by its rows.
"""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from billing.services import (
    advance_events,
    advance_invoices,
    alert_checks,
    books_register,
    contract_days,
    ending_notices,
    event_errors,
    fixed_changes,
    interval_top_ups,
    late_usage,
    ongoing_balances,
    plan_endings,
    plan_migration_runs,
    progressive_billing,
    runs,
    subscription_moves,
)
from config.kernel import actors, jobs
from invoicing.services import invoices

books_register.register()
# Before billing: phases that have come take effect one by one, so that each day is billed by its own prices.
jobs.register(
    jobs.PeriodicJob(
        name="contracts",
        service="billing.services.contract_days.run",
        task="billing.tasks.move_contracts",
        minutes="8",
        description="Begins phases of contracts, renews and ends them, invoices what is prepaid, settles commitments.",
    )
)
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
        name="resume_paused",
        service="billing.services.subscription_moves.resume_paused",
        task="billing.tasks.resume_paused",
        minutes="*/5",
        description="Resumes paused subscriptions whose day has come.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="plan_changes",
        service="billing.services.subscription_moves.settle_plan_changes",
        task="billing.tasks.settle_plan_changes",
        minutes="15",
        description="Changes plans at once where a plan that was to follow later is not cheaper any more.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="plan_migrations",
        service="billing.services.plan_migration_runs.run_due",
        task="billing.tasks.run_plan_migrations",
        minutes="*/5",
        description="Moves the subscriptions of approved migrations to another version of their plan.",
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
        name="plan_deletions",
        service="billing.services.plan_endings.run",
        task="billing.tasks.end_retired_plans",
        minutes="*/10",
        description="Ends the subscriptions of plans that are to be deleted, with their last invoices.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="activation_timeouts",
        service="billing.services.subscription_moves.expire_unpaid",
        task="billing.tasks.expire_unpaid",
        minutes="45",
        description="Cancels subscriptions whose first payment did not come in time.",
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
jobs.register(
    jobs.PeriodicJob(
        name="late_usage",
        service="billing.services.late_usage.run",
        task="billing.tasks.find_late_usage",
        minutes="*/15",
        description="Finds usage that came after its time was billed, and does what the policies say about it.",
    )
)


jobs.register(
    jobs.PeriodicJob(
        name="fixed_charges",
        service="billing.services.fixed_changes.bill_waiting",
        task="billing.tasks.bill_fixed_charges",
        minutes="*/5",
        description="Bills units of fixed charges that were added within a period paid in advance and are still open.",
    )
)


jobs.register(
    jobs.PeriodicJob(
        name="advance_events",
        service="billing.services.advance_events.sweep",
        task="billing.tasks.bill_advance_events",
        minutes="*/5",
        description="Bills events that are paid in advance and that a lost message or an error left in the queue.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="advance_charges",
        service="billing.services.advance_invoices.gather",
        task="billing.tasks.gather_advance_fees",
        minutes="25",
        description="Gathers paid fees of usage in advance on one invoice, once their period is over.",
    )
)


jobs.register(
    jobs.PeriodicJob(
        name="usage",
        service="billing.services.progressive_billing.run",
        task="billing.tasks.bill_usage_thresholds",
        minutes="*",
        description="Bills the usage so far of subscriptions that passed a usage threshold.",
    )
)


jobs.register(
    jobs.PeriodicJob(
        name="alerts",
        service="billing.services.alert_checks.run",
        task="billing.tasks.check_alerts",
        minutes="*",
        description="Tells of usage that reached the thresholds of alerts, or a spend cap.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="ending_notices",
        service="billing.services.ending_notices.run",
        task="billing.tasks.give_ending_notices",
        minutes="40",
        description="Gives notice of subscriptions that come to their agreed end.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="event_errors",
        service="billing.services.event_errors.run",
        task="billing.tasks.tell_event_errors",
        minutes="5",
        description="Tells webhook endpoints of usage events that are not good for billing.",
    )
)


jobs.register(
    jobs.PeriodicJob(
        name="wallets",
        service="billing.services.ongoing_balances.run",
        task="billing.tasks.refresh_wallets",
        minutes="*",
        description="Works out what current usage leaves of wallets, tells of those that ran low, and tops them up.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="wallet_top_ups",
        service="billing.services.interval_top_ups.run",
        task="billing.tasks.top_up_wallets",
        minutes="55",
        description="Tops up wallets whose rules by interval are due today, and ends rules whose time is over.",
    )
)


@shared_task(name="billing.tasks.refresh_wallets")
def refresh_wallets(**_: Any) -> None:
    """Work out ongoing balances."""
    ongoing_balances.run(as_of=timezone.now())


@shared_task(name="billing.tasks.top_up_wallets")
def top_up_wallets(**_: Any) -> None:
    """Top up by interval."""
    interval_top_ups.run(as_of=timezone.now())


@shared_task(name="billing.tasks.check_alerts")
def check_alerts(**_: Any) -> None:
    """Hold usage against alerts and spend caps."""
    alert_checks.run(as_of=timezone.now())


@shared_task(name="billing.tasks.give_ending_notices")
def give_ending_notices(**_: Any) -> None:
    """Give notice of agreed ends."""
    ending_notices.run(as_of=timezone.now())


@shared_task(name="billing.tasks.tell_event_errors")
def tell_event_errors(**_: Any) -> None:
    """Tell of events that are no good."""
    event_errors.run(as_of=timezone.now())


@shared_task(name="billing.tasks.bill_usage_thresholds")
def bill_usage_thresholds(**_: Any) -> None:
    """Bill usage that passed a threshold."""
    progressive_billing.run(as_of=timezone.now())


@shared_task(name="billing.tasks.bill_advance_events")
def bill_advance_events(*, external_ids: list[str] | None = None, **_: Any) -> None:
    """Bill the queued events of these subscriptions, or of all."""
    advance_events.bill_waiting(as_of=timezone.now(), external_ids=external_ids)


@shared_task(name="billing.tasks.gather_advance_fees")
def gather_advance_fees(**_: Any) -> None:
    """Gather paid fees on invoices."""
    advance_invoices.gather(as_of=timezone.now())


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


@shared_task(name="billing.tasks.resume_paused")
def resume_paused(**_: Any) -> None:
    """Resume what is to run on today."""
    subscription_moves.resume_paused(as_of=timezone.now())


@shared_task(name="billing.tasks.run_plan_migrations")
def run_plan_migrations(**_: Any) -> None:
    """Move subscriptions to other versions of their plans."""
    plan_migration_runs.run_due(as_of=timezone.now())


@shared_task(name="billing.tasks.settle_plan_changes")
def settle_plan_changes(**_: Any) -> None:
    """Change plans at once that are not cheaper any more."""
    subscription_moves.settle_plan_changes(as_of=timezone.now())


@shared_task(name="billing.tasks.terminate_ended")
def terminate_ended(**_: Any) -> None:
    """End what has come to its agreed end."""
    subscription_moves.terminate_ended(as_of=timezone.now())


@shared_task(name="billing.tasks.end_retired_plans")
def end_retired_plans(**_: Any) -> None:
    """End what was bought of plans that are to be deleted."""
    plan_endings.run(as_of=timezone.now())


@shared_task(name="billing.tasks.expire_unpaid")
def expire_unpaid(**_: Any) -> None:
    """Cancel what was not paid in time."""
    subscription_moves.expire_unpaid(as_of=timezone.now())


@shared_task(name="billing.tasks.end_trials")
def end_trials(**_: Any) -> None:
    """End the trials that are over."""
    subscription_moves.end_trials(as_of=timezone.now())


@shared_task(name="billing.tasks.find_late_usage")
def find_late_usage(**_: Any) -> None:
    """Look for late usage."""
    late_usage.run(as_of=timezone.now())


@shared_task(name="billing.tasks.finalize_drafts")
def finalize_drafts(**_: Any) -> None:
    """Issue the drafts whose grace is over."""
    invoices.finalize_due(as_of=timezone.now())


@shared_task(name="billing.tasks.bill_fixed_charges")
def bill_fixed_charges(**_: Any) -> None:
    """Bill units that were added within a period."""
    fixed_changes.bill_waiting(as_of=timezone.now())


@shared_task(name="billing.tasks.move_contracts")
def move_contracts(**_: Any) -> None:
    """Do what the day brings to contracts."""
    contract_days.run(as_of=timezone.now())
