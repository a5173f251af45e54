"""Worked sums: the lines that a person follows."""

from __future__ import annotations

from hypothesis import given

from billing.domain import rating, worked_sum
from billing.domain.contract import ContractFacts
from billing.domain.worked_sum import Sentence
from catalog.domain.pricing.models import ChargeModel
from catalog.domain.rounding import Rounding, RoundingFunction
from tests.domain.billing import contracts


def told(facts: ContractFacts) -> list[Sentence]:
    (item,) = rating.rate(facts)
    return worked_sum.sentences(item.trace)


def test_a_prorated_fee() -> None:
    assert told(contracts.contract(fee=contracts.fee("30.00", 17, 31))) == [
        Sentence("Plan fee", "", "30 × 17 / 31", "16.4516129032…"),
        Sentence("Rounded half up", "", "16.4516129032…", "16.45 EUR"),
    ]


def test_a_whole_fee_in_a_currency_without_decimals() -> None:
    assert told(contracts.contract(fee=contracts.fee("4900", currency="JPY"), currency="JPY")) == [
        Sentence("Plan fee", "", "4900", "4900"),
        Sentence("Rounded half up", "", "4900", "4900 JPY"),
    ]


def test_tiers() -> None:
    raw = {
        "graduated_ranges": [
            {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "2"},
            {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
        ]
    }
    charge = contracts.charge(
        model=ChargeModel.GRADUATED,
        properties=raw,
        usage=[contracts.usage(3, "11.25")],
        rounding=Rounding(RoundingFunction.ROUND, 0),
    )
    assert told(contracts.contract(charges=[charge])) == [
        Sentence("Events", "requests", "", "3"),
        Sentence("Aggregated value", "sum_agg", "", "11.25"),
        Sentence("Units, rounded", "requests", "round(11.25, 0)", "11"),
        Sentence("Tier", "0 – 10", "10 × 1 + 2", "12"),
        Sentence("Tier", "11 – ∞", "1 × 0.5", "0.5"),
        Sentence("Total", "", "12 + 0.5", "12.5"),
        Sentence("Rounded half up", "", "12.5", "12.50 EUR"),
    ]


def test_a_percentage() -> None:
    raw = {"rate": "2.5", "fixed_amount": "0.1"}
    charge = contracts.charge(model=ChargeModel.PERCENTAGE, properties=raw, usage=[contracts.usage(3, "200")])
    assert told(contracts.contract(charges=[charge]))[2:] == [
        Sentence("Percentage", "", "200 × 2.5 / 100", "5"),
        Sentence("Amount per event", "", "3 × 0.1", "0.3"),
        Sentence("Total", "", "5 + 0.3", "5.3"),
        Sentence("Rounded half up", "", "5.3", "5.30 EUR"),
    ]


def test_packages_name_the_free_units_and_the_size() -> None:
    raw = {"amount": "1.5", "package_size": 10, "free_units": 10}
    charge = contracts.charge(model=ChargeModel.PACKAGE, properties=raw, usage=[contracts.usage(13, "13")])
    assert told(contracts.contract(charges=[charge]))[2:] == [
        Sentence("Free units", "", "", "10"),
        Sentence("Units beyond the free ones", "", "13 − 10", "3"),
        Sentence("Packages begun, units in each", "10", "3 / 10", "1"),
        Sentence("Packages", "", "1 × 1.5", "1.5"),
        Sentence("Rounded half up", "", "1.5", "1.50 EUR"),
    ]


def test_packages_without_free_units() -> None:
    raw = {"amount": "1.5", "package_size": 10, "free_units": 0}
    charge = contracts.charge(model=ChargeModel.PACKAGE, properties=raw, usage=[contracts.usage(21, "21")])
    assert told(contracts.contract(charges=[charge]))[2:4] == [
        Sentence("Packages begun, units in each", "10", "21 / 10", "3"),
        Sentence("Packages", "", "3 × 1.5", "4.5"),
    ]


@given(facts=contracts.contracts())
def test_every_trace_can_be_told(facts: ContractFacts) -> None:
    for item in rating.rate(facts):
        lines = worked_sum.sentences(item.trace)
        assert lines[-1].label == worked_sum.ROUNDED
        assert lines[-1].result.endswith(facts.currency)
        assert {line.label for line in lines} <= set(worked_sum.LABELS)
