"""Rating what counts for the time that it is there, proving it from the trace, and telling it."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.domain import rating, trace, worked_sum
from billing.domain.aggregation import Facts
from billing.domain.contract import UsageFacts
from billing.domain.prorated_usage import Held, Prorated
from billing.domain.rating import RatedItem
from billing.domain.weighted_sum import Weighted
from billing.domain.worked_sum import Sentence
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.models import ChargeModel
from catalog.domain.rounding import Rounding, RoundingFunction
from config.kernel import money
from tests.domain.billing import contracts

D = Decimal
TIERS = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 5, "per_unit_amount": "10", "flat_amount": "100"},
        {"from_value": 6, "to_value": None, "per_unit_amount": "5", "flat_amount": "50"},
    ]
}


def rated(facts: Facts, **charge: object) -> RatedItem:
    kind = Aggregation.WEIGHTED_SUM if isinstance(facts, Weighted) else Aggregation.SUM
    given_charge = contracts.charge(aggregation=kind, usage=[UsageFacts(facts, digest=9)], **charge)
    [item] = rating.rate(contracts.contract(charges=[given_charge]))
    assert trace.verify(item.trace)
    assert trace.verify(json.loads(json.dumps(item.trace)))
    return item


def prorated(*held: Held) -> Prorated:
    with_context = sum((one.units for one in held), D(0))
    return Prorated(Aggregation.SUM, len(held), with_context, held, 31)


def test_units_shown_are_those_at_the_end_and_the_price_is_of_their_days() -> None:
    item = rated(prorated(Held(D(7), 31), Held(D(3), 15)), properties={"amount": "31"})
    # 7 + 3 × 15 / 31 = 8.45162 (up) × 31 = 262.00022
    assert (item.units, item.precise_amount, item.amount.amount) == (10, D("262.00022"), D("262.00"))
    assert item.unit_amount == D("26.200022")  # a unit of the ten


def test_metric_rounding_rounds_both() -> None:
    rule = Rounding(RoundingFunction.CEIL, 0)
    item = rated(prorated(Held(D("7.5"), 15)), properties={"amount": "1"}, rounding=rule)
    assert (item.units, item.precise_amount) == (8, 4)  # 7.5 × 15 / 31 = 3.63, up


def test_less_than_nothing_is_nothing() -> None:
    item = rated(prorated(Held(D(-7), 31)), properties={"amount": "31"})
    assert (item.units, item.precise_amount, item.events_count) == (0, 0, 1)


def test_tiers_are_reached_by_all_units() -> None:
    item = rated(prorated(Held(D(5), 31), Held(D(2), 31)), model=ChargeModel.GRADUATED, properties=TIERS)
    assert item.precise_amount == 100 + 50 + 50 + 10
    changes = item.trace["inputs"]["usage"]["held"]["changes"]
    assert changes == [{"units": "5", "days": 31}, {"units": "2", "days": 31}]  # their order matters here


def test_a_trace_that_was_changed_is_found_out() -> None:
    item = rated(prorated(Held(D(7), 31)), properties={"amount": "31"})
    changed = json.loads(json.dumps(item.trace))
    changed["inputs"]["usage"]["held"]["changes"][0]["days"] = 30
    assert not trace.verify(changed)


def test_days_are_told() -> None:
    item = rated(prorated(Held(D(7), 31), Held(D(3), 15), Held(D(2), 15), Held(D(-1), 0)), properties={"amount": "31"})
    assert worked_sum.sentences(item.trace)[:3] == [
        Sentence("Events", "requests", "", "4"),
        Sentence("Aggregated value", "sum_agg", "(7 × 31 + 5 × 15) / 31", "9.41936"),
        Sentence("Units at the end", "", "", "11"),
    ]


def test_many_changes_are_told_in_short() -> None:
    held = [Held(D(1), days) for days in range(1, 21)]
    formula = worked_sum.sentences(rated(prorated(*held)).trace)[1].formula
    assert formula.startswith("(1 × 20 + 1 × 19 + ")
    assert formula.endswith("1 × 9 + …) / 31")


def test_levels_are_told() -> None:
    item = rated(Weighted(2, D(50 * 2_678_400), D(100), D(2_678_400)), properties={"amount": "1"})
    assert (item.units, item.precise_amount) == (50, 50)
    assert worked_sum.sentences(item.trace)[:3] == [
        Sentence("Events", "requests", "", "2"),
        Sentence("Aggregated value", "weighted_sum_agg", "133920000 / 2678400", "50"),
        Sentence("Level at the end", "", "", "100"),
    ]


CHANGES = st.lists(st.builds(Held, st.decimals(-50, 50, places=2), st.integers(0, 31)), min_size=1, max_size=8)
PRICES = st.sampled_from(
    [
        (ChargeModel.STANDARD, {"amount": "0.37"}),
        (ChargeModel.GRADUATED, TIERS),
        (ChargeModel.VOLUME, {"volume_ranges": TIERS["graduated_ranges"]}),
    ]
)
ROUNDINGS = contracts.ROUNDINGS


@given(held=CHANGES, price=PRICES, rule=ROUNDINGS)
def test_every_amount_can_be_proved_and_told(
    held: list[Held], price: tuple[ChargeModel, dict[str, object]], rule: Rounding | None
) -> None:
    item = rated(prorated(*held), model=price[0], properties=price[1], rounding=rule)
    assert item.precise_amount >= 0
    lines = worked_sum.sentences(item.trace)
    assert {line.label for line in lines} <= set(worked_sum.LABELS)


@given(held=CHANGES, model=PRICES)
def test_whole_days_cost_what_is_not_prorated_costs(
    held: list[Held], model: tuple[ChargeModel, dict[str, object]]
) -> None:
    """Units that come on the first day and stay cost what they cost without days, where they only become more."""
    whole = [Held(abs(change.units), 31) for change in held if change.units]
    if not whole:
        return
    total = sum((change.units for change in whole), D(0))
    prices = {"model": model[0], "properties": model[1]}
    plain = contracts.charge(usage=[contracts.usage(len(whole), str(total))], **prices)
    [expected] = rating.rate(contracts.contract(charges=[plain]))
    found = rated(prorated(*whole), **prices)
    assert money.round_half_up(found.precise_amount, 9) == money.round_half_up(expected.precise_amount, 9)
    assert found.units == expected.units
