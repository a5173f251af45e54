"""What billing an event in advance reads: the queue, the events themselves, the subscriptions they are of, what was
carried over into their period. Never writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing.domain import aggregation, held_time
from billing.models import AdvanceEvent, BilledPeriod, RatedCharge, Subscription
from billing.queries import aggregates, event_values, event_windows
from billing.queries.contracts import Contract
from billing.queries.price_lists import PricedCharge
from catalog.domain import filters
from config.kernel.dates import Period

NO_SUBSCRIPTION = "subscription_not_found"
"""The problem of an event that no subscription has."""

_RETRY = timedelta(minutes=4)
_NUMBER = re.compile(event_values.PLAIN_DECIMAL, re.ASCII)

Bucket = tuple[str | None, tuple[tuple[str, str | None], ...]]
"""The key of a filter (none: the charge's own price) and the values of a group."""


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event of the queue as it was stored. ``properties`` has numbers as the text that the sender wrote."""

    queue_id: int
    withdraws: bool
    transaction_id: str
    code: str
    timestamp: datetime
    properties: Mapping[str, Any]
    amount_cents: Decimal | None
    fingerprint: int

    def text(self, name: str) -> str | None:
        """Return the text of a property, as filters and groups compare it; nothing where it is absent."""
        return filters.as_text(self.properties.get(name))

    def number(self, name: str) -> Decimal | None:
        """Return the number of a property, nothing where it is absent or no plain decimal."""
        found = self.text(name)
        return Decimal(found) if found is not None and _NUMBER.fullmatch(found) else None


def waiting(*, as_of: datetime) -> QuerySet[AdvanceEvent]:
    """Return the events to be billed: new ones, and those to be tried again, which is not at once.

    An event that no subscription had is there again as soon as one covers its instant, so that no later event overtakes
    it.
    """
    covering = Subscription.objects.filter(
        Q(terminated_at__isnull=True) | Q(terminated_at__gte=OuterRef("timestamp")),
        external_id=OuterRef("external_subscription_id"),
        started_at__lte=OuterRef("timestamp"),
    )
    has_one_now = Q(problem=NO_SUBSCRIPTION) & Exists(covering)
    again = ~Q(problem=NO_SUBSCRIPTION) & Q(tried_at__lte=as_of - _RETRY)
    return AdvanceEvent.objects.filter(Q(problem="") | has_one_now | again)


def waits_for_a_start(*, external_id: str) -> bool:
    """Say whether events of that external id wait for a subscription to have them."""
    return AdvanceEvent.objects.filter(external_subscription_id=external_id, problem=NO_SUBSCRIPTION).exists()


def waiting_subscriptions(*, as_of: datetime, external_ids: Collection[str] | None = None) -> list[str]:
    """Return the external ids of subscriptions with events to be billed now."""
    rows = waiting(as_of=as_of)
    if external_ids is not None:
        rows = rows.filter(external_subscription_id__in=external_ids)
    return list(rows.order_by().values_list("external_subscription_id", flat=True).distinct())


def before_minimums(*, customer_ids: Collection[int]) -> list[str]:
    """Return the external ids of subscriptions with new events, whose plan has a minimum that they count against."""
    committed = Subscription.objects.filter(
        customer__in=customer_ids, started_at__isnull=False, plan_version__minimum_commitment__isnull=False
    )
    rows = AdvanceEvent.objects.filter(problem="", external_subscription_id__in=committed.values("external_id"))
    return list(rows.order_by().values_list("external_subscription_id", flat=True).distinct())


def subscriptions(external_id: str) -> list[Subscription]:
    """Return what was or is a subscription of that external id, the latest start first."""
    rows = Subscription.objects.filter(external_id=external_id, started_at__isnull=False)
    return list(rows.order_by(F("started_at").desc(), "-pk"))


def covering(found: Sequence[Subscription], at: datetime) -> Subscription | None:
    """Return the subscription that an event of an instant is of, out of those of one external id."""
    for row in found:
        if row.started_at is not None and row.started_at <= at:
            return row if row.terminated_at is None or at <= row.terminated_at else None
    return None


def billed_elsewhere(found: Sequence[Subscription]) -> dict[int, datetime]:
    """Return until when another system billed the usage of subscriptions; those without such time are left out."""
    rows = BilledPeriod.objects.filter(subscription__in=found, reason=BilledPeriod.Reason.ELSEWHERE)
    return dict(rows.values_list("subscription_id", "charges_to_at"))


def stored(queued: Sequence[AdvanceEvent]) -> list[QueuedEvent]:
    """Return the events of queue rows in the order of the queue. A new one that a correction replaced is not there."""
    if not queued:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT q.id, q.withdraws, e.transaction_id, e.code, e."timestamp", e.properties::text,
                e.precise_total_amount_cents, e.fingerprint
            FROM billing_advanceevent AS q
            JOIN billing_usage_event AS e ON e.external_subscription_id = q.external_subscription_id COLLATE "C"
                AND e.code = q.code COLLATE "C" AND e."timestamp" = q."timestamp"
                AND e.transaction_id = q.transaction_id COLLATE "C"
            WHERE q.id = ANY(%(ids)s) AND e."timestamp" >= %(first)s AND e."timestamp" <= %(last)s
                AND (q.withdraws OR e.replaced_at IS NULL)
            ORDER BY q.id""",
            {
                "ids": [row.pk for row in queued],
                "first": min(row.timestamp for row in queued),
                "last": max(row.timestamp for row in queued),
            },
        )
        return [QueuedEvent(*row[:5], _properties(row[5]), *row[6:]) for row in cursor.fetchall()]


def billed(*, contract: Contract, transaction_ids: Collection[str]) -> set[tuple[int, str]]:
    """Return what was billed of these events before, by the price's key and the transaction id: events put back."""
    rows = RatedCharge.objects.filter(
        subscription_id=contract.subscription_id,
        line__event_transaction_id__in=transaction_ids,
        released_at__isnull=True,
    )
    return set(rows.values_list("item_key", "event_transaction_id"))


def carried_over(*, contract: Contract, charge: PricedCharge, period: Period) -> dict[Bucket, Decimal]:
    """Return the units of a recurring charge that are there when a period starts, by filter and group."""
    window = event_windows.of_charge(
        id=charge.key,
        charge=charge,
        external_subscription_id=contract.external_id,
        period=Period(period.start, period.start),
        held=held_time.of(contract.standing.usage_schedule, period),
    )
    plain = replace(window, held=None, values_limit=0, amount_digits=None, presentation_keys=())
    found = aggregates.usage(windows=[plain])[charge.key]
    return {
        (None if part.filter_id is None else str(part.filter_id), tuple(part.group.items())): aggregation.value(
            part.facts
        )
        for part in found
    }


def operations(
    *,
    contract: Contract,
    charge: PricedCharge,
    value: str,
    before: datetime,
    since: datetime | None = None,
    but_queued_after: int | None = None,
) -> list[tuple[Mapping[str, Any], str | None]]:
    """Return what events did to a unique value: their properties and operations, in their order in time.

    Of those between two instants, replaced ones left out, and those that came to the queue after a row of it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT e.properties::text, e.properties ->> 'operation_type'
            FROM billing_usage_event AS e
            WHERE e.external_subscription_id = %(subscription)s AND e.code = %(code)s AND e."timestamp" < %(before)s
                AND (%(since)s::timestamptz IS NULL OR e."timestamp" >= %(since)s)
                AND e.replaced_at IS NULL AND e.properties ->> %(field)s = %(value)s
                AND (%(queued)s::bigint IS NULL OR NOT EXISTS (
                    SELECT 1 FROM billing_advanceevent AS q
                    WHERE q.external_subscription_id = %(subscription)s AND q.transaction_id = e.transaction_id
                        AND NOT q.withdraws AND q.id > %(queued)s
                ))
            ORDER BY e."timestamp", e.transaction_id""",
            {
                "subscription": contract.external_id,
                "code": charge.metric.event_code,
                "before": before,
                "since": since,
                "field": charge.metric.field_name,
                "value": value,
                "queued": but_queued_after,
            },
        )
        return [(_properties(text), operation) for text, operation in cursor.fetchall()]


def _properties(text: str) -> dict[str, Any]:
    return dict(json.loads(text, parse_float=str, parse_int=str))
