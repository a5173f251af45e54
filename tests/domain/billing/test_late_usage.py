"""What policies decide, what may be decided, and how much of what waits an invoice takes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing.domain import identity, late_usage, trace, worked_sum
from billing.domain.late_usage import AlreadyDecided, Decision, State, Terms, Waiting


@pytest.mark.parametrize(
    ("policy", "below", "net", "decision"),
    [
        ("hold", None, "5", None),
        ("bill", None, "-5", Decision.BILL),
        ("correct", None, "5", Decision.CORRECT),
        ("waive", "5", "4.99", Decision.WAIVE),
        ("waive", "5", "-4.99", Decision.WAIVE),
        ("waive", "5", "5", None),
        ("waive", "5", "-5", None),
    ],
)
def test_policies(policy: str, below: str | None, net: str, decision: Decision | None) -> None:
    agreed = Terms(late_usage.Policy(policy), None if below is None else Decimal(below))
    assert late_usage.by_policy(agreed=agreed, net=Decimal(net)) is decision


def test_the_subscriptions_own_policy_goes_before_the_installations() -> None:
    general = {"general": "waive", "general_below": Decimal(3)}
    assert late_usage.terms(own="", own_below=None, **general) == Terms(late_usage.Policy.WAIVE, Decimal(3))
    assert late_usage.terms(own="hold", own_below=None, **general) == Terms(late_usage.Policy.HOLD)


@pytest.mark.parametrize("state", [one for one in State if one is not State.HELD])
def test_what_is_not_held_cannot_be_decided(state: State) -> None:
    with pytest.raises(AlreadyDecided):
        late_usage.after(state=state, decision=Decision.BILL)
    with pytest.raises(AlreadyDecided):
        late_usage.after(state=state, decision=Decision.WAIVE, is_billed=True)


@pytest.mark.parametrize(
    ("decision", "state"), [(Decision.CORRECT, State.CORRECTED), (Decision.WAIVE, State.WAIVED), (Decision.BILL, None)]
)
def test_what_waits_for_an_invoice_may_go_another_way(decision: Decision, state: State | None) -> None:
    if state is not None:
        assert late_usage.after(state="to_bill", decision=decision, is_billed=False) is state
        return
    with pytest.raises(AlreadyDecided):
        late_usage.after(state="to_bill", decision=decision, is_billed=False)


def test_an_invoice_takes_credits_as_far_as_the_same_taxes_go() -> None:
    waiting = [Waiting(1, Decimal(-8), (1,)), Waiting(2, Decimal(3), (1,)), Waiting(3, Decimal(-2), (2,))]
    # Under tax 1: 4 + 3 are there, so 7 of the 8 are taken; under tax 2 there is nothing.
    found = late_usage.placed(waiting=waiting, room={(1,): Decimal(4)})
    assert found == [(1, Decimal(-7)), (2, Decimal(3))]


_AMOUNTS = some.integers(-50, 50).filter(bool).map(Decimal)
_TAXES = some.sampled_from([(), (1,), (1, 2)])


@given(
    waiting=some.lists(some.tuples(_AMOUNTS, _TAXES), max_size=8),
    room=some.dictionaries(_TAXES, some.integers(0, 60).map(Decimal)),
)
def test_no_invoice_comes_to_less_than_nothing_and_what_is_owed_goes_on_it_whole(
    waiting: list[tuple[Decimal, tuple[int, ...]]], room: dict[tuple[int, ...], Decimal]
) -> None:
    rows = [Waiting(number, amount, taxes) for number, (amount, taxes) in enumerate(waiting)]
    found = dict(late_usage.placed(waiting=rows, room=room))
    for taxes in {*room, *(row.tax_ids for row in rows)}:
        taken = sum((found.get(row.id, Decimal(0)) for row in rows if row.tax_ids == taxes), Decimal(0))
        assert room.get(taxes, Decimal(0)) + taken >= 0
    for row in rows:
        part = found.get(row.id, Decimal(0))
        assert part == row.amount if row.amount > 0 else row.amount <= part <= 0


def test_the_trace_tells_all_usage_less_what_was_settled_and_what_is_left_for_later() -> None:
    fee = {
        "version": trace.VERSION,
        "kind": trace.SUBSCRIPTION,
        "inputs": {"currency": "EUR", "amount": "10", "days": 1, "of_days": 1, "subscription": "s"},
        "steps": [{"kind": "proration", "amount": "10", "days": 1, "of_days": 1, "total": "10"}],
        "unrounded": "10",
        "rounding": {"mode": "half_up", "digits": 2, "result": "10"},
    }
    written = trace.of_late_usage(now=fee, about=fee["inputs"], settled=Decimal("14.5"), later=Decimal(-3))
    # 10 - 14.5 + 3
    assert trace.recompute(written) == Decimal("-1.50")
    labels = [one.label for one in worked_sum.sentences(written)]
    assert labels[-5:] == [
        worked_sum.NOW, worked_sum.SETTLED, worked_sum.LATER, worked_sum.TOTAL, worked_sum.ROUNDED,
    ]  # fmt: skip
    gone = trace.of_late_usage(now=None, about=fee["inputs"], settled=Decimal(4), later=Decimal(0))
    assert (trace.recompute(gone), trace.verify(gone)) == (Decimal(-4), True)


def test_every_entry_has_a_key_of_its_own() -> None:
    first, second = (identity.late_usage_key(entry_id=name) for name in ("a", "b"))
    assert first != second
    assert 0 <= min(first, second) <= max(first, second) < 2**62
