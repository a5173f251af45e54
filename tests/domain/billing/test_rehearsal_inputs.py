"""Inputs of an invoice by name: what changes them, what does not, and how that is said."""

from __future__ import annotations

from typing import Any

import pytest

from billing.domain import rehearsal_inputs
from billing.domain.rehearsal_inputs import Fact, Inputs, Origin


def usage(**changed: Any) -> Origin:
    values = {"units": "10", "events": 4, "digest": "abc", "amount": "0.10", "version": 1, "id": "1", **changed}
    inputs = {
        "subscription": values["id"],
        "plan": {"id": values["id"], "version": values["version"]},
        "currency": "EUR",
        "charge": {"id": values["id"], "code": "calls", "properties": {"amount": values["amount"]}},
        "filter": None,
        "group": {},
        "metric": {"code": "calls"},
        "usage": {"units": values["units"], "events_count": values["events"], "events_digest": values["digest"]},
    }
    return Origin("sub", {"kind": "charge", "inputs": inputs, "rounding": {"result": "1"}})


def fee(amount: str = "49", days: int = 30) -> Origin:
    inputs = {"amount": amount, "currency": "EUR", "days": days, "of_days": 30, "plan": {"id": "x", "version": 1}}
    return Origin("sub", {"kind": "subscription", "inputs": inputs, "rounding": {"result": amount}})


def inputs(*origins: Origin, **facts: str) -> Inputs:
    return rehearsal_inputs.of(origins=origins, facts=[Fact(name, says, says) for name, says in facts.items()])


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (inputs(usage(), tax="19 %"), []),
        (inputs(usage(id="2"), tax="19 %"), []),
        (inputs(usage(units="12", events=5), tax="19 %"), ["usage of calls (was 10 in 4 events, is 12 in 5 events)"]),
        (inputs(usage(digest="other"), tax="19 %"), ["usage of calls"]),
        (inputs(usage(amount="0.20"), tax="19 %"), ["price of calls"]),
        (inputs(usage(version=2), tax="19 %"), ["plan version of sub (was 1, is 2)"]),
        (inputs(usage(), tax="7 %"), ["tax (was 19 %, is 7 %)"]),
        (inputs(usage(), tax="19 %", coupons="C1"), ["coupons (was nothing, is C1)"]),
    ],
)
def test_what_changed_is_told_by_name(now: Inputs, told: list[str]) -> None:
    agreed = inputs(usage(), tax="19 %")

    assert [str(one) for one in rehearsal_inputs.changed(agreed=agreed, now=now)] == told
    assert (rehearsal_inputs.digest(now) == rehearsal_inputs.digest(agreed)) == (not told)


def test_a_fee_has_its_amount_and_days() -> None:
    found = rehearsal_inputs.changed(agreed=inputs(fee()), now=inputs(fee("52", 15)))

    assert [str(one) for one in found] == [
        "days of sub (was 30 of 30 days, is 15 of 30 days)",
        "fee of sub (was 49 EUR, is 52 EUR)",
    ]


def test_the_order_of_lines_changes_nothing() -> None:
    assert inputs(usage(), fee()) == inputs(fee(), usage())


def test_what_follows_is_told_only_where_nothing_else_is() -> None:
    one = rehearsal_inputs.changed(agreed=inputs(lines="1", total="5"), now=inputs(lines="2", total="5"))
    two = rehearsal_inputs.changed(agreed=inputs(lines="1", tax="5"), now=inputs(lines="2", tax="6"))

    assert [change.name for change in one] == ["lines"]
    assert [change.name for change in two] == ["tax"]
    assert rehearsal_inputs.sentence(changes=two, before="5 EUR", now="6 EUR") == (
        "Changed since the sign-off: tax (was 5, is 6). It would come to 6 EUR instead of 5 EUR."
    )
    assert rehearsal_inputs.sentence(changes=one, before="5 EUR", now="5 EUR").endswith("It would still come to 5 EUR.")


def test_of_a_line_that_was_added_only_its_usage_is_told() -> None:
    agreed = inputs(fee(), lines="1 lines", tax="19 %", total="49")
    now = inputs(fee(), usage(units="1", events=1), lines="2 lines", tax="19 %", total="49.02")
    now["tax"] = {**now["tax"], "sha256": "another line is taxed"}
    expected = ["usage of calls (was nothing, is 1 in 1 events)"]

    assert [str(one) for one in rehearsal_inputs.changed(agreed=agreed, now=now)] == expected
    back = rehearsal_inputs.changed(agreed=now, now=agreed)
    assert [str(one) for one in back] == ["usage of calls (was 1 in 1 events, is nothing)"]


def test_another_price_beside_a_line_that_was_added_is_told() -> None:
    agreed = inputs(usage(), lines="1 lines")
    for now, names in (
        (inputs(usage(), usage(amount="0.20"), lines="2 lines"), ["usage of calls"]),  # a line at a price of its own
        (inputs(usage(amount="0.20"), fee(), lines="2 lines"), ["fee of sub", "price of calls"]),
        (inputs(usage(), lines="1 lines", total="1"), ["total"]),
    ):
        assert [one.name for one in rehearsal_inputs.changed(agreed=agreed, now=now)] == names


@pytest.mark.parametrize(
    ("trace", "days"),
    [
        ({"inputs": {"days": 17, "of_days": 31}}, (17, 31)),
        (
            {"inputs": {"held": {"parts": [{"units": "2", "days": 10}, {"units": "1", "days": 31}], "of_days": 31}}},
            (31, 31),
        ),
        ({"inputs": {"held": {"parts": [], "of_days": 31}}}, (1, 1)),
        ({"inputs": {}}, (1, 1)),
        ({}, (1, 1)),
    ],
)
def test_days_are_read_from_the_trace(trace: dict[str, Any], days: tuple[int, int]) -> None:
    assert rehearsal_inputs.days_of(trace) == days
