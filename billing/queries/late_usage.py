"""Finding entries of the late usage inbox. Never writes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from billing.models import LateUsage, LateUsageCheck, Subscription
from billing.queries.late_usage_arrivals import ISSUED
from config.kernel import errors

BILLED = "billed"
"""What is to be billed and stands on an issued invoice. What waits, on a draft too, is still to be billed."""
STATES = (*LateUsage.State.values, BILLED)
_IS_BILLED = Q(state=LateUsage.State.TO_BILL, line__invoice__status__in=ISSUED)

_RELATED = (
    "subscription__customer", "period__invoice", "charge__metric", "charge__plan_version__plan", "charge_filter",
    "line__invoice",
)  # fmt: skip


def listed(
    *,
    state: str | None = None,
    external_customer_id: str | None = None,
    external_subscription_id: str | None = None,
    created_from: datetime | None = None,
) -> QuerySet[LateUsage]:
    """Return entries with all that is shown of them, newest first. ``state`` is one of ``STATES``."""
    rows = LateUsage.objects.filter(**({} if state in (None, BILLED) else {"state": state}))
    if state == BILLED:
        rows = rows.filter(_IS_BILLED)
    elif state == LateUsage.State.TO_BILL:
        rows = rows.filter(Q(line__isnull=True) | ~Q(line__invoice__status__in=ISSUED))
    given = {
        "subscription__customer__external_id": external_customer_id,
        "subscription__external_id": external_subscription_id,
        "created_at__gte": created_from,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    return rows.filter(**wanted).select_related(*_RELATED).order_by("-created_at", "-pk")


def state(row: LateUsage) -> str:
    """Return where an entry is, one of ``STATES``."""
    invoice = None if row.line is None else row.line.invoice
    is_issued = invoice is not None and invoice.status in ISSUED
    return BILLED if is_issued and row.state == LateUsage.State.TO_BILL else row.state


def find(public_id: UUID | None) -> LateUsage:
    """Return an entry. Raises NotFound (`late_usage_not_found`)."""
    found = None if public_id is None else LateUsage.objects.select_related(*_RELATED).filter(uuid=public_id).first()
    if found is None:
        raise errors.NotFound("late_usage_not_found", "There is no such late usage.")
    return found


def subscription(external_id: str) -> Subscription:
    """Return the subscription that runs, or ran last, under an external id. Raises NotFound."""
    rows = Subscription.objects.filter(external_id=external_id, started_at__isnull=False)
    found = rows.order_by("-started_at", "-pk").first()
    if found is None:
        raise errors.NotFound("subscription_not_found", f"There is no started subscription {external_id}.")
    return found


def held(*, most: int = 1000) -> int:
    """Return how many entries wait for a decision, counted up to a number."""
    return LateUsage.objects.filter(state=LateUsage.State.HELD).order_by()[:most].count()


def waiting(*, most: int = 10_000) -> int:
    """Return how many billed periods are still to be rated anew, counted up to a number."""
    return LateUsageCheck.objects.filter(error="").order_by()[:most].count()


def failed() -> QuerySet[LateUsageCheck]:
    """Return the billed periods that events came for and that could not be rated."""
    rows = LateUsageCheck.objects.exclude(error="")
    return rows.select_related("period__subscription__customer__billing_entity", "period__invoice")
