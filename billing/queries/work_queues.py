"""What of subscriptions, quotes and billing runs waits for a person, as rows of work queues. Never writes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery

from billing.models import (
    BillingRun,
    BillingRunItem,
    Contract,
    LateUsage,
    Order,
    ParkedAccount,
    Quote,
    QuoteVersion,
    Rehearsal,
)
from config.kernel import dates

EXPIRING_DAYS = 7
"""A quote that was sent and expires within so many days is talked about."""

PARKED = "parked"
"""The code of what a run says of an account that it left out because somebody parked it. That is no failure."""


def late_usage(at: datetime) -> QuerySet[LateUsage]:
    """Return late usage that waits for a decision, with its money effect, which may be the customer's."""
    rows = LateUsage.objects.filter(state=LateUsage.State.HELD)
    return rows.annotate(queue_since=F("created_at"), queue_currency=F("currency"), queue_amount=F("amount"))


def not_billed(at: datetime) -> QuerySet[BillingRunItem]:
    """Return what failed in the newest billing run that is done. Whoever failed is tried again by the next one."""
    newest = BillingRun.objects.filter(finished_at__isnull=False).order_by("-created_at", "-pk").values("pk")[:1]
    rows = BillingRunItem.objects.filter(run=Subquery(newest)).exclude(error_code__in=["", PARKED])
    return rows.annotate(queue_since=F("run__as_of"), queue_target=F("run_id"))


def parked(at: datetime) -> QuerySet[ParkedAccount]:
    """Return accounts that no run bills until somebody releases them."""
    return ParkedAccount.objects.filter(released_at__isnull=True).annotate(queue_since=F("parked_at"))


def to_sign_off(at: datetime) -> QuerySet[Rehearsal]:
    """Return rehearsals that are computed and wait for a second person."""
    return Rehearsal.objects.filter(state=Rehearsal.State.READY).annotate(queue_since=F("finished_at"))


def quotes_to_approve(at: datetime) -> QuerySet[Quote]:
    """Return quotes with a version that waits for somebody's consent."""
    return _of_version("submitted_at", state=QuoteVersion.State.IN_APPROVAL)


def quotes_expiring(at: datetime) -> QuerySet[Quote]:
    """Return quotes that were sent, are not answered, and are valid for a week at most. Days are those of UTC."""
    today = dates.local_date(at, dates.zone("UTC"))
    until = today + timedelta(days=EXPIRING_DAYS)
    return _of_version("valid_until", state=QuoteVersion.State.SENT, valid_until__gte=today, valid_until__lte=until)


def failed_orders(at: datetime) -> QuerySet[Order]:
    """Return orders that were signed and could not be carried out."""
    rows = Order.objects.filter(state=Order.State.FAILED)
    return rows.annotate(queue_since=F("created_at"), queue_currency=F("currency"))


def renewals(at: datetime, *, after_days: int, days: int) -> QuerySet[Contract]:
    """Return active contracts whose last term ends after so many days and within so many. Days are those of UTC."""
    today = dates.local_date(at, dates.zone("UTC"))
    rows = Contract.objects.filter(
        state=Contract.State.ACTIVE,
        ends_on__gt=today + timedelta(days=after_days),
        ends_on__lte=today + timedelta(days=days),
    )
    return rows.annotate(queue_since=F("ends_on"))


def _of_version(since: str, **wanted: Any) -> QuerySet[Quote]:
    """Quotes with a version in a state; no quote has two of them."""
    found = QuoteVersion.objects.filter(**wanted)
    one = found.filter(quote=OuterRef("pk")).order_by("-number")
    return Quote.objects.filter(pk__in=found.values("quote")).annotate(
        queue_since=Subquery(one.values(since)[:1]),
        queue_currency=Subquery(one.values("currency")[:1]),
        queue_amount=Subquery(one.values("total_amount")[:1]),
    )
