"""The verdict on a stored trace: right, touched, or not to be read."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal

import pytest

from billing.domain import rating, verification
from billing.domain import trace as traces
from billing.domain.trace import Trace
from billing.domain.verification import Verification
from tests.domain.billing import contracts


@pytest.fixture
def trace() -> Trace:
    """30.00 × 17 / 31 = 16.4516…, which is 16.45."""
    (item,) = rating.rate(contracts.contract(fee=contracts.fee("30.00", 17, 31)))
    return item.trace


def verify(trace: Trace, *, stored: Trace, amount: str = "16.45") -> Verification:
    return verification.verify(trace=trace, sha256=traces.digest(stored), amount=Decimal(amount))


def test_a_stored_calculation_gives_what_was_billed(trace: Trace) -> None:
    found = verify(trace, stored=trace)
    assert (found.is_right, found.amount, found.problem) == (True, Decimal("16.45"), "")
    assert found.sentences[-1].result == "16.45 EUR"


def test_another_amount_was_billed(trace: Trace) -> None:
    found = verify(trace, stored=trace, amount="16.46")
    assert (found.is_digest_right, found.is_amount_right, found.is_right) == (True, False, False)
    assert found.amount == Decimal("16.45")


def test_the_trace_was_changed_without_a_change_of_the_amount(trace: Trace) -> None:
    touched = deepcopy(trace)
    touched["inputs"]["subscription"] = 4
    found = verify(touched, stored=trace)
    assert (found.is_digest_right, found.is_amount_right, found.is_right) == (False, True, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 99},
        {"kind": "gift"},
        {"inputs": {}},
        {"inputs": None},
        {"steps": [{"kind": "magic"}]},
        {"rounding": {}},
    ],
)
def test_a_trace_that_cannot_be_read_says_so(trace: Trace, changes: Trace) -> None:
    strange = {**trace, **changes}
    found = verify(strange, stored=strange)
    assert (found.is_right, found.amount, found.sentences) == (False, None, ())
    assert found.is_digest_right
    assert found.problem
