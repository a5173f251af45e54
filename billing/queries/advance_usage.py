"""The running usage of charges that are paid in advance. Owns what it is priced on: all that was billed in the period,
what was taken back since included, while the units that are there now are shown. Never writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from billing.domain import advance, aggregation, identity
from billing.domain.advance import Level
from billing.domain.aggregation import Sum, Unique
from billing.domain.contract import UsageFacts
from billing.domain.prorated_usage import Held, Prorated
from billing.domain.rating import RatedItem
from billing.models import AdvanceLevel
from billing.queries.price_lists import PricedCharge

_ZONES = timedelta(hours=26)


def of_period(
    *, subscription_id: int, started_at: datetime, from_at: datetime, item_key: int | None = None
) -> list[AdvanceLevel]:
    """Return the stored levels of a subscription in the period that starts at an instant, of all prices or of one.

    A change of the time zone moves that instant by up to 26 hours and opens no new period: the levels go on. Only one
    that begins with the subscription may be of a shorter period before.
    """
    rows = AdvanceLevel.objects.filter(
        subscription_id=subscription_id, from_at__gt=from_at - _ZONES, from_at__lt=from_at + _ZONES
    )
    if from_at > started_at:
        rows = rows.exclude(from_at=started_at)
    if item_key is not None:
        rows = rows.filter(item_key=item_key)
    return sorted(rows, key=lambda row: row.from_at != from_at)


def levels(
    *, subscription_id: int, started_at: datetime, from_at: datetime, charges: Sequence[PricedCharge]
) -> dict[int, Level]:
    """Return the levels of a subscription in the period that starts at an instant, by their keys. One query at most."""
    if not any(charge.pay_in_advance for charge in charges):
        return {}
    rows = of_period(subscription_id=subscription_id, started_at=started_at, from_at=from_at)
    return {
        row.item_key: Level(base=row.base, units=row.units, peak=row.peak, days_units=row.days_units)
        for row in reversed(rows)
    }


def billed(
    *, charge: PricedCharge, usage: Sequence[UsageFacts], levels: Mapping[int, Level]
) -> tuple[list[UsageFacts], dict[object, Decimal]]:
    """Return the usage of a charge as it is priced, and the units to be shown by bucket where those are others."""
    found: list[UsageFacts] = []
    shown: dict[object, Decimal] = {}
    for part in usage:
        level = levels.get(_key(charge, part.filter_id, part.group))
        if level is None or not charge.pay_in_advance:
            found.append(part)
            continue
        total = aggregation.shown_units(facts=part.facts, rounding_rule=charge.metric.rounding)
        shown[part.key] = total
        found.append(replace(part, facts=_priced(charge, part, level)))
    return found, shown


def as_shown(item: RatedItem, shown: Mapping[object, Decimal]) -> RatedItem:
    """Return an item with the units that are shown of it."""
    key = item.filter_id, tuple((name, item.group[name]) for name in sorted(item.group))
    return replace(item, units=shown[key]) if key in shown else item


def _priced(charge: PricedCharge, part: UsageFacts, level: Level) -> aggregation.Facts:
    facts = part.facts
    match facts:
        case Prorated():
            return replace(facts, held=(Held(advance.counted_days(level), 1),), of_days=1)
        case Sum():
            return Sum(facts.events_count, max(level.peak, facts.total))
        case Unique():
            return Unique(facts.events_count, max(int(level.peak), facts.count))
        case _:
            return facts


def _key(charge: PricedCharge, filter_id: object, group: Mapping[str, str | None]) -> int:
    return identity.item_key(
        charge_key=charge.key, filter_key=None if filter_id is None else str(filter_id), group=group
    )
