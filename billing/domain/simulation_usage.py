"""Usage that a simulation supposes: so many units of a metric a month, the same every month, growing, or with the
season. Owns its rules, and how a person writes it down; nothing in it is random.

What is counted in a period (counts and sums) is shared out by the days of the months that the period has. What is a
level (maxima, latest values, unique and recurring units, weighted sums) is that of the month in which the period ends,
held through all of the time billed. All of it falls under a charge's own price, none under its filters.
"""

from __future__ import annotations

import decimal
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from billing.domain import aggregation
from billing.domain.aggregation import Facts, Maximum, Sum
from billing.domain.contract import UsageFacts
from billing.domain.held_time import HeldTime
from billing.domain.prorated_usage import Held, Prorated
from billing.domain.weighted_sum import Weighted
from catalog.domain.metrics import Aggregation
from config.kernel import dates, errors, money

ZERO = Decimal(0)
ONE = Decimal(1)
MAX_UNITS = Decimal(10) ** 15
MAX_VALUES = 100_000
_HALF_YEAR = 6
_PLACES = 6
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_MICROSECOND = timedelta(microseconds=1)
_SECOND = Decimal(10**6)
_VOLUMES = (Aggregation.COUNT, Aggregation.SUM)


class InvalidUsage(errors.Invalid):
    """What is supposed of a metric makes no sense, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Supposed:
    """The units of a metric in the first month, and how they change.

    They grow by the fraction `growth` every month. The season adds the fraction `season` in the month `peak` of the
    year and takes it off half a year later, evenly in between. `events` is the number of events in the first month (a
    count has one for each unit, all others one in a period unless told); `amount` is what they carry in major units,
    which dynamic prices add up. Both change as the units do.
    """

    metric_code: str
    units: Decimal
    growth: Decimal = ZERO
    season: Decimal = ZERO
    peak: int = 12
    events: Decimal | None = None
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        fractions = -ONE <= self.growth <= ONE and ZERO <= self.season <= ONE
        sizes = [value for value in (self.units, self.events, self.amount) if value is not None]
        if not fractions or not 1 <= self.peak <= 12 or not all(ZERO <= value <= MAX_UNITS for value in sizes):
            raise refused(f"What is supposed of {self.metric_code} is out of range.")


def refused(message: str) -> InvalidUsage:
    """Return the refusal of usage that was given."""
    return InvalidUsage("invalid_synthetic_usage", message, {"synthetic_usage": ["value_is_invalid"]})


def parse(text: str) -> tuple[Supposed, ...]:
    """Read ``requests=10000,growth=5%;seats=12,season=30%,peak=12``: metrics apart by ";", each with its units first.

    Raises InvalidUsage with what cannot be read, for a metric that comes twice, and for none at all.
    """
    found = [_supposed(part) for part in text.split(";") if part.strip()]
    if not found:
        raise refused("Say at least one metric, as in requests=10000.")
    if len({one.metric_code for one in found}) < len(found):
        raise refused("A metric comes twice.")
    return tuple(found)


def factor(supposed: Supposed, *, month: date, since: date) -> Decimal:
    """Return what the units of the first month are multiplied with in a month; both are first days of months."""
    steps = (month.year - since.year) * 12 + month.month - since.month
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        away = abs((month.month - supposed.peak + _HALF_YEAR) % 12 - _HALF_YEAR)
        wave = ONE - Decimal(2 * away) / _HALF_YEAR
        base = ONE + supposed.growth
        grown = (base**steps if base else Decimal(steps == 0)) if steps >= 0 else ONE
        return grown * (ONE + supposed.season * wave)


def usage(
    supposed: Supposed,
    *,
    aggregation_type: Aggregation,
    is_recurring: bool,
    time: HeldTime,
    counts_time: bool,
    since: date,
    values_limit: int | None,
    group: dict[str, str | None],
) -> UsageFacts:
    """Return the usage of one charge in a time billed. `since` is the first day of the first month.

    Units of what is counted are whole, others have six decimals at most. Raises InvalidUsage where the values of single
    events matter and are too many.
    """
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        volume = _volume(supposed, time, since)
        last = time.last_day.replace(day=1)
        level = supposed.units * factor(supposed, month=last, since=since)
        is_volume = aggregation_type in _VOLUMES and not is_recurring
        units = supposed.units * volume if is_volume else level
        is_whole = aggregation_type in (Aggregation.COUNT, Aggregation.UNIQUE_COUNT)
        units = money.round_half_up(units, 0 if is_whole else _PLACES)
        count = _events(supposed, aggregation_type, units, volume)
        facts = _facts(aggregation_type, units, count, time) if counts_time else _plain(aggregation_type, units, count)
        return UsageFacts(
            facts,
            group=group,
            values=_values(supposed, units, count, values_limit),
            given_amount=ZERO if supposed.amount is None else supposed.amount * volume,
        )


def _volume(supposed: Supposed, time: HeldTime, since: date) -> Decimal:
    """Return how many first months' worth of units the days of a time billed have."""
    total, day, end = ZERO, time.first_day, time.last_day + timedelta(days=1)
    while day < end:
        month = day.replace(day=1)
        following = dates.add_months(month, 1)
        days = dates.days_between(day, min(following, end))
        total += factor(supposed, month=month, since=since) * days / dates.days_between(month, following)
        day = following
    return total


def _events(supposed: Supposed, kind: Aggregation, units: Decimal, volume: Decimal) -> int:
    if kind is Aggregation.COUNT:
        return int(units)
    if supposed.events is None:
        return 1 if units else 0
    return int(money.round_half_up(supposed.events * volume, 0))


def _values(supposed: Supposed, units: Decimal, count: int, limit: int | None) -> tuple[Decimal, ...]:
    """Return the values of the first events, all of the same size, as far as a price asks for them."""
    wanted = count if limit is None else min(count, limit)
    if wanted > MAX_VALUES:
        raise refused(
            f"A price of {supposed.metric_code} looks at every event, and there would be {count} of them: "
            f"suppose at most {MAX_VALUES} in a period."
        )
    return (units / count,) * wanted if wanted else ()


def _plain(kind: Aggregation, units: Decimal, count: int) -> Facts:
    if kind is Aggregation.SUM:
        return Sum(count, units)
    if kind is Aggregation.MAX:
        return Maximum(count, units if count else None)
    return aggregation.of(kind=kind, events_count=count, value=units if count else None)


def _facts(kind: Aggregation, units: Decimal, count: int, time: HeldTime) -> Facts:
    if kind is Aggregation.WEIGHTED_SUM:
        seconds = Decimal((time.billed.end - time.billed.start) // _MICROSECOND) / _SECOND
        return Weighted(count, units * seconds, units, time.seconds)
    days = dates.days_between(time.first_day, time.last_day) + 1
    return Prorated(kind, count, units, (Held(units, days),) if units else (), time.natural.days)


def _supposed(text: str) -> Supposed:
    given: dict[str, str] = {}
    code = ""
    for position, part in enumerate(text.split(",")):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not name or not value or name in given:
            raise refused(f"{part.strip() or text.strip()!r} cannot be read: write requests=10000,growth=5%.")
        if position == 0:
            code = name
        given["units" if position == 0 else name] = value
    return Supposed(
        metric_code=code,
        units=_number(given.pop("units"), code),
        growth=_number(given.pop("growth", "0"), "growth"),
        season=_number(given.pop("season", "0"), "season"),
        peak=_month(given.pop("peak", "12")),
        events=_optional(given, "events"),
        amount=_optional(given, "amount"),
        **_nothing_left(given),
    )


def _optional(given: dict[str, str], name: str) -> Decimal | None:
    return _number(given.pop(name), name) if name in given else None


def _nothing_left(given: dict[str, str]) -> dict[str, Decimal]:
    known: Sequence[str] = ("growth", "season", "peak", "events", "amount")
    if given:
        raise refused(f"{next(iter(given))} is not known here; there are {', '.join(known)}.")
    return {}


def _number(text: str, name: str) -> Decimal:
    percent = name in {"growth", "season"}
    digits = text.removesuffix("%").strip() if percent else text
    if not _NUMBER.fullmatch(digits) or (percent and "%" not in text and digits != "0"):
        raise refused(f"{name}={text} cannot be read: {'write 5%' if percent else 'write plain digits'}.")
    return Decimal(digits) / 100 if percent else Decimal(digits)


def _month(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:3]) <= 12:
        raise refused(f"peak={text} is no month: write 1 to 12.")
    return int(text)
