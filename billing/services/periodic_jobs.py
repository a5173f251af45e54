"""What the clock does for this app: the periodic jobs, in the order of their registration. Owns the list; the work is
the services', and the tasks that call them are `billing.tasks`'.
"""

from __future__ import annotations

from config.kernel import jobs
from config.kernel.jobs import PeriodicJob

JOBS = (
    # Before billing: phases that have come take effect one by one, so that each day is billed by its own prices.
    PeriodicJob(
        name="contracts",
        service="billing.services.contract_days.run",
        task="billing.tasks.move_contracts",
        minutes="8",
        description="Begins phases of contracts, renews and ends them, invoices what is prepaid, settles commitments.",
    ),
    # Before billing: an account whose day has come is billed by the run of that day.
    PeriodicJob(
        name="parked_accounts",
        service="billing.services.parked_accounts.run",
        task="billing.tasks.release_parked",
        minutes="9",
        description="Releases parked accounts whose day has come.",
    ),
    PeriodicJob(
        name="rehearsals",
        service="billing.services.rehearsal_computing.run",
        task="billing.tasks.compute_rehearsals",
        minutes="*",
        description="Computes rehearsals of billing runs that a lost message or a broken worker left waiting.",
    ),
    PeriodicJob(
        name="rehearsed_billing",
        service="billing.services.rehearsal_billing.run",
        task="billing.tasks.bill_rehearsals",
        minutes="*",
        description="Bills signed-off rehearsals that a lost message or a broken worker left unbilled.",
    ),
    PeriodicJob(
        name="billing",
        service="billing.services.run_starts.scheduled",
        task="billing.tasks.run_billing",
        minutes="10",
        description="Bills every subscription whose billing day has come in its customer's time zone.",
    ),
    PeriodicJob(
        name="activate_pending",
        service="billing.services.subscription_moves.activate_pending",
        task="billing.tasks.activate_pending",
        minutes="*/5",
        description="Starts subscriptions whose day has come.",
    ),
    PeriodicJob(
        name="resume_paused",
        service="billing.services.subscription_moves.resume_paused",
        task="billing.tasks.resume_paused",
        minutes="*/5",
        description="Resumes paused subscriptions whose day has come.",
    ),
    PeriodicJob(
        name="plan_changes",
        service="billing.services.subscription_moves.settle_plan_changes",
        task="billing.tasks.settle_plan_changes",
        minutes="15",
        description="Changes plans at once where a plan that was to follow later is not cheaper any more.",
    ),
    PeriodicJob(
        name="plan_migrations",
        service="billing.services.plan_migration_runs.run_due",
        task="billing.tasks.run_plan_migrations",
        minutes="*/5",
        description="Moves the subscriptions of approved migrations to another version of their plan.",
    ),
    PeriodicJob(
        name="terminate_ended",
        service="billing.services.subscription_moves.terminate_ended",
        task="billing.tasks.terminate_ended",
        minutes="5",
        description="Terminates subscriptions whose agreed end has come, and makes their last invoices.",
    ),
    PeriodicJob(
        name="plan_deletions",
        service="billing.services.plan_endings.run",
        task="billing.tasks.end_retired_plans",
        minutes="*/10",
        description="Ends the subscriptions of plans that are to be deleted, with their last invoices.",
    ),
    PeriodicJob(
        name="activation_timeouts",
        service="billing.services.subscription_moves.expire_unpaid",
        task="billing.tasks.expire_unpaid",
        minutes="45",
        description="Cancels subscriptions whose first payment did not come in time.",
    ),
    PeriodicJob(
        name="trial_ended",
        service="billing.services.subscription_moves.end_trials",
        task="billing.tasks.end_trials",
        minutes="35",
        description="Ends trials, and bills the fee of plans paid in advance from then on.",
    ),
    PeriodicJob(
        name="finalize",
        service="invoicing.services.invoices.finalize_due",
        task="billing.tasks.finalize_drafts",
        minutes="20",
        description="Computes drafts whose grace period is over anew and issues them.",
    ),
    PeriodicJob(
        name="late_usage",
        service="billing.services.late_usage.run",
        task="billing.tasks.find_late_usage",
        minutes="*/15",
        description="Finds usage that came after its time was billed, and does what the policies say about it.",
    ),
    PeriodicJob(
        name="fixed_charges",
        service="billing.services.fixed_changes.bill_waiting",
        task="billing.tasks.bill_fixed_charges",
        minutes="*/5",
        description="Bills units of fixed charges that were added within a period paid in advance and are still open.",
    ),
    PeriodicJob(
        name="advance_events",
        service="billing.services.advance_events.sweep",
        task="billing.tasks.bill_advance_events",
        minutes="*/5",
        description="Bills events that are paid in advance and that a lost message or an error left in the queue.",
    ),
    PeriodicJob(
        name="advance_charges",
        service="billing.services.advance_invoices.gather",
        task="billing.tasks.gather_advance_fees",
        minutes="25",
        description="Gathers paid fees of usage in advance on one invoice, once their period is over.",
    ),
    PeriodicJob(
        name="usage",
        service="billing.services.progressive_billing.run",
        task="billing.tasks.bill_usage_thresholds",
        minutes="*",
        description="Bills the usage so far of subscriptions that passed a usage threshold.",
    ),
    PeriodicJob(
        name="usage_counts",
        service="billing.services.usage_counts.run",
        task="billing.tasks.count_usage",
        minutes="*/10",
        description="Counts usage events by day, and those that nobody can bill, for pages where they are many.",
    ),
    PeriodicJob(
        name="alerts",
        service="billing.services.alert_checks.run",
        task="billing.tasks.check_alerts",
        minutes="*",
        description="Tells of usage that reached the thresholds of alerts, or a spend cap.",
    ),
    PeriodicJob(
        name="ending_notices",
        service="billing.services.ending_notices.run",
        task="billing.tasks.give_ending_notices",
        minutes="40",
        description="Gives notice of subscriptions that come to their agreed end.",
    ),
    PeriodicJob(
        name="event_errors",
        service="billing.services.event_errors.run",
        task="billing.tasks.tell_event_errors",
        minutes="5",
        description="Tells webhook endpoints of usage events that are not good for billing.",
    ),
    PeriodicJob(
        name="wallets",
        service="billing.services.ongoing_balances.run",
        task="billing.tasks.refresh_wallets",
        minutes="*",
        description="Works out what current usage leaves of wallets, tells of those that ran low, and tops them up.",
    ),
    PeriodicJob(
        name="wallet_top_ups",
        service="billing.services.interval_top_ups.run",
        task="billing.tasks.top_up_wallets",
        minutes="55",
        description="Tops up wallets whose rules by interval are due today, and ends rules whose time is over.",
    ),
    PeriodicJob(
        name="quote_mail",
        service="billing.services.quote_deliveries.run",
        task="billing.tasks.sweep_quote_mail",
        minutes="*/5",
        description="Makes missing documents of order forms, reminds of quotes about to expire, sends their e-mails.",
    ),
    PeriodicJob(
        name="order_forms",
        service="billing.services.order_forms.expire_due",
        task="billing.tasks.expire_order_forms",
        minutes="2",
        description="Ends order forms of quotes whose last day is over.",
    ),
    PeriodicJob(
        name="orders",
        service="billing.services.orders.execute_due",
        task="billing.tasks.execute_orders",
        minutes="*/5",
        description="Executes signed orders whose day has come.",
    ),
)


def register() -> None:
    """Make the jobs known. Calling it again changes nothing."""
    for job in JOBS:
        jobs.register(job)
