"""Usage that is paid in advance: what one event adds to what was billed. Owns the high-water mark and the difference of
two prices; which events there are and what becomes of the amount is told elsewhere.

An event costs what all usage of its period costs with it, less what it cost without it. Only units above the highest
level so far are new, so what was taken back is not refunded, and what comes again is not charged again. Events count in
the order in which they are billed. Prices are the charge models' own; no usage at all costs nothing, so the flat amount
of a range is due when the range opens.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from billing.domain.proration import Share
from catalog.domain import decimals
from catalog.domain.filters import Filter
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import models, values
from catalog.domain.pricing.models import Properties
from catalog.domain.pricing.percentage import Percentage
from config.kernel import money

ZERO = Decimal(0)
ONE = Decimal(1)
REMOVE = "remove"
_NOTHING = values.PriceResult(ZERO, ZERO)
_RATES = frozenset({"rate", "fixed_fee_unit_amount"})
DAYS_PLACES = 5


@dataclass(frozen=True, slots=True)
class Level:
    """How far the usage of one price has come in a period.

    `base` are the units carried over into it, `units` those that are there, `peak` the most there were. `days_units`
    are the new units times the share of the period that was left, each rounded up to 5 decimals. `given_amount` are the
    amounts that events carried, in major units, `found` the first values of events, as many as free ones depend on.
    """

    events_count: int = 0
    base: Decimal = ZERO
    units: Decimal = ZERO
    peak: Decimal = ZERO
    days_units: Decimal = ZERO
    given_amount: Decimal = ZERO
    found: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What an event does to a level: the units it adds or takes, the value that its price looks at, its own amount."""

    units: Decimal
    value: Decimal
    given_amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Step:
    """A level before and after an event. `value` is what the price of the event looks at, if it is a transaction:
    a unique value that is not new is none.
    """

    before: Level
    after: Level
    value: Decimal | None = None
    share: Share | None = None

    @property
    def new_units(self) -> Decimal:
        """Return the units that are billed: those above every level before."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return self.after.peak - self.before.peak

    @property
    def days_units(self) -> Decimal:
        """Return the new units for the days that are left, rounded up to 5 decimals."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return self.after.days_units - self.before.days_units


@dataclass(frozen=True, slots=True)
class Priced:
    """The price of all usage with an event and without it, in major units of the price, unrounded. `details` are what
    the API tells of the event's own part of it.
    """

    with_event: Decimal
    without_event: Decimal
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def amount(self) -> Decimal:
        """Return the difference; never less than nothing."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return max(self.with_event - self.without_event, ZERO)


def opened(base: Decimal) -> Level:
    """Return the level at the start of a period into which units are carried over; they are billed already."""
    units = max(base, ZERO)
    return Level(base=units, units=units, peak=units)


def change(*, kind: Aggregation, value: Decimal | None, adds: bool, is_there: bool, given: Decimal = ZERO) -> Change:
    """Return what an event changes by the metric's aggregation.

    `value` is the number that a sum reads; `adds` and `is_there` are of the value that a unique count reads: if the
    event adds it, and whether it is there before. Adding what is there changes nothing, nor does removing what is not.
    """
    match kind:
        case Aggregation.UNIQUE_COUNT:
            units = ZERO if adds == is_there else (ONE if adds else -ONE)
            return Change(units, max(units, ZERO))
        case Aggregation.SUM:
            return Change(value or ZERO, value or ZERO, given)
        case _:
            return Change(ONE, ONE)


def step(*, level: Level, by: Change, terms: Properties, kind: Aggregation, share: Share | None = None) -> Step:
    """Return the level before and after an event. `share` are the days left of the period's, where they count."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        units = level.units + by.units
        peak = max(level.peak, units)
        value = None if kind is Aggregation.UNIQUE_COUNT and peak == level.peak else by.value
        days_units = level.days_units
        if share is not None:
            days_units += money.ceil_to(share.of(peak - level.peak), DAYS_PLACES)
        after = Level(
            events_count=level.events_count + 1,
            base=level.base,
            units=units,
            peak=peak,
            days_units=days_units,
            given_amount=level.given_amount + by.given_amount,
            found=_kept(level.found, value, terms),
        )
    return Step(level, after, value, share)


def taken_back(*, level: Level, by: Change) -> Level:
    """Return the level without an event that was withdrawn. What it cost stays billed, and the peak with it."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return replace(
            level,
            events_count=max(level.events_count - 1, 0),
            units=level.units - by.units,
            given_amount=level.given_amount - by.given_amount,
        )


def opposite(by: Change) -> Change:
    """Return the change that undoes what another one did to the units."""
    return replace(by, units=-by.units)


def price(*, step: Step, terms: Properties, kind: Aggregation) -> Priced:
    """Price an event: all usage with it and without it. Where days count, its new units alone for the days left.

    Raises what the charge model's `price` raises.
    """
    if step.share is not None:
        return Priced(models.price(properties=terms, usage=values.Usage(units=step.days_units)).amount, ZERO)
    with_event = step.after
    if _reads_values(terms) and step.value is not None:
        with_event = replace(step.after, found=(*step.before.found, step.value))
    after, before = _price(with_event, terms, kind), _price(step.before, terms, kind)
    return Priced(after.amount, before.amount, _details(after.details, before.details, terms))


def counted_days(level: Level) -> Decimal:
    """Return the units that all usage of a period so far is priced on where days count."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return level.base + level.days_units


def choose_filter(*, filters: Sequence[Filter], properties: Mapping[str, str | None]) -> Filter | None:
    """Return the filter of an event: of those that take it the one that names most properties, the first of several."""
    taking = [one for one in filters if one.values and one.accepts(properties)]
    return max(taking, key=lambda one: len(one.values), default=None)


def _details(after: values.Details, before: values.Details, terms: Properties) -> dict[str, object]:
    """Return what an event adds to each figure of a percentage; other models tell nothing of single events."""
    if not isinstance(terms, Percentage) or not after:
        return {}
    found: dict[str, object] = {}
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for name, value in after.items():
            if name in _RATES:
                found[name] = value
            elif isinstance(value, int):
                found[name] = value - int(str(before.get(name, 0)))
            else:
                found[name] = decimals.text(Decimal(str(value)) - Decimal(str(before.get(name, 0))))
    return found


def _price(level: Level, terms: Properties, kind: Aggregation) -> values.PriceResult:
    if not level.peak:
        return _NOTHING
    transactions = int(level.peak) if kind is Aggregation.UNIQUE_COUNT else level.events_count
    if isinstance(terms, Percentage) and terms.has_limits:
        # Each event is priced alone here, so those that came after everything free do not matter.
        transactions = len(level.found)
        if not transactions:
            return _NOTHING
    usage = values.Usage(
        units=level.peak, events_count=transactions, values=level.found, given_amount=level.given_amount
    )
    return models.price(properties=terms, usage=usage)


def _reads_values(terms: Properties) -> bool:
    return isinstance(terms, Percentage) and terms.needs_values


def _kept(found: tuple[Decimal, ...], value: Decimal | None, terms: Properties) -> tuple[Decimal, ...]:
    """Return the first values of events, up to the one with which nothing free is left."""
    if value is None or not isinstance(terms, Percentage) or not (terms.free_events or terms.free_value):
        return found
    if terms.free_events and len(found) >= terms.free_events:
        return found
    if terms.free_value and sum(found, ZERO) > terms.free_value:
        return found
    return (*found, value)
