"""The stored levels of usage that is paid in advance. Owns opening one for a period, and which unique values are there;
what an event makes of a level is `billing.domain.advance`'s.

Whoever bills holds the customer's row, so a level is read and written by one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.domain import advance, advance_rating, identity, pricing_units
from billing.domain.advance import Change, Level
from billing.domain.advance_rating import Place
from billing.models import AdvanceLevel, AdvanceValue
from billing.queries import advance_events, advance_usage, event_windows
from billing.queries.advance_events import Bucket, QueuedEvent
from billing.queries.contracts import Contract
from billing.queries.price_lists import PricedCharge
from catalog.domain import filters
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import groups
from config.kernel import money
from config.kernel.dates import Period

_OPERATION = "operation_type"
_FIGURES = ("base", "units", "peak", "days_units", "given_amount")


@dataclass
class Levels:
    """The levels of one subscription while some of its events are billed; `save` writes what has changed."""

    contract: Contract
    at: datetime
    rows: dict[tuple[datetime, int], AdvanceLevel] = field(default_factory=dict)
    carried: dict[tuple[str, datetime], dict[Bucket, Decimal]] = field(default_factory=dict)
    there: dict[tuple[datetime, int, str], bool] = field(default_factory=dict)

    def level(self, *, charge: PricedCharge, period: Period, place: Place) -> Level:
        """Return the level of a price in a period: the stored one, or a new one from what was carried over into it."""
        row = self._row(charge, period, place)
        figures = {name: money.DECIMAL_CONTEXT.normalize(getattr(row, name)) for name in _FIGURES}
        found = tuple(Decimal(value) for value in row.values)
        return Level(events_count=row.events_count, **figures, found=found)

    def put(self, *, charge: PricedCharge, period: Period, place: Place, level: Level) -> None:
        """Keep a level for `save`."""
        row = self._row(charge, period, place)
        for name in _FIGURES:
            setattr(row, name, getattr(level, name))
        row.events_count = level.events_count
        row.values = [str(value) for value in level.found]

    def change(self, *, charge: PricedCharge, period: Period, place: Place, event: QueuedEvent) -> Change:
        """Return what an event changes."""
        adds = event.properties.get(_OPERATION) != advance.REMOVE
        is_there = False
        if charge.metric.aggregation is Aggregation.UNIQUE_COUNT:
            value = event.text(charge.metric.field_name) or ""
            is_there = self._is_there(charge, period, place, value)
            if event.withdraws:
                adds = self._is_left(charge, period, place, value, event)
            self.there[period.start, key(charge, place), value] = adds
        return advance.change(
            kind=charge.metric.aggregation,
            value=event.number(charge.metric.field_name),
            adds=adds,
            is_there=is_there,
            given=_carried(charge, event),
        )

    def save(self) -> None:
        """Write the levels and the unique values."""
        new = [row for row in self.rows.values() if row.pk is None]
        known = [row for row in self.rows.values() if row.pk is not None]
        for row in self.rows.values():
            row.updated_at = self.at
        AdvanceLevel.objects.bulk_create(new)
        AdvanceLevel.objects.bulk_update(known, ["events_count", *_FIGURES, "values", "updated_at"])
        for (start, item_key, value), is_there in self.there.items():
            changed = AdvanceValue.objects.filter(level=self.rows[start, item_key], value=value)
            if not changed.update(is_there=is_there):
                AdvanceValue.objects.create(level=self.rows[start, item_key], value=value, is_there=is_there)

    def _row(self, charge: PricedCharge, period: Period, place: Place) -> AdvanceLevel:
        item_key = key(charge, place)
        row = self.rows.get((period.start, item_key))
        if row is None:
            known = {"subscription_id": self.contract.subscription_id, "from_at": period.start, "item_key": item_key}
            started_at = self.contract.standing.started_at
            stored = advance_usage.of_period(**known, started_at=started_at)
            if stored:
                row = stored[0]
            else:
                level = advance.opened(self._carried_over(charge, period, place))
                row = AdvanceLevel(**known, base=level.base, units=level.units, peak=level.peak)
            self.rows[period.start, item_key] = row
        return row

    def _carried_over(self, charge: PricedCharge, period: Period, place: Place) -> Decimal:
        if not charge.metric.is_recurring:
            return advance.ZERO
        if (charge.key, period.start) not in self.carried:
            self.carried[charge.key, period.start] = advance_events.carried_over(
                contract=self.contract, charge=charge, period=period
            )
        return self.carried[charge.key, period.start].get(_bucket(place), advance.ZERO)

    def _is_there(self, charge: PricedCharge, period: Period, place: Place, value: str) -> bool:
        item_key = key(charge, place)
        known = self.there.get((period.start, item_key, value))
        if known is not None:
            return known
        row = self.rows.get((period.start, item_key))
        stored = None if row is None or row.pk is None else row.unique_values.filter(value=value).first()
        if stored is not None:
            return stored.is_there
        if not charge.metric.is_recurring:
            return False
        found = advance_events.operations(contract=self.contract, charge=charge, value=value, before=period.start)
        return _ends_there(charge, place, found)

    def _is_left(self, charge: PricedCharge, period: Period, place: Place, value: str, withdrawal: QueuedEvent) -> bool:
        """Say whether a value is there without an event that is withdrawn: another one may have added it too."""
        found = advance_events.operations(
            contract=self.contract,
            charge=charge,
            value=value,
            since=None if charge.metric.is_recurring else period.start,
            before=period.end,
            but_queued_after=withdrawal.queue_id,
        )
        return _ends_there(charge, place, found)


def place_of(charge: PricedCharge, properties: Mapping[str, Any]) -> Place:
    """Return the filter and the group that an event with these properties falls to."""
    resolved = [
        filters.resolve(filter_id=row.id, values=row.values, declared=charge.metric.declared) for row in charge.filters
    ]
    texts = {name: filters.as_text(value) for name, value in properties.items()}
    chosen = advance.choose_filter(filters=resolved, properties=texts)
    filter_id = None if chosen is None else chosen.id
    raw = next((row.properties for row in charge.filters if row.id == filter_id), charge.properties)
    return advance_rating.Place(filter_id, {name: texts.get(name) for name in groups.parse(raw)})


def key(charge: PricedCharge, place: Place) -> int:
    """Return the key of a price that outlives the versions of a plan."""
    return identity.item_key(
        charge_key=charge.key,
        filter_key=None if place.filter_id is None else str(place.filter_id),
        group=place.group,
    )


def _carried(charge: PricedCharge, event: QueuedEvent) -> Decimal:
    digits = event_windows.amount_digits(charge)
    if digits is None or event.amount_cents is None:
        return advance.ZERO
    return pricing_units.carried(amount=event.amount_cents, digits=digits)


def _ends_there(charge: PricedCharge, place: Place, operations: Iterable[tuple[Mapping[str, Any], str | None]]) -> bool:
    last: str | None = advance.REMOVE
    for properties, operation in operations:
        if _bucket(place_of(charge, properties)) == _bucket(place):
            last = operation
    return last != advance.REMOVE


def _bucket(place: Place) -> Bucket:
    return None if place.filter_id is None else str(place.filter_id), tuple(place.group.items())
