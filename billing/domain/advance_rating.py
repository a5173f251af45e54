"""From an event that is paid in advance to the item that bills it. Owns rounding it, and what the item tells beside its
amount; how much it comes to is `advance`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from moneyed import Money

from billing.domain import advance, periods, pricing_units, trace
from billing.domain.advance import Change, Level, Step
from billing.domain.contract import ChargeFacts, ContractFacts, Id
from billing.domain.periods import Schedule
from billing.domain.proration import Share
from billing.domain.rating import ItemKind, RatedItem
from catalog.domain.pricing import properties, values
from config.kernel import dates, money
from config.kernel.dates import Period


@dataclass(frozen=True, slots=True)
class Place:
    """The price that an event falls to: a filter of the charge (none: the charge's own price) and a group."""

    filter_id: Id | None = None
    group: Mapping[str, str | None] = field(default_factory=dict)


def period_of(schedule: Schedule, *, started_at: datetime, at: datetime) -> Period:
    """Return the period in which an event counts: the natural one of its instant, from the subscription's start on."""
    natural = periods.period_at(schedule, at).period
    return Period(min(max(natural.start, started_at), natural.end), natural.end)


def days_left(schedule: Schedule, *, at: datetime) -> Share:
    """Return the days from the event's local day to the end of its natural period, its own day included."""
    natural = periods.period_at(schedule, at)
    day = dates.local_date(at, schedule.timezone)
    return Share(dates.days_between(day, natural.next_first_day), natural.days)


def rate(
    *,
    contract: ContractFacts,
    charge: ChargeFacts,
    place: Place,
    level: Level,
    by: Change,
    event: Mapping[str, str],
    share: Share | None = None,
) -> tuple[RatedItem, Step]:
    """Rate one event on top of a level, and return its item with the step that it makes.

    `event` is what the trace tells of it, `share` the days left where units count by days. The amount is rounded once,
    half up, to the currency (and in a pricing unit first); the metric's rounding does not touch single events. Raises
    InvalidProperties, and what the charge model raises.
    """
    price_filter = next((one for one in charge.filters if one.id == place.filter_id), None)
    raw = charge.properties if price_filter is None else price_filter.properties
    terms = properties.parse(model=charge.model, raw=raw)
    step = advance.step(level=level, by=by, terms=terms, kind=charge.aggregation, share=share)
    priced = advance.price(step=step, terms=terms, kind=charge.aggregation)
    new_units, unit = step.new_units, charge.pricing_unit
    amount, unit_amount = priced.amount, values.average(priced.amount, new_units if share is None else step.days_units)
    details = None
    if unit is not None:
        details = pricing_units.details(unit=unit, amount=amount, unit_amount=unit_amount)
        amount = pricing_units.in_money(amount=amount, conversion_rate=unit.conversion_rate)
        unit_amount = pricing_units.unit_price(amount=unit_amount, conversion_rate=unit.conversion_rate)
    item = RatedItem(
        kind=ItemKind.CHARGE,
        units=new_units,
        events_count=1,
        precise_amount=amount,
        amount=Money(money.quantize(amount, currency=contract.currency), contract.currency),
        unit_amount=unit_amount,
        period=charge.period,
        trace=trace.of_event(
            contract=contract,
            charge=charge,
            filter_id=place.filter_id,
            group=place.group,
            event=event,
            terms=terms,
            step=step,
            priced=priced,
        ),
        amount_details=priced.details,
        charge_id=charge.id,
        filter_id=place.filter_id,
        group=place.group,
        name=charge.name,
        filter_name="" if price_filter is None else price_filter.name,
        filter_values={} if price_filter is None else price_filter.values,
        total_units=max(step.after.units, values.ZERO),
        pricing_unit=details,
    )
    return item, step
