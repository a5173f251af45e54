"""Billing usage that is paid in advance, event by event: on an invoice of its own, or as a fee that stands alone. Owns
the queue of such events and the one transaction in which some of a subscription's are billed.

The statement that stores events puts them in the queue, and the transaction that bills an event takes it out, so it is
billed once, however often somebody is interrupted; a message is only the wake-up. The customer's row is the lock: two
who bill events of one subscription at once wait for each other, and the second one sees the level that the first left.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from billing.domain import advance, advance_rating
from billing.domain.rating import RatedItem
from billing.models import AdvanceEvent
from billing.queries import advance_events as known_events
from billing.queries import contracts, price_lists
from billing.queries.advance_events import QueuedEvent
from billing.queries.contracts import Contract
from billing.queries.price_lists import PricedCharge, PriceList
from billing.services import advance_fees, advance_levels, bills, plan_changes, plan_turns
from billing.services.advance_fees import BilledEvent
from billing.services.advance_levels import Levels
from catalog.domain.metrics import Aggregation
from config.kernel import actors, db
from config.kernel.dates import Period
from customers.models import Customer

log = logging.getLogger(__name__)

BATCH = 100


@dataclass(frozen=True)
class Outcome:
    """What a round did: how many fees were made, and what could not be billed, by transaction id with the reason."""

    fees: int
    failed: dict[str, str]


def bill_waiting(*, as_of: datetime, external_ids: Collection[str] | None = None) -> Outcome:
    """Bill the events of the queue, of these subscriptions or of all, in the order in which they arrived.

    Some of one subscription's are a transaction. When one fails they are tried one by one, so that a broken price stops
    no other event; what fails stays in the queue with the reason and is tried again by the sweeper. May be called any
    number of times, beside itself too.
    """
    failed: dict[str, str] = {}
    fees = 0
    for external_id in known_events.waiting_subscriptions(as_of=as_of, external_ids=external_ids):
        fees += _bill_subscription(external_id, as_of, failed)
    return Outcome(fees, failed)


def sweep(*, as_of: datetime) -> Outcome:
    """Bill what a lost message or a broken price left in the queue: the periodic job."""
    return bill_waiting(as_of=as_of)


def _bill_subscription(external_id: str, as_of: datetime, failed: dict[str, str]) -> int:
    after = fees = 0
    while ids := _next(external_id, after, as_of):
        try:
            fees += _bill(external_id, ids, as_of)
        except Exception:
            log.exception("some events of %s could not be billed in advance, trying one by one", external_id)
            for queue_id in ids:
                fees += _bill_alone(external_id, queue_id, as_of, failed)
        after = ids[-1]
    return fees


def _next(external_id: str, after: int, as_of: datetime) -> list[int]:
    rows = known_events.waiting(as_of=as_of).filter(external_subscription_id=external_id, pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _bill_alone(external_id: str, queue_id: int, as_of: datetime, failed: dict[str, str]) -> int:
    try:
        return _bill(external_id, [queue_id], as_of)
    except Exception as error:
        log.exception("an event of %s could not be billed in advance", external_id)
        rows = AdvanceEvent.objects.filter(pk=queue_id)
        failed.update(dict.fromkeys(rows.values_list("transaction_id", flat=True), str(error)))
        rows.update(problem=str(error) or type(error).__name__, tried_at=as_of)
        return 0


@transaction.atomic
def _bill(external_id: str, queue_ids: Sequence[int], as_of: datetime) -> int:
    """Bill some events of one subscription, all or none, and return the number of fees.

    What was a subscription is read again under the lock: while it was waited for, the plan may have been changed. A
    cheaper plan whose day has come takes over first, so that no event of that day is billed by the old one. Events of
    time that another system billed leave the queue without a fee.
    """
    customer_ids = {row.customer_id for row in known_events.subscriptions(external_id)}
    db.lock(Customer.objects.filter(pk__in=customer_ids))
    actor = actors.job("advance_events")
    moved = plan_turns.take_effect(customer_ids=customer_ids, as_of=as_of, actor=actor, external_id=external_id)
    if moved:
        plan_changes.bill(moved, actor=actor, at=as_of)
    found = known_events.subscriptions(external_id)
    queued = list(AdvanceEvent.objects.filter(pk__in=queue_ids).order_by("pk").select_for_update())
    owners = {row.pk: known_events.covering(found, row.timestamp) for row in queued}
    orphans = [row.pk for row in queued if owners[row.pk] is None]
    AdvanceEvent.objects.filter(pk__in=orphans).update(problem=known_events.NO_SUBSCRIPTION, tried_at=as_of)
    elsewhere = known_events.billed_elsewhere(found)
    ours = [
        row
        for row in queued
        if (owner := owners[row.pk]) and not row.timestamp < elsewhere.get(owner.pk, row.timestamp)
    ]
    events = known_events.stored(ours)
    by_owner: dict[int, list[QueuedEvent]] = {}
    for event in events:
        owner = owners[event.queue_id]
        if owner is not None:
            by_owner.setdefault(owner.pk, []).append(event)
    known = contracts.of_subscriptions(subscription_ids=by_owner)
    lists = price_lists.load(version_ids={contract.plan_version_id for contract in known})
    billed: list[BilledEvent] = []
    for contract in known:
        billed += _rate(contract, lists[contract.plan_version_id], by_owner[contract.subscription_id], as_of)
    advance_fees.write(billed=billed, actor=actor, at=as_of)
    AdvanceEvent.objects.filter(pk__in=[row.pk for row in queued if owners[row.pk] is not None]).delete()
    return len(billed)


def _rate(contract: Contract, prices: PriceList, events: Sequence[QueuedEvent], as_of: datetime) -> list[BilledEvent]:
    """Rate a subscription's events on top of each other, and keep the levels that they leave."""
    levels = Levels(contract=contract, at=as_of)
    known = known_events.billed(contract=contract, transaction_ids={event.transaction_id for event in events})
    billed = []
    for event in events:
        for charge in prices.charges:
            if charge.pay_in_advance and charge.metric.event_code == event.code and _counts(charge, event):
                item, period = _rate_one(contract, prices, charge, event, levels)
                if item is not None and (bills.key(item), event.transaction_id) not in known:
                    billed.append(BilledEvent(contract, prices, charge, item, period, event.transaction_id))
    levels.save()
    return billed


def _counts(charge: PricedCharge, event: QueuedEvent) -> bool:
    """Say whether a metric counts an event at all: its property is there, and a number where numbers are added."""
    match charge.metric.aggregation:
        case Aggregation.COUNT:
            return True
        case Aggregation.SUM:
            return event.number(charge.metric.field_name) is not None
        case _:
            return event.text(charge.metric.field_name) is not None


def _rate_one(
    contract: Contract, prices: PriceList, charge: PricedCharge, event: QueuedEvent, levels: Levels
) -> tuple[RatedItem | None, Period]:
    where = contract.standing
    period = advance_rating.period_of(where.usage_schedule, started_at=where.started_at, at=event.timestamp)
    place = advance_levels.place_of(charge, event.properties)
    level = levels.level(charge=charge, period=period, place=place)
    by = levels.change(charge=charge, period=period, place=place, event=event)
    if event.withdraws:
        undone = by if charge.metric.aggregation is not Aggregation.UNIQUE_COUNT else advance.opposite(by)
        levels.put(charge=charge, period=period, place=place, level=advance.taken_back(level=level, by=undone))
        return None, period
    share = advance_rating.days_left(where.usage_schedule, at=event.timestamp) if charge.is_prorated else None
    item, step = advance_rating.rate(
        contract=advance_fees.facts(contract, prices),
        charge=charge.facts(period=period, usage=()),
        place=place,
        level=level,
        by=by,
        event=_told(event),
        share=share,
    )
    levels.put(charge=charge, period=period, place=place, level=step.after)
    return item, period


def _told(event: QueuedEvent) -> dict[str, str]:
    return {
        "transaction_id": event.transaction_id,
        "timestamp": event.timestamp.isoformat().replace("+00:00", "Z"),
        "fingerprint": str(event.fingerprint),
    }
