"""Waits for the work that the scheduler and the workers do, and hurries the scheduler on.

What is left to do are rows in the database, so they are counted there, for the sample's customers alone. A job is
hurried by setting back when the scheduler ran it last: it then finds it due and sends it, as it does by the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from billing.models import AdvanceEvent, BillingRunItem, LateUsage
from billing.queries import contracts
from customers.models import Customer
from invoicing.models import Delivery, Invoice

STEP_SECONDS = 0.25
HURRY_SECONDS = 12
PATIENCE_SECONDS = 90

Clock = Callable[[], datetime]


class Stuck(RuntimeError):
    """Nothing has moved for a while."""


def hurry(job: str, *, at: datetime) -> None:
    """Make the scheduler send a periodic job at its next look. Safe to repeat: jobs may run any number of times."""
    PeriodicTask.objects.filter(name=job).update(enabled=True, last_run_at=at - timedelta(days=1))
    PeriodicTasks.update_changed()


def until_done(
    left: Callable[[], int],
    *,
    job: str,
    what: str,
    clock: Clock,
    moved: Callable[[int], object],
    check: Callable[[], object],
) -> None:
    """Wait until nothing is left, telling ``moved`` how much was done since the last look.

    The job is hurried at the start and again whenever nothing moves for 12 seconds; ``check`` is called at every look.
    Raises Stuck when nothing moves for 90 seconds, and what ``check`` raises.
    """
    before = left()
    last_move = last_hurry = time.monotonic()
    if before:
        hurry(job, at=clock())
    while before:
        check()
        time.sleep(STEP_SECONDS)
        now, count = time.monotonic(), left()
        if count < before:
            moved(before - count)
            last_move = last_hurry = now
        if now - last_move > PATIENCE_SECONDS:
            raise Stuck(f"{count} {what} are still waiting, and none was done for {PATIENCE_SECONDS} s.{_failures()}")
        if now - last_hurry > HURRY_SECONDS:
            hurry(job, at=clock())
            last_hurry = now
        before = count


def customers_due(*, external_ids: Collection[str], at: datetime) -> int:
    """Count the customers with a billing day that has come."""
    ids = list(Customer.objects.filter(external_id__in=external_ids).values_list("pk", flat=True))
    return sum(1 for _ in contracts.due_customers(as_of=at, customer_ids=ids))


def documents_missing(*, external_ids: Collection[str]) -> int:
    """Count the finalized invoices whose PDF is still to be made."""
    return _finalized(external_ids).filter(documents__isnull=True).count()


def mails_waiting(*, external_ids: Collection[str]) -> int:
    """Count the e-mails that are still to be sent."""
    pending = Delivery.objects.filter(state=Delivery.State.PENDING)
    return pending.filter(invoice__customer__external_id__in=external_ids).count()


def late_usage_missing(*, external_id: str) -> int:
    """Return 1 until the inbox has an entry of a subscription, decided or not."""
    return 0 if LateUsage.objects.filter(subscription__external_id=external_id).exists() else 1


def advance_events(*, external_ids: Collection[str]) -> int:
    """Count the events of subscriptions that are still to be billed one by one."""
    return AdvanceEvent.objects.filter(external_subscription_id__in=external_ids).count()


def unmarked(*, external_ids: Collection[str], at: datetime) -> int:
    """Count the invoices that were due two days ago or earlier, are not paid and not marked as overdue."""
    invoices = _finalized(external_ids).filter(payment_overdue=False)
    late = invoices.filter(payment_due_date__lt=at.date() - timedelta(days=1))
    return late.exclude(payment_status=Invoice.PaymentStatus.SUCCEEDED).count()


def _finalized(external_ids: Collection[str]) -> QuerySet[Invoice]:
    return Invoice.objects.filter(status=Invoice.Status.FINALIZED, customer__external_id__in=external_ids)


def _failures() -> str:
    failed = BillingRunItem.objects.exclude(error_code="").order_by("-pk")[:5]
    return "".join(f"\n{item.customer}: {item.error}" for item in failed.select_related("customer"))
