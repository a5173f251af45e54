"""Items of an invoice: which there are, and what they cost."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import aggregation, rating, trace
from billing.domain.contract import ContractFacts, FilterFacts
from billing.domain.rating import ItemKind
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import properties
from catalog.domain.pricing.models import ChargeModel
from catalog.domain.rounding import Rounding, RoundingFunction
from config.kernel import money
from tests.domain.billing import contracts
from tests.domain.catalog import prices

D = Decimal
FLAT = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 1000, "per_unit_amount": "0", "flat_amount": "0"},
        {"from_value": 1001, "to_value": None, "per_unit_amount": "0.002", "flat_amount": "0"},
    ]
}


def rate_charge(**changed: Any) -> list[rating.RatedItem]:
    return rating.rate(contracts.contract(charges=[contracts.charge(**changed)]))


def test_a_fee_and_its_usage() -> None:
    item = contracts.charge(model=ChargeModel.GRADUATED, properties=FLAT, usage=[contracts.usage(12, "10000")])
    fee, requests = rating.rate(contracts.contract(fee=contracts.fee(), charges=[item]))
    assert (fee.kind, fee.units, fee.amount, fee.unit_amount) == (ItemKind.SUBSCRIPTION, 1, Money("49", "EUR"), 49)
    assert fee.amount_details == {"plan_amount_cents": 4900}
    assert requests.kind is ItemKind.CHARGE
    assert (requests.units, requests.events_count) == (10000, 12)
    assert requests.amount == Money("18.00", "EUR")  # 9000 x 0.002
    assert requests.unit_amount == D("0.0018")
    assert requests.name == "Requests"


@pytest.mark.parametrize(
    ("amount", "days", "of_days", "expected"),
    [
        ("30.00", 17, 31, "16.45"),  # 30 x 17 / 31 = 16.4516...
        ("49.00", 31, 31, "49.00"),
        ("0.10", 1, 4, "0.03"),  # 0.025 is a tie
        ("49.00", 0, 31, "0.00"),  # a fee for no day is shown all the same
    ],
)
def test_the_fee_is_for_the_days_used(amount: str, days: int, of_days: int, expected: str) -> None:
    (item,) = rating.rate(contracts.contract(fee=contracts.fee(amount, days, of_days)))
    assert item.amount == Money(expected, "EUR")
    assert item.share is not None
    assert (item.share.days, item.share.of_days) == (days, of_days)


def test_a_plan_that_costs_nothing_has_no_fee() -> None:
    assert rating.rate(contracts.contract(fee=contracts.fee("0.00"))) == []


def test_a_fee_in_another_currency_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="USD"):
        contracts.contract(fee=contracts.fee(currency="USD"))


def test_nothing_used_is_nothing_billed() -> None:
    assert rate_charge() == []
    assert rate_charge(usage=[contracts.usage(0)]) == []


def test_events_that_cancel_out_are_shown() -> None:
    (item,) = rate_charge(usage=[contracts.usage(2, "0")])
    assert (item.units, item.events_count, item.amount) == (0, 2, Money(0, "EUR"))


def test_flat_amounts_are_due_for_no_usage_too() -> None:
    raw = {"graduated_ranges": [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "5"}]}
    (item,) = rate_charge(model=ChargeModel.GRADUATED, properties=raw)
    assert (item.units, item.events_count, item.amount) == (0, 0, Money(5, "EUR"))


def test_units_are_rounded_before_they_are_priced() -> None:
    (item,) = rate_charge(
        properties={"amount": "10"},
        usage=[contracts.usage(3, "2.1")],
        rounding=Rounding(RoundingFunction.CEIL, 0),
    )
    assert (item.units, item.amount) == (3, Money(30, "EUR"))


def test_negative_usage_earns_nothing() -> None:
    (item,) = rate_charge(usage=[contracts.usage(1, "-50")])
    assert (item.units, item.amount) == (0, Money(0, "EUR"))


def test_negative_usage_opens_no_range() -> None:
    ranges = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "5"}]
    terms = {"model": ChargeModel.GRADUATED, "properties": {"graduated_ranges": ranges}}
    (taken_back,) = rate_charge(usage=[contracts.usage(1, "-1")], **terms)
    (nothing,) = rate_charge(usage=[contracts.usage(2, "0")], **terms)
    assert (taken_back.units, taken_back.amount) == (0, Money(0, "EUR"))
    assert (nothing.units, nothing.amount) == (0, Money(5, "EUR"))  # the flat amount of no units
    assert all(trace.verify(item.trace) for item in (taken_back, nothing))


FILTERS = [
    FilterFacts(id=1, properties={"amount": "1"}, values={"status": ["200"]}, name="fine"),
    FilterFacts(id=2, properties={"amount": "0"}, values={"status": ["500"]}),
]


def test_filters_have_prices_of_their_own() -> None:
    buckets = [contracts.usage(1, "5"), contracts.usage(2, "7", filter_id=1)]
    default, fine = rate_charge(filters=FILTERS, usage=buckets)
    assert (default.filter_id, default.amount) == (None, Money("0.05", "EUR"))
    assert (fine.filter_id, fine.filter_name, fine.amount) == (1, "fine", Money(7, "EUR"))
    assert fine.filter_values == {"status": ["200"]}


def test_parts_of_a_bucket_are_one_item() -> None:
    parts = [contracts.usage(1, "5", filter_id=1, digest=11), contracts.usage(2, "7", filter_id=1, digest=-4)]
    (item,) = rate_charge(filters=FILTERS, usage=parts)
    assert (item.events_count, item.units) == (3, 12)
    assert item.trace["inputs"]["usage"]["events_digest"] == "7"


def test_usage_of_an_unknown_filter_is_not_billed_at_another_price() -> None:
    with pytest.raises(rating.UnknownFilter):
        rate_charge(filters=FILTERS, usage=[contracts.usage(1, "5", filter_id=9)])


def test_usage_of_another_kind_is_refused() -> None:
    with pytest.raises(aggregation.CannotMerge):
        rate_charge(aggregation=Aggregation.COUNT, usage=[contracts.usage(1, "5")])


def test_groups_are_priced_alone_and_without_usage_there_is_none() -> None:
    raw = {"amount": "5", "package_size": 10, "free_units": 0, "pricing_group_keys": ["region"]}
    changed = {"model": ChargeModel.PACKAGE, "properties": raw}
    groups = [contracts.usage(1, "4", group={"region": name}) for name in ("us", None, "eu")]
    items = rate_charge(usage=groups, **changed)
    assert [(item.group, item.amount) for item in items] == [
        ({"region": "eu"}, Money(5, "EUR")),
        ({"region": "us"}, Money(5, "EUR")),
        ({"region": None}, Money(5, "EUR")),
    ]
    assert rate_charge(**changed) == []


def test_a_flat_amount_for_no_usage_is_due_once_whatever_the_groups() -> None:
    tier = {"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "5"}
    raw = {"graduated_ranges": [tier], "pricing_group_keys": ["region", "provider"]}
    (item,) = rate_charge(model=ChargeModel.GRADUATED, properties=raw)
    assert (item.group, item.amount) == ({"region": None, "provider": None}, Money(5, "EUR"))


def test_properties_that_price_nothing_are_refused() -> None:
    with pytest.raises(properties.InvalidProperties):
        rate_charge(properties={"amount": "free"}, usage=[contracts.usage(1, "5")])


@given(facts=contracts.contracts())
def test_every_amount_is_its_precise_amount_rounded_once(facts: ContractFacts) -> None:
    for item in rating.rate(facts):
        assert item.amount == Money(money.quantize(item.precise_amount, currency=facts.currency), facts.currency)
        assert item.amount.amount >= 0
        assert not item.is_empty or item.kind is ItemKind.SUBSCRIPTION


@given(facts=contracts.contracts())
def test_the_fee_agrees_with_fractions(facts: ContractFacts) -> None:
    fees = [item for item in rating.rate(facts) if item.kind is ItemKind.SUBSCRIPTION]
    assert facts.fee is not None
    exact = Fraction(facts.fee.amount.amount) * facts.fee.share.days / facts.fee.share.of_days
    unit = 10 ** money.exponent(facts.currency)
    nearest = (exact * unit * 2).__floor__() + 1
    assert [Fraction(item.amount.amount) for item in fees] == (
        [Fraction(nearest // 2, unit)] if facts.fee.amount.amount else []
    )


@given(priced=prices.priced(), units=st.integers(0, 60), events=st.integers(1, 9))
def test_whole_units_agree_with_the_plain_way(priced: tuple[str, Any], units: int, events: int) -> None:
    model, raw = priced
    (item,) = rate_charge(model=ChargeModel(model), properties=raw, usage=[contracts.usage(events, str(units))])
    assert Fraction(item.precise_amount) == prices.plainly(model, raw, units, events)


@given(facts=contracts.contracts())
def test_rating_again_gives_the_same_items(facts: ContractFacts) -> None:
    first, second = rating.rate(facts), rating.rate(facts)
    assert first == second
    assert [trace.digest(item.trace) for item in first] == [trace.digest(item.trace) for item in second]
