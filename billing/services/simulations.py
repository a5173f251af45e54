"""Simulations: what contracts come to on their own plan, and on another one on the same usage. Owns playing them, chunk
by chunk, in transactions that can only read.

Due time, usage and prices go the way of real bills (`dues`, `bills`), so what was billed is what is simulated. A charge
that is paid in advance is rated by period here (see `simulation_usages`): its total is that of its single events,
but for their rounding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction

from billing.domain import held_time, simulation, simulation_comparison, simulation_usage
from billing.domain.contract import UsageFacts
from billing.domain.rating import ItemKind, RatedItem
from billing.domain.simulation import Frame, Played, PlayedLine
from billing.domain.simulation_comparison import Outcome
from billing.domain.simulation_usage import Supposed
from billing.domain.standing import Due
from billing.models import Subscription
from billing.queries import contracts, price_lists, simulation_contracts
from billing.queries.contracts import Contract
from billing.queries.event_windows import Window
from billing.queries.price_lists import PricedCharge, PriceList
from billing.queries.simulation_contracts import Subject
from billing.services import bills, simulation_offers, simulation_usages
from billing.services.bills import Bill
from billing.services.simulation_offers import Offer
from catalog.domain.pricing import groups
from catalog.models import PlanVersion
from config.kernel import dates, errors
from customers.models import Customer

MAX_WINDOWS = 6_000
"""Contracts times months times plans that a page or a request waits for; the command has no such bound."""

CHUNK = 1_200
"""Contracts times months that are read at once."""

_MICROSECONDS = Decimal(24 * 60 * 60 * 1_000_000)

Progress = Callable[[int, int], None]
"""Told the number of contracts done and in all."""


class TooMuch(errors.Invalid):
    """More than one waits for."""


class NothingSupposed(errors.Invalid):
    """A plan without customers has no usage of its own."""


@dataclass(frozen=True)
class Wanted:
    """What is to be simulated: the contracts of a subject, or one that does not exist on the plan ``alone``.

    ``other`` is the plan to compare with. ``supposed`` takes the place of stored usage, for every contract.
    """

    frame: Frame
    subject: Subject | None = None
    alone: Offer | None = None
    other: Offer | None = None
    supposed: tuple[Supposed, ...] = ()

    def __post_init__(self) -> None:
        if (self.subject is None) == (self.alone is None):
            raise ValueError("Either contracts of somebody are played, or a plan alone.")
        if self.alone is not None and not self.supposed:
            raise NothingSupposed(
                "synthetic_usage_is_mandatory",
                "A plan alone has no usage: say what to suppose.",
                {"synthetic_usage": ["value_is_mandatory"]},
            )


@dataclass(frozen=True)
class Side:
    """A contract on one of the plans, as if it began anew, and the time of it that is played."""

    contract: Contract
    prices: PriceList
    dues: tuple[Due, ...]


def count(*, wanted: Wanted) -> int:
    """Return how many contracts are played. Raises NotFound for a subject that does not exist."""
    if wanted.subject is None:
        return 1
    return simulation_contracts.ran(wanted.subject, frame=wanted.frame).count()


def demand_quick(*, wanted: Wanted) -> None:
    """Refuse what takes longer than somebody waits for a page. Raises TooMuch, and NotFound as `count` does."""
    contracts_count, months = count(wanted=wanted), len(wanted.frame.months)
    if contracts_count * months * (1 if wanted.other is None else 2) > MAX_WINDOWS:
        message = (
            f"{contracts_count} contracts over {months} months are too many to wait for. "
            "Choose fewer months, or run manage.py simulate."
        )
        raise TooMuch("simulation_too_large", message, {"base": ["simulation_too_large"]})


def play(*, wanted: Wanted, progress: Progress | None = None) -> Iterator[Outcome]:
    """Yield what each contract comes to, in the order of their making.

    Nothing is written: every chunk is read in a transaction that the database keeps from writing. The number of queries
    of a chunk does not depend on its contracts, and memory is bounded by it. Amounts are rounded as on invoices, once
    per line, and have no tax. Raises NotFound for a subject that does not exist, and what rating raises.
    """
    total, done = count(wanted=wanted), 0
    tell = progress or _silent
    tell(0, total)
    for rows in _pages(wanted):
        with reading():
            found = _outcomes(rows, wanted)
        yield from found
        done += len(rows)
        tell(done, max(done, total))


def _pages(wanted: Wanted) -> Iterator[list[Subscription]]:
    if wanted.alone is not None:
        yield [_imagined(wanted.alone, wanted.frame.first)]
    if wanted.subject is None:
        return
    rows = simulation_contracts.ran(wanted.subject, frame=wanted.frame)
    yield from simulation_contracts.pages(rows, page=max(1, CHUNK // len(wanted.frame.months)))


@contextmanager
def reading() -> Iterator[None]:
    """Open a transaction in which the database refuses to write."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        yield


def _outcomes(rows: Sequence[Subscription], wanted: Wanted) -> list[Outcome]:
    followed = simulation_contracts.following_versions(rows)
    lists = _lists(rows, followed, wanted)
    other = None if wanted.other is None else wanted.other.version
    firsts = simulation_contracts.first_starts({row.external_id for row in rows}) if other is not None else {}
    sides: list[Side] = []
    for row in rows:
        following = followed.get(row.pk)
        sides.append(_side(row, lists[row.plan_version_id], following, wanted.frame))
        if other is not None:
            moved = _moved(row, other, firsts)
            sides.append(_side(moved, lists[other.pk], following and other.pk, wanted.frame))
    played = iter(_played(sides, lists, wanted))
    return [_outcome(row, next(played), None if other is None else next(played), lists, wanted) for row in rows]


def _lists(rows: Sequence[Subscription], followed: Mapping[int, int], wanted: Wanted) -> dict[int, PriceList]:
    found = {}
    if wanted.alone is None:
        found = price_lists.load(version_ids={row.plan_version_id for row in rows} | set(followed.values()))
    for offer in (wanted.alone, wanted.other):
        if offer is not None:
            found[offer.version.pk] = offer.prices
    return {version_id: simulation_usages.unrounded(prices) for version_id, prices in found.items()}


def _side(row: Subscription, prices: PriceList, following: int | None, frame: Frame) -> Side:
    in_advance = {charge.pay_in_advance for charge in prices.fixed_charges}
    where = simulation.begun(
        replace(contracts.standing(row), has_fixed_arrears=False in in_advance, has_fixed_advance=True in in_advance),
        created_at=row.created_at,
        bills_backdated=row.backdated_billing == Subscription.BackdatedBilling.BILL,
    )
    contract = Contract(
        subscription_id=row.pk or 0,
        uuid=str(row.uuid),
        external_id=row.external_id,
        name=row.name,
        customer_id=row.customer_id or 0,
        billing_entity_id=row.seller_id or 0,
        grace_days=0,
        timezone=where.schedule.timezone.key,
        plan_version_id=row.plan_version_id,
        next_billing_date=where.next_billing_date,
        standing=where,
        next_plan_version_id=following,
    )
    agreed = row.terminated_at in (None, row.ending_at) or row.ended_by == Subscription.EndedBy.DOWNGRADE
    return Side(contract, prices, tuple(simulation.stretches(where, frame=frame, ends_as_agreed=agreed)))


def _moved(row: Subscription, version: PlanVersion, firsts: Mapping[tuple[str, int], datetime]) -> Subscription:
    """Return the same agreement on another plan from its start on, with that plan's trial. Never to be saved."""
    moved = Subscription(**{name: value for name, value in row.__dict__.items() if not name.startswith("_")})
    moved.customer = row.customer
    moved.plan_version = version
    moved.trial_ends_at = None
    started_at = row.started_at or row.subscription_at
    since = min(firsts.get((row.external_id, row.customer_id), started_at), started_at)
    ends_at = since + timedelta(microseconds=int(version.trial_period * _MICROSECONDS))
    if version.trial_period and ends_at > started_at:
        moved.trial_ends_at = ends_at
    return moved


def _imagined(offer: Offer, first: date) -> Subscription:
    """Return a contract that does not exist, from a first day on, in UTC. Never to be saved."""
    started_at = dates.start_of_day(first, dates.zone("UTC"))
    row = Subscription(
        external_id="",
        created_at=started_at,
        subscription_at=started_at,
        started_at=started_at,
        status=Subscription.Status.ACTIVE,
        plan_version=offer.version,
        customer=Customer(timezone="UTC"),
    )
    return _moved(row, offer.version, {})


def _played(sides: Sequence[Side], lists: Mapping[int, PriceList], wanted: Wanted) -> list[Played]:
    due = [(side.contract, due) for side in sides for due in side.dues]
    if wanted.supposed:
        read = functools.partial(_suppose, due=due, lists=lists, wanted=wanted)
    else:
        read = functools.partial(simulation_usages.read, due=due, lists=lists)
    rated = iter(bills.rate(wanted=due, lists=lists, read=read, with_advance=True) if due else ())
    return [_told(side, [next(rated) for _ in side.dues]) for side in sides]


def _told(side: Side, found: Sequence[Bill]) -> Played:
    items = [
        (item, _line(item, side.prices))
        for bill in found
        for item in bill.items
        if simulation_usages.is_owed(item, bill=bill)
    ]
    return simulation.told(currency=side.prices.currency, tz=side.contract.zone, items=items)


def _line(item: RatedItem, prices: PriceList) -> PlayedLine:
    charge = next((one for one in prices.charges if one.key == item.charge_id), None)
    fixed = next((one for one in prices.fixed_charges if one.key == item.fixed_charge_id), None)
    source = charge or fixed
    return PlayedLine(
        kind=item.kind,
        code=prices.plan_code if source is None else source.code,
        name=prices.invoice_name if item.kind is ItemKind.SUBSCRIPTION else item.name,
        units=item.units,
        events_count=item.events_count,
        amount=item.amount,
        metric_code="" if charge is None else charge.metric.code,
        filter_name=item.filter_name or ", ".join(", ".join(values) for values in item.filter_values.values()),
        group=item.group,
        is_true_up=item.is_true_up,
    )


def _outcome(
    row: Subscription, own: Played, other: Played | None, lists: Mapping[int, PriceList], wanted: Wanted
) -> Outcome:
    priced = lists[row.plan_version_id]
    found = Outcome(
        subscription=row.external_id,
        customer=row.customer.external_id,
        customer_name=row.customer.display_name if row.customer_id else "",
        plan=simulation_offers.label(row.plan_version) if wanted.alone is None else wanted.alone.label,
        interval=row.plan_version.interval,
        own=own,
    )
    versions = [row.plan_version, *([] if wanted.other is None else [wanted.other.version])]
    ended = row.terminated_at is not None and wanted.frame.holds(row.terminated_at, contracts.schedule_of(row).timezone)
    found = replace(found, has_unused=ended and any(version.pay_in_advance for version in versions))
    if wanted.other is None or other is None:
        return found
    if other.currency != own.currency:
        return replace(found, left_out=f"own plan in {own.currency}, other plan in {other.currency}")
    return replace(
        found,
        other=other,
        missing=simulation_comparison.unpriced(own, priced=wanted.other.metric_codes),
        added=simulation_comparison.unpriced(other, priced=frozenset(one.metric.code for one in priced.charges)),
    )


def _suppose(
    *,
    windows: Sequence[Window],
    due: Sequence[tuple[Contract, Due]],
    lists: Mapping[int, PriceList],
    wanted: Wanted,
) -> dict[Hashable, list[UsageFacts]]:
    """Return what is supposed of the metrics, for the windows through which stored usage would be looked at."""
    supposed = {one.metric_code: one for one in wanted.supposed}
    charges = {charge.key: charge for prices in lists.values() for charge in prices.charges}
    since = wanted.frame.first.replace(day=1)
    found: dict[Hashable, list[UsageFacts]] = {}
    for window in windows:
        number, key = window.id  # type: ignore[misc] # as bills number them
        charge, (contract, stretch) = charges[key], due[number]
        one = supposed.get(charge.metric.code)
        found[window.id] = [] if one is None else [_supposed(one, charge, window, contract, stretch, since)]
    return found


def _supposed(
    one: Supposed, charge: PricedCharge, window: Window, contract: Contract, stretch: Due, since: date
) -> UsageFacts:
    if window.amount_digits is not None and one.amount is None:
        raise simulation_usage.refused(
            f"The price of {one.metric_code} adds up the amounts of events: suppose an amount as well."
        )
    return simulation_usage.usage(
        one,
        aggregation_type=charge.metric.aggregation,
        is_recurring=charge.metric.is_recurring,
        time=held_time.of(contract.standing.usage_schedule, stretch.charges),
        counts_time=window.held is not None,
        since=since,
        values_limit=window.values_limit,
        group=groups.nowhere(charge.properties),
    )


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
