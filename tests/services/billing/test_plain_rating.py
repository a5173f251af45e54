"""A second, plain rating engine agrees with the product on random contracts, from the events to the cents."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.models import RatedCharge
from billing.services import runs
from config.kernel import money
from tests.domain.catalog import prices as random_prices
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import usage
from tests.factories.platform import ACTOR
from tests.plain import counting, periods, rating
from tests.plain.contracts import PlainCharge, PlainContract, PlainEvent, PlainFilter, PlainLine

pytestmark = pytest.mark.django_db

METERED = ["count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg", "weighted_sum_agg"]
LASTING = ["sum_agg", "unique_count_agg", "weighted_sum_agg"]
ZONES = ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]
REGIONS = ["de", "fr", "us"]
TEAMS = ["a", "b"]
AMOUNTS = random_prices.AMOUNTS

VALUES = st.one_of(
    st.integers(-3, 30).map(str),
    st.decimals(0, 30, places=2).map(lambda value: format(value, "f")),
    st.sampled_from(["1e3", "much", ""]),
)


@st.composite
def terms_of(draw: st.DrawFn, model: str) -> dict[str, Any]:
    match model:
        case "standard":
            return {"amount": draw(AMOUNTS)}
        case "graduated":
            return {"graduated_ranges": draw(random_prices.ranges())}
        case "volume":
            return {"volume_ranges": draw(random_prices.ranges())}
        case "graduated_percentage":
            return {"graduated_percentage_ranges": draw(random_prices.ranges("rate", random_prices.RATES))}
        case "package":
            return {
                "amount": draw(AMOUNTS),
                "package_size": draw(st.integers(1, 9)),
                "free_units": draw(st.integers(0, 9)),
            }
    free: dict[str, Any] = {}
    if draw(st.booleans()):
        free["free_units_per_events"] = draw(st.integers(1, 4))
    if draw(st.booleans()):
        free["free_units_per_total_aggregation"] = str(draw(st.integers(1, 40)))
    return {"rate": draw(random_prices.RATES), "fixed_amount": draw(AMOUNTS), **free}


@st.composite
def charges(draw: st.DrawFn, code: str) -> PlainCharge:
    recurring = draw(st.booleans())
    kind = draw(st.sampled_from(LASTING if recurring else METERED))
    prorated = recurring and kind != "weighted_sum_agg" and draw(st.booleans())
    models = ["standard", "graduated", "volume", "package", "graduated_percentage", "percentage"]
    if prorated:
        models = ["standard", "volume"]
    elif kind == "latest_agg":
        models = ["standard", "graduated", "volume", "package"]
    elif kind in ("max_agg", "weighted_sum_agg"):
        models.remove("percentage")
    model = draw(st.sampled_from(models))
    filters = [
        PlainFilter(values, draw(terms_of(model)))
        for values in ({"region": ["de", "fr"]}, {"region": ["de"], "team": ["a"]})
        if draw(st.booleans())
    ]
    return PlainCharge(
        code=code,
        kind=kind,
        model=model,
        properties=draw(terms_of(model)),
        recurring=recurring,
        prorated=prorated,
        rounding=draw(st.sampled_from([None, ("round", 0), ("ceil", 1), ("floor", -1)])),
        filters=tuple(filters),
        group_keys=("team",) if draw(st.booleans()) else (),
        minimum=Fraction(draw(st.sampled_from([0, 0, 7, 500]))),
    )


@st.composite
def contracts(draw: st.DrawFn) -> PlainContract:
    zone = draw(st.sampled_from(ZONES))
    started_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=draw(st.integers(0, 24 * 59)))
    return PlainContract(
        interval=draw(st.sampled_from(["weekly", "monthly", "monthly", "quarterly"])),
        billing_time=draw(st.sampled_from(["calendar", "anniversary"])),
        timezone=zone,
        started_at=started_at,
        first_day=periods.day_of(started_at, zone),
        amount=Fraction(draw(st.integers(0, 9_999)), 100),
        pay_in_advance=draw(st.booleans()),
        charges=tuple(draw(charges(code)) for code in draw(st.sampled_from([("one",), ("one", "two")]))),
    )


@st.composite
def events_of(draw: st.DrawFn, contract: PlainContract) -> list[PlainEvent]:
    span = {"weekly": 14, "monthly": 62, "quarterly": 184}[contract.interval] * 86_400
    seconds = draw(st.lists(st.integers(0, span), max_size=12, unique=True))
    found = []
    for number, second in enumerate(seconds):
        properties = {"value": draw(VALUES)}
        optional = {"region": REGIONS, "team": TEAMS, "operation_type": ["add", "remove"]}
        for name, choices in optional.items():
            choice = draw(st.sampled_from([None, *choices]))
            if choice is not None:
                properties[name] = choice
        found.append(
            PlainEvent(
                number,
                draw(st.sampled_from([charge.code for charge in contract.charges])),
                contract.started_at + timedelta(seconds=second),
                properties,
            )
        )
    return found


def billing_days(contract: PlainContract) -> list[date]:
    """Return the first two days on which the usage of a period is billed."""
    shape = {"anchor": contract.first_day, "interval": contract.interval, "billing_time": contract.billing_time}
    _, second = periods.around(contract.first_day, **shape)
    _, third = periods.around(second, **shape)
    return [second, third]


def billed_by_the_product(contract: PlainContract, events: list[PlainEvent]) -> dict[date, list[PlainLine]]:
    customer = parties.make_customer(parties.make_entity(), timezone=contract.timezone)
    plan = goods.make_plan(
        cents=int(contract.amount * 100),
        interval=contract.interval,
        pay_in_advance=contract.pay_in_advance,
        charges=[_charge(charge) for charge in contract.charges],
    )
    made.make_subscription(customer, plan, at=contract.started_at, billing_time=contract.billing_time)
    usage.store(
        *(
            usage.make_event(
                event.at.replace(tzinfo=None).isoformat(),
                code=event.code,
                transaction_id=f"tx-{event.number:03}",
                properties=event.properties,
            )
            for event in events
        )
    )
    found = {}
    for day in billing_days(contract):
        runs.run(as_of=periods.midnight(day, contract.timezone) + timedelta(hours=1), trigger="test", actor=ACTOR)
        found[day] = [_line(row) for row in RatedCharge.objects.filter(period__billing_date=day)]
    return found


def _charge(charge: PlainCharge) -> dict[str, Any]:
    kind = {} if charge.kind == "count_agg" else {"field_name": "value"}
    rule = charge.rounding
    rounding = {} if rule is None else {"rounding_function": rule[0], "rounding_precision": rule[1]}
    declared = [{"key": "region", "values": REGIONS}, {"key": "team", "values": TEAMS}]
    metric = goods.make_metric(
        charge.code, charge.kind, recurring=charge.recurring, filters=declared, **kind, **rounding
    )
    groups = {"pricing_group_keys": list(charge.group_keys)} if charge.group_keys else {}
    return {
        "billable_metric_id": metric.uuid,
        "code": charge.code,
        "charge_model": charge.model,
        "properties": {**charge.properties, **groups},
        "prorated": charge.prorated,
        "min_amount_cents": int(charge.minimum * 100),
        "filters": [{"values": row.values, "properties": {**row.properties, **groups}} for row in charge.filters],
    }


def _line(row: RatedCharge) -> PlainLine:
    key: tuple[Any, ...]
    if row.charge is None:
        key = rating.PLAN
    elif row.true_up_of is not None:
        key = (row.charge.code, "minimum")
    else:
        place = -1 if row.charge_filter is None else row.charge_filter.position
        key = (row.charge.code, place, tuple(row.group.values()))
    return PlainLine(key, Fraction(row.line.units), money.to_minor(row.line.amount))


def _shown(lines: list[PlainLine]) -> dict[Any, tuple[Fraction, int]]:
    """Return what differs from nothing; units as finely as a line holds them."""
    return {
        line.key: (counting.rounded(line.units, ("round", 12)), line.cents)
        for line in lines
        if line.units > 0 or line.cents
    }


@settings(max_examples=40)
@given(data=st.data(), contract=contracts())
def test_both_bill_the_same(data: st.DataObject, contract: PlainContract) -> None:
    events = data.draw(events_of(contract))
    with transaction.atomic():
        billed = billed_by_the_product(contract, events)
        transaction.set_rollback(True)
    assert {day: _shown(lines) for day, lines in billed.items()} == {
        day: _shown(rating.bill(contract, events, day)) for day in billing_days(contract)
    }
