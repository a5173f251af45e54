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
    order_forms,
    orders,
    parked_accounts,
    periodic_jobs,
    plan_endings,
    plan_migration_runs,
    progressive_billing,
    quote_deliveries,
    quote_documents,
    rehearsal_billing,
    rehearsal_computing,
    run_starts,
    subscription_moves,
    usage_counts,
)
from config.kernel import actors
from invoicing.services import invoices

books_register.register()
periodic_jobs.register()


@shared_task(name="billing.tasks.render_order_form")
def render_order_form(*, order_form_id: int, **_: Any) -> None:
    """Make the document of an order form."""
    quote_documents.render(order_form_id=order_form_id, at=timezone.now())


@shared_task(name="billing.tasks.send_quote_delivery")
def send_quote_delivery(*, delivery_id: int, **_: Any) -> None:
    """Send one e-mail of a quote that is waiting."""
    quote_deliveries.send(delivery_id=delivery_id, at=timezone.now())


@shared_task(name="billing.tasks.sweep_quote_mail")
def sweep_quote_mail(**_: Any) -> None:
    """Make documents and send e-mails that are waiting."""
    quote_deliveries.run(as_of=timezone.now())


@shared_task(name="billing.tasks.expire_order_forms")
def expire_order_forms(**_: Any) -> None:
    """End order forms whose time is over."""
    order_forms.expire_due(as_of=timezone.now())


@shared_task(name="billing.tasks.execute_orders")
def execute_orders(**_: Any) -> None:
    """Execute orders whose day has come."""
    orders.execute_due(as_of=timezone.now())


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


@shared_task(name="billing.tasks.count_usage")
def count_usage(**_: Any) -> None:
    """Count usage events for pages."""
    usage_counts.run(as_of=timezone.now())


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
    run_starts.scheduled(as_of=timezone.now())


@shared_task(name="billing.tasks.start_run")
def start_run(*, user_id: int | None, label: str, **_: Any) -> None:
    """Bill what is due now, because a person asked for it."""
    person = actors.Actor(kind="user", label=label, user_id=user_id)
    run_starts.started(as_of=timezone.now(), trigger=f"started by {label}", actor=person)


@shared_task(name="billing.tasks.compute_rehearsal")
def compute_rehearsal(*, rehearsal_id: int, **_: Any) -> None:
    """Compute a rehearsal that somebody asked for."""
    rehearsal_computing.compute_asked(rehearsal_id=rehearsal_id, at=timezone.now())


@shared_task(name="billing.tasks.bill_rehearsal")
def bill_rehearsal(*, rehearsal_id: int, **_: Any) -> None:
    """Bill a rehearsal that was signed off."""
    rehearsal_billing.bill_asked(rehearsal_id=rehearsal_id, at=timezone.now())


@shared_task(name="billing.tasks.compute_rehearsals")
def compute_rehearsals(**_: Any) -> None:
    """Take up rehearsals that nobody computes."""
    rehearsal_computing.run(as_of=timezone.now())


@shared_task(name="billing.tasks.bill_rehearsals")
def bill_rehearsals(**_: Any) -> None:
    """Take up rehearsals that are to be billed and that nobody bills."""
    rehearsal_billing.run(as_of=timezone.now())


@shared_task(name="billing.tasks.release_parked")
def release_parked(**_: Any) -> None:
    """Release parked accounts whose day has come."""
    parked_accounts.run(as_of=timezone.now())


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
