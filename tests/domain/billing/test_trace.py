"""Traces: what they hold, that they prove the amount, and that they are canonical."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from billing.domain import rating, trace
from billing.domain.contract import ContractFacts, FilterFacts
from catalog.domain.pricing.models import ChargeModel
from catalog.domain.rounding import Rounding, RoundingFunction
from tests.domain.billing import contracts


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        assert all(isinstance(key, str) for key in value)
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


@given(facts=contracts.contracts())
def test_a_trace_proves_its_amount(facts: ContractFacts) -> None:
    for item in rating.rate(facts):
        stored = json.loads(json.dumps(item.trace))
        assert trace.recompute(stored) == item.amount.amount
        assert trace.verify(stored)
        assert trace.digest(stored) == trace.digest(item.trace)
        assert all(leaf is None or isinstance(leaf, str | int) for leaf in leaves(stored))
        assert Decimal(stored["unrounded"]) == item.precise_amount


@given(facts=contracts.contracts())
def test_steps_of_a_trace_sum_to_the_unrounded_value(facts: ContractFacts) -> None:
    for item in rating.rate(facts):
        steps = [Decimal(step["total"]) for step in item.trace["steps"]]
        assert abs(sum(steps, Decimal(0)) - item.precise_amount) < Decimal("1E-18")


def fee_trace() -> trace.Trace:
    (item,) = rating.rate(contracts.contract(fee=contracts.fee("30.00", 17, 31)))
    return item.trace


def test_the_trace_of_a_fee() -> None:
    found = fee_trace()
    assert found["inputs"] == {
        "subscription": 3,
        "plan": {"id": 5, "version": 2},
        "currency": "EUR",
        "amount": "30",
        "days": 17,
        "of_days": 31,
        "period": {"from": "2024-01-01T00:00:00Z", "to": "2024-02-01T00:00:00Z", "timezone": "Europe/Berlin"},
    }
    assert found["rounding"] == {"mode": "half_up", "digits": 2, "result": "16.45"}
    assert found["unrounded"].startswith("16.451612903225806451612903")


def test_the_trace_of_usage() -> None:
    priced = contracts.charge(
        properties={"amount": "0.0100"},
        filters=[FilterFacts(id="f", properties={"amount": "2"}, values={"status": ["500", "404"]})],
        usage=[contracts.usage(2, "2.05", filter_id="f", digest=2**80)],
        rounding=Rounding(RoundingFunction.CEIL, 0),
    )
    (item,) = rating.rate(contracts.contract(charges=[priced]))
    inputs = item.trace["inputs"]
    assert inputs["charge"] == {"id": 7, "code": "requests", "model": "standard", "properties": {"amount": "2"}}
    assert inputs["filter"] == {"id": "f", "values": {"status": ["404", "500"]}}
    assert inputs["metric"]["rounding"] == {"function": "ceil", "precision": 0}
    assert inputs["usage"] == {"events_count": 2, "events_digest": str(2**80), "value": "2.05", "units": "3"}
    assert item.trace["rounding"]["result"] == "6"


def test_values_of_events_are_kept_where_the_price_reads_them() -> None:
    raw = {"rate": "1.2", "fixed_amount": "0.5", "free_units_per_events": 2}
    bucket = contracts.usage(3, "300", values=(Decimal(100),) * 3)
    priced = contracts.charge(model=ChargeModel.PERCENTAGE, properties=raw, usage=[bucket])
    (item,) = rating.rate(contracts.contract(charges=[priced]))
    assert item.trace["inputs"]["usage"]["values"] == ["100", "100"]  # the first two are free
    assert trace.recompute(item.trace) == Decimal("1.70")


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        (("inputs", "days"), 18),
        (("inputs", "amount"), "31"),
        (("rounding", "result"), "16.46"),
    ],
)
def test_a_changed_trace_is_found_out(path: tuple[str, str], changed: object) -> None:
    original = fee_trace()
    forged = copy.deepcopy(original)
    forged[path[0]][path[1]] = changed
    assert not trace.verify(forged)
    assert trace.digest(forged) != trace.digest(original)


def test_recomputing_does_not_read_the_stored_result() -> None:
    forged = fee_trace()
    forged["rounding"]["result"] = "1000000"
    forged["steps"] = []
    forged["unrounded"] = "1000000"
    assert trace.recompute(forged) == Decimal("16.45")


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    found = fee_trace()
    assert trace.digest(dict(reversed(found.items()))) == trace.digest(found)
    assert len(trace.digest(found)) == 64


@pytest.mark.parametrize(("key", "value"), [("version", 2), ("kind", "tomorrow")])
def test_traces_of_tomorrow_are_refused(key: str, value: object) -> None:
    with pytest.raises(trace.UnknownTrace):
        trace.recompute({**fee_trace(), key: value})
