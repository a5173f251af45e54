"""What a plan costs at least, and what brings it there."""

from __future__ import annotations

import decimal
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import commitments, rating, trace, verification, worked_sum
from billing.domain.commitments import CommitmentFacts
from billing.domain.minimums import Minimum
from billing.domain.proration import Share
from config.kernel import money
from config.kernel.dates import Period
from tests.domain.billing import contracts, schedules

D = Decimal
CENTS = st.decimals(0, 10**7, places=2)


def facts(amount: str = "10000", days: int = 31, of_days: int = 31, **counted: str) -> CommitmentFacts:
    return CommitmentFacts(
        minimum=Minimum(D(amount), Share(days, of_days)),
        period=contracts.JANUARY,
        counted={kind: D(value) for kind, value in counted.items()},
        name="Minimum commitment – True-up",
    )


@pytest.mark.parametrize(
    ("days", "of_days", "counted", "expected"),
    [
        (7, 7, {"subscription": "1000"}, "9000.00"),
        (57, 90, {"subscription": "633.33"}, "5700.00"),  # 10000 / 90 x 57 = 6333.33, less 633.33
        (25, 28, {"subscription": "892.86"}, "8035.71"),  # 8928.5714... - 892.86 = 8035.7114...
        (3, 7, {"subscription": "1000"}, "3285.71"),  # 4285.7142... - 1000: the fee counts in full
        (20, 91, {"subscription": "21.98", "charge": "30"}, "2145.82"),  # 2197.8021... - 51.98
        (1, 8, {"charge": "1249.995"}, "0.01"),  # 0.005 is rounded half up, once
        (31, 31, {"subscription": "9000", "charge": "999.99", "fixed_charge": "0.01"}, None),  # reached to the cent
        (31, 31, {"charge": "10000.01"}, None),
        (31, 31, {"subscription": "12000"}, None),
        (0, 31, {}, None),
        (31, 31, {}, "10000.00"),
    ],
)
def test_what_is_missing(days: int, of_days: int, counted: dict[str, str], expected: str | None) -> None:
    item = rating.rate_commitment(contract=contracts.contract(), commitment=facts("10000", days, of_days, **counted))
    assert (None if item is None else item.amount) == (None if expected is None else Money(expected, "EUR"))


def test_a_currency_without_cents_rounds_to_its_whole_units() -> None:
    item = rating.rate_commitment(
        contract=contracts.contract(currency="JPY"), commitment=facts("10000", 17, 31, charge="5")
    )
    assert item is not None
    assert item.amount == Money(5479, "JPY")  # 5483.87... - 5 = 5478.87...


@given(amount=CENTS, days=st.integers(0, 31), counted=st.dictionaries(st.sampled_from("abc"), CENTS))
def test_what_counts_and_what_is_missing_reach_the_commitment_and_no_more(
    amount: D, days: int, counted: dict[str, D]
) -> None:
    one = CommitmentFacts(Minimum(amount, Share(days, 31)), contracts.JANUARY, counted)
    missing = commitments.owed(one)
    assert missing >= 0
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        assert one.total + missing == max(one.total, one.minimum.due)
        rounded = money.quantize(one.minimum.due, currency="EUR")
        # Rounding the minimum before or after makes no difference, as what counts is rounded already.
        assert money.quantize(missing, currency="EUR") == max(rounded - one.total, D(0))


@given(amount=CENTS, first=st.lists(CENTS, max_size=4), second=st.lists(CENTS, max_size=4))
def test_more_that_counts_never_costs_more(amount: D, first: list[D], second: list[D]) -> None:
    less = commitments.missing(committed=amount, counted=commitments.total([*first, *second]))
    assert less <= commitments.missing(committed=amount, counted=commitments.total(first)) <= amount


def test_it_explains_itself_and_can_be_computed_again() -> None:
    one = facts("10000", 17, 31, subscription="548.39", charge="60.01", fixed_charge="20")
    item = rating.rate_commitment(contract=contracts.contract(), commitment=one)
    assert item is not None
    assert item.amount == Money("4855.47", "EUR")  # 5483.8709... - 628.40
    assert [(line.label, line.formula, line.result) for line in worked_sum.sentences(item.trace)] == [
        ("Minimum commitment", "10000 × 17 / 31", "5483.8709677419…"),
        ("Usage billed", "", "-60.01"),
        ("Fixed charges billed", "", "-20"),
        ("Plan fee billed", "", "-548.39"),
        ("Total", "5483.8709677419… − 60.01 − 20 − 548.39", "4855.4709677419…"),
        ("Rounded half up", "4855.4709677419…", "4855.47 EUR"),
    ]
    assert {line.label for line in worked_sum.sentences(item.trace)} <= set(worked_sum.LABELS)
    assert trace.verify(item.trace)
    found = verification.verify(trace=item.trace, sha256=trace.digest(item.trace), amount=item.amount.amount)
    assert found.is_right
    forged: dict[str, Any] = {**item.trace, "inputs": {**item.trace["inputs"], "counted": {}}}
    assert not trace.verify(forged)
    assert item.amount_details == {"commitment": "5483.87", "counted": "628.4", "days": 17, "of_days": 31}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-01-01", "2024-02-01", True),
        ("2024-01-31T23:00", "2024-02-29T23:00", False),  # February, hours early: the time zone was changed
        ("2023-12-31T22:00", "2024-01-31T22:00", True),
        ("2023-12-01", "2024-01-01", False),
        ("2024-01-15", "2024-01-15", True),  # no time at all
    ],
)
def test_a_line_counts_where_most_of_its_time_lies(start: str, end: str, *, expected: bool) -> None:
    time = Period(schedules.at(f"{start}+00:00" if "T" in start else f"{start}T00:00+00:00"), _at(end))
    assert commitments.counts(time=time, within=contracts.JANUARY) is expected


def _at(text: str) -> Any:
    return schedules.at(f"{text}+00:00" if "T" in text else f"{text}T00:00+00:00")


def test_sums_by_kind() -> None:
    parts = [{"charge": D("1.10")}, {"subscription": D(5)}, {"charge": D("2.20")}, {}]
    assert commitments.together(parts) == {"charge": D("3.30"), "subscription": D(5)}
