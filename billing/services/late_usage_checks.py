"""Rating billed periods anew, because events came for them. Owns the entries of the inbox while they are held: what
they come to by all events of now. What is decided about them is `late_usage`'s.

A period is rated as it was: by the price list, the time zone and the days that it was billed by.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from moneyed import Money

from billing.domain import held_time, pauses, trace
from billing.domain.proration import Share
from billing.domain.standing import Due
from billing.models import BilledPeriod, LateUsage, LateUsageCheck, RatedCharge
from billing.queries import contracts, event_windows, late_usage_arrivals, late_usage_marks
from billing.queries.late_usage_arrivals import Arrived
from billing.services import bills
from billing.services.bills import Bill
from catalog.domain.intervals import Interval
from catalog.models import Charge
from config.kernel import dates, db, money
from config.kernel.dates import Period
from customers.models import Customer

ZERO = Decimal(0)
_PLACES = 15


@dataclass(frozen=True, slots=True)
class _Place:
    """What an item is about, as entries name it: rows of the price list that billed the period, and the group."""

    charge_id: int
    charge_filter_id: int | None
    group: Mapping[str, str | None]
    is_true_up: bool

    @property
    def arrivals(self) -> tuple[Any, Any, Any]:
        """The key of what came for it."""
        return self.charge_id, self.charge_filter_id, tuple(sorted(self.group.items()))


@dataclass(frozen=True, slots=True)
class _State:
    """What an item comes to, or came to before: units and amount, the trace of all its usage, and what was surely seen.

    ``about`` are the inputs of a trace of it, also where there is no usage left.
    """

    units: Decimal
    amount: Money
    trace: Mapping[str, Any] | None
    about: Mapping[str, Any]
    horizon: int

    @property
    def digest(self) -> str:
        """The digest of the events; the same for no trace and for no events."""
        return str(self._usage.get("events_digest", "0"))

    @property
    def events(self) -> int:
        """How many events count."""
        return int(self._usage.get("events_count", 0))

    @property
    def _usage(self) -> Mapping[str, Any]:
        """The usage that was rated: of a line that a person adjusted, what it was before."""
        inputs = {} if self.trace is None else self.trace["inputs"]
        found: Mapping[str, Any] = (inputs.get("was") or {}).get("inputs", inputs).get("usage", {})
        return found


@transaction.atomic
def check(*, check_id: int, at: datetime) -> list[LateUsage]:
    """Rate a period anew and bring its held entries up to date; return those that are held now.

    Only items whose events are others than those that were rated before are looked at: a metric or tax that was changed
    since makes no late usage. What has no money effect is written down as such. Removes the check. Idempotent; one that
    is under way elsewhere is left to it. Takes the lock of the customer. Raises what rating raises.
    """
    rows = LateUsageCheck.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    wanted = rows.filter(pk=check_id).first()
    if wanted is None:
        return []
    period = BilledPeriod.objects.select_related("subscription__plan_version", "plan_version").get(pk=wanted.period_id)
    db.lock_one(Customer.objects.filter(pk=period.subscription.customer_id))
    horizon = late_usage_marks.horizon()
    bill = _rated(period)
    _reconcile(period, bill, horizon=horizon, at=at)
    LateUsageCheck.objects.filter(pk=wanted.pk).delete()
    held = LateUsage.objects.filter(period=period, state=LateUsage.State.HELD)
    return list(held.select_related("subscription__customer", "charge").order_by("pk"))


def unexplained(*, period: BilledPeriod) -> list[str]:
    """Rate a period anew and say what differs from what was billed or decided though no event came, in words.

    Usage that came since is no difference: it is late usage, found by its job. Reads only. Raises what rating raises.
    """
    rows = list(LateUsage.objects.filter(period=period).order_by("pk"))
    bill = _rated(period)
    now, places = _now(bill, period.usage_horizon)
    before = _before(period, rows, bill.price_list.currency, places)
    nothing = _State(ZERO, money.zero(bill.price_list.currency), None, {}, period.usage_horizon)
    known = {row.item_key for row in rows if row.state == LateUsage.State.HELD}
    changed = {key for key in places if now.get(key, nothing).digest != before.get(key, nothing).digest} - known
    if not changed:
        return []
    came = _arrived(bill, since=min(before.get(key, nothing).horizon for key in changed), of=changed)
    return [
        f"{now.get(key, nothing).events} events of {now.get(key, nothing).units.normalize():f} units were sent, "
        f"{before.get(key, nothing).events} of {before.get(key, nothing).units.normalize():f} were billed"
        for key in sorted(changed)
        if places[key].arrivals not in came
    ]


def _rated(period: BilledPeriod) -> Bill:
    version = period.plan_version or period.subscription.plan_version
    (contract,) = contracts.of_subscriptions(subscription_ids=[period.subscription_id])
    where = contract.standing
    schedule = replace(where.schedule, interval=Interval(version.interval), timezone=dates.zone(period.timezone))
    standing = replace(where, schedule=schedule, charges_monthly=version.bill_charges_monthly)
    contract = replace(contract, plan_version_id=version.pk, timezone=period.timezone, standing=standing)
    (bill,) = bills.rate(wanted=[(contract, _due(period))])
    return bill


def _due(period: BilledPeriod) -> Due:
    return Due(
        billing_date=period.billing_date,
        due_at=period.to_at,
        fee=Period(period.from_at, period.to_at),
        charges=Period(period.charges_from_at, period.charges_to_at),
        share=Share(period.days, period.of_days),
        is_last=period.reason == BilledPeriod.Reason.TERMINATING,
        is_first=period.reason == BilledPeriod.Reason.STARTING,
        bills_fee=False,
    )


def _reconcile(period: BilledPeriod, bill: Bill, *, horizon: int, at: datetime) -> None:
    rows = list(LateUsage.objects.filter(period=period).order_by("pk"))
    held = {row.item_key: row for row in rows if row.state == LateUsage.State.HELD}
    now, places = _now(bill, horizon)
    before = _before(period, rows, bill.price_list.currency, places)
    for row in held.values():
        places[row.item_key] = _place(row)
    nothing = _State(ZERO, money.zero(bill.price_list.currency), None, {}, period.usage_horizon)
    changed = {key for key in places if now.get(key, nothing).digest != before.get(key, nothing).digest} | set(held)
    touched = {places[key].charge_id for key in changed}
    changed |= {key for key, place in places.items() if place.is_true_up and place.charge_id in touched}
    came = _arrived(bill, since=min((before.get(key, nothing).horizon for key in changed), default=horizon), of=changed)
    for key in sorted(changed):
        state, last = now.get(key, nothing), before.get(key, nothing)
        row = held.get(key)
        if row is None:
            if state.digest == last.digest and state.amount == last.amount:
                continue
            row = LateUsage(created_at=at, subscription_id=period.subscription_id, period=period, item_key=key)
        _write(row, places[key], state, last, came.get(places[key].arrivals), horizon=horizon, at=at)


def _write(
    row: LateUsage, place: _Place, state: _State, last: _State, came: Arrived | None, *, horizon: int, at: datetime
) -> None:
    written = trace.of_late_usage(
        now=None if state.trace is None else dict(state.trace),
        about=state.about or last.about or row.trace["inputs"],
        settled=last.amount.amount,
        later=ZERO,
    )
    row.charge_id, row.charge_filter_id = place.charge_id, place.charge_filter_id
    row.group, row.is_true_up = dict(place.group), place.is_true_up
    row.currency = state.amount.currency.code
    row.settled_amount, row.total_amount = last.amount, state.amount
    row.amount = state.amount - last.amount
    row.state = LateUsage.State.HELD if row.amount.amount else LateUsage.State.NO_EFFECT
    row.settled_units, row.total_units = last.units, state.units
    row.events_count = state.events - last.events
    row.first_received_at = None if came is None or place.is_true_up else came.first_at
    row.last_received_at = None if came is None or place.is_true_up else came.last_at
    row.trace, row.trace_sha256 = written, trace.digest(written)
    row.horizon, row.updated_at, row.note = horizon, at, ""
    row.save()


def _now(bill: Bill, horizon: int) -> tuple[dict[int, _State], dict[int, _Place]]:
    """What all usage comes to by item, and what the items are about.

    Usage that is paid in advance is left out: it is billed event by event, whenever the events come.
    """
    charges = {one.key: one for one in bill.price_list.charges}
    paid_in_advance = set(
        Charge.objects.filter(plan_version_id=bill.price_list.version_id, pay_in_advance=True).values_list(
            "pk", flat=True
        )
    )
    states: dict[int, _State] = {}
    places: dict[int, _Place] = {}
    for item in bill.items:
        charge = charges.get(str(item.charge_id))
        if charge is None or charge.id in paid_in_advance:
            continue
        key, units = bills.key(item), money.round_half_up(item.units, _PLACES)
        states[key] = _State(units, item.amount, item.trace, item.trace["inputs"], horizon)
        filter_id = None if item.filter_id is None else charge.filter_ids[str(item.filter_id)]
        places[key] = _Place(charge.id, filter_id, dict(item.group), item.is_true_up)
    return states, places


def _before(
    period: BilledPeriod, rows: Sequence[LateUsage], currency: str, places: dict[int, _Place]
) -> dict[int, _State]:
    """What was billed or decided by item: the amounts of all of it, and the usage of the last of it."""
    found: dict[int, _State] = {}
    billed = RatedCharge.objects.filter(
        period=period,
        released_at__isnull=True,
        charge__isnull=False,
        charge__pay_in_advance=False,
        event_transaction_id__isnull=True,
        line__late_usage__isnull=True,
    )
    for rated in billed.select_related("line"):
        inputs = rated.trace["inputs"]
        state = _State(rated.line.units, rated.line.agreed_amount, rated.trace, inputs, period.usage_horizon)
        found[rated.item_key], places[rated.item_key] = state, _place(rated)
    for row in rows:
        if row.state == LateUsage.State.HELD:
            continue
        known, inputs = found.get(row.item_key), row.trace["inputs"]
        settled = row.amount + (money.zero(currency) if known is None else known.amount)
        found[row.item_key] = _State(row.total_units, settled, inputs["now"], inputs, row.horizon)
        places[row.item_key] = _place(row)
    return found


def _place(row: RatedCharge | LateUsage) -> _Place:
    is_true_up = row.is_true_up if isinstance(row, LateUsage) else row.trace["kind"] == trace.TRUE_UP
    return _Place(row.charge_id, row.charge_filter_id, row.group, is_true_up)


def _arrived(bill: Bill, *, since: int, of: Collection[int]) -> dict[Any, Arrived]:
    """What was written since a mark, by charge, filter and group."""
    if not of:
        return {}
    windows = [
        event_windows.of_charge(
            id=charge.id,
            charge=charge,
            external_subscription_id=bill.contract.external_id,
            period=bill.due.charges,
            held=held_time.of(
                bill.contract.standing.usage_schedule,
                bill.due.charges,
                skips_first_day=pauses.skips_first_day(bill.contract.standing, bill.due.charges),
            ),
        )
        for charge in bill.price_list.charges
    ]
    filters = {charge.id: charge.filter_ids for charge in bill.price_list.charges}
    return {
        (charge_id, None if filter_id is None else filters[charge_id][str(filter_id)], group): one
        for (charge_id, filter_id, group), one in late_usage_arrivals.arrived(windows=windows, since=since).items()
    }
