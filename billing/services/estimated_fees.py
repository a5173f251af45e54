"""What an event would cost now, after all that was billed before it. Owns laying it on the stored levels of usage paid
in advance without keeping what comes of it: nothing is written, and nothing is locked.

Events that were taken in and wait to be billed are not in the levels yet, so that another one is estimated without
them.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.domain import advance_rating
from billing.domain.contract import ContractFacts
from billing.domain.estimates import Price
from billing.domain.usage_events import EventIn
from billing.queries import contracts, estimates
from billing.queries.advance_events import QueuedEvent
from billing.queries.contracts import Contract
from billing.queries.estimates import Estimate, Found
from billing.services import advance_levels
from billing.services.advance_levels import Levels
from catalog.domain.metrics import Aggregation


def estimate(*, event: EventIn, at: datetime) -> list[Estimate]:
    """Estimate an event by every price in advance that reads it, as it would be billed if it came now.

    Only what it adds above the level reached so far costs anything. Amounts are rounded once, taxes as on a line.
    Raises NotFound (`subscription_not_found`), NoInstantCharge where no price in advance reads it, and what rating
    raises.
    """
    found = estimates.charges_of(events=[event])
    [contract] = contracts.of_subscriptions(subscription_ids=[found[0][0].pk])
    levels = Levels(contract=contract, at=at)
    return estimates.estimated(found=found, prices=[_price(contract, one, levels) for one in found])


def _price(contract: Contract, found: Found, levels: Levels) -> Price:
    _, prices, charge, sent = found
    event = _queued(sent)
    name = charge.metric.field_name
    match charge.metric.aggregation:
        case Aggregation.SUM if event.number(name) is None:
            return Price()
        case Aggregation.UNIQUE_COUNT if event.text(name) is None:
            return Price()
    where = contract.standing
    period = advance_rating.period_of(where.usage_schedule, started_at=where.started_at, at=event.timestamp)
    place = advance_levels.place_of(charge, event.properties)
    level = levels.level(charge=charge, period=period, place=place)
    by = levels.change(charge=charge, period=period, place=place, event=event)
    item, step = advance_rating.rate(
        contract=ContractFacts(
            subscription_id=contract.uuid,
            plan_id=prices.plan_uuid,
            plan_version=prices.number,
            currency=prices.currency,
            timezone=contract.timezone,
        ),
        charge=charge.facts(period=period, usage=()),
        place=place,
        level=level,
        by=by,
        event={"transaction_id": event.transaction_id},
        share=advance_rating.days_left(where.usage_schedule, at=event.timestamp) if charge.is_prorated else None,
    )
    return Price(
        units=item.units,
        total_units=step.after.units,
        events_count=item.events_count,
        precise_amount=item.precise_amount,
        unit_amount=item.unit_amount,
        pricing_unit=item.pricing_unit,
    )


def _queued(event: EventIn) -> QueuedEvent:
    properties: dict[str, Any] = json.loads(bytes(event.properties), parse_float=str, parse_int=str)
    return QueuedEvent(
        queue_id=0,
        withdraws=False,
        transaction_id=event.transaction_id,
        code=event.code,
        timestamp=event.timestamp,
        properties=properties,
        amount_cents=None if event.amount_cents is None else Decimal(event.amount_cents),
        fingerprint=0,
    )
