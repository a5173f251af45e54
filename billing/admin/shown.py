"""How subscriptions, periods and runs are told on pages: badges of their states, rows of their tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.safestring import SafeString

from billing.domain.verification import Verification
from billing.domain.worked_sum import Sentence
from billing.models import BilledPeriod, BillingRun, Subscription
from catalog.models import BillableMetric
from config.platform.admin import cells
from config.platform.admin.blocks import Row, Table, columns
from config.platform.admin.cells import Tone

_AGGREGATIONS = dict(BillableMetric.Aggregation.choices)

STATUS = {
    Subscription.Status.PENDING: Tone.INFO,
    Subscription.Status.ACTIVE: Tone.GOOD,
    Subscription.Status.TERMINATED: Tone.NEUTRAL,
    Subscription.Status.CANCELED: Tone.NEUTRAL,
    Subscription.Status.PAUSED: Tone.WARN,
    Subscription.Status.INCOMPLETE: Tone.WARN,
}
RUN = {
    BillingRun.Status.RUNNING: Tone.INFO,
    BillingRun.Status.SUCCEEDED: Tone.GOOD,
    BillingRun.Status.FAILED: Tone.BAD,
}


def status(subscription: Subscription) -> SafeString:
    """The state of a subscription."""
    return cells.badge(subscription.get_status_display(), STATUS[Subscription.Status(subscription.status)])


def run_status(run: BillingRun) -> SafeString:
    """How a run went."""
    return cells.badge(run.get_status_display(), RUN[BillingRun.Status(run.status)])


def worked(found: Verification) -> tuple[tuple[str, str, str], ...]:
    """The lines of a worked sum: what it is, the formula and the result."""
    return tuple((_label(one), one.formula, one.result) for one in found.sentences)


def _label(sentence: Sentence) -> str:
    if not sentence.subject:
        return sentence.label
    return f"{sentence.label}: {_AGGREGATIONS.get(sentence.subject, sentence.subject)}"


def duration(started: datetime, finished: datetime | None) -> str:
    """How long something took, in words."""
    if finished is None:
        return ""
    seconds = int((finished - started).total_seconds())
    if seconds < 1:
        return "less than a second"
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min {seconds % 60} s"


def subscriptions(rows: Iterable[Subscription], *, title: str, empty: str, note: object = "") -> Table:
    """Subscriptions as rows."""
    return Table(
        title,
        columns("Subscription", "Plan", "Status", "Started", "Next billing"),
        tuple(
            Row(
                (
                    cells.stack(cells.to(one, str(one)), one.external_id if one.name else ""),
                    cells.to(one.plan_version.plan, str(one.plan_version)),
                    status(one),
                    cells.local_day(one.started_at, one.customer.applicable_timezone),
                    cells.day(one.next_billing_date),
                )
            )
            for one in rows
        ),
        empty=empty,
        note=note,
    )


def periods(rows: Iterable[BilledPeriod], *, title: str, empty: str) -> Table:
    """Billed periods as rows, with their invoices."""
    return Table(
        title,
        columns("Period", "Usage of", "Billing day", "Why", "Share of the fee#", "Invoice", "Total#"),
        tuple(
            Row(
                (
                    cells.period_text(one.from_at, one.to_at, one.timezone),
                    usage_days(one),
                    cells.day(one.billing_date),
                    cells.badge("given back") if one.released_at else one.get_reason_display(),
                    fee_share(one),
                    cells.muted("nothing to bill") if one.invoice is None else cells.to(one.invoice),
                    cells.EMPTY if one.invoice is None else cells.money(one.invoice.total_amount),
                )
            )
            for one in rows
        ),
        empty=empty,
    )


def usage_days(period: BilledPeriod) -> object:
    """The days whose usage an invoice bills; a fee in advance is billed without any."""
    if period.charges_from_at == period.charges_to_at:
        return cells.EMPTY
    return cells.period_text(period.charges_from_at, period.charges_to_at, period.timezone)


def fee_share(period: BilledPeriod) -> object:
    """The share of the plan fee that an invoice bills."""
    if not period.bills_fee:
        return cells.muted("none")
    return cells.muted("whole") if period.days == period.of_days else f"{period.days} of {period.of_days} days"
