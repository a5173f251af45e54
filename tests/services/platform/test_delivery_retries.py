"""When a webhook is tried again, and how long a silent endpoint rests."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.platform.services import delivery_retries as retries


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [
        (1, 3),  # 1⁴ + 2
        (2, 18),  # 16 + 2
        (3, 83),  # 81 + 2
        (5, 627),  # 625 + 2
        (10, 10_002),  # 10,000 + 2
        (11, 14_400),  # 14,641 + 2 is more than four hours
        (24, 14_400),
    ],
)
def test_waits_longer_and_longer(attempts: int, seconds: int) -> None:
    assert retries.wait(attempts=attempts, seed=0) == timedelta(seconds=seconds)


def test_twenty_five_attempts_take_days() -> None:
    # 1⁴ … 10⁴ and 10 × 2 s are 25,353 s; 14 × 4 h are 201,600 s: 226,953 s, or 63 hours.
    whole = sum((retries.wait(attempts=number, seed=0) for number in range(1, 25)), timedelta())
    assert whole == timedelta(seconds=226_953)


@given(st.integers(1, 100), st.integers(0, 2**63))
def test_what_comes_on_top_is_a_tenth_at_most(attempts: int, seed: int) -> None:
    plain = retries.wait(attempts=attempts, seed=0)
    assert plain <= retries.wait(attempts=attempts, seed=seed) <= plain * 11 / 10


def test_what_failed_together_is_not_tried_together() -> None:
    assert len({retries.wait(attempts=10, seed=seed) for seed in range(100)}) == 100


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (5, 480), (6, 900), (7, 900), (1000, 900)]
)
def test_a_silent_endpoint_rests_longer_and_longer(failures: int, seconds: int) -> None:
    assert retries.rest(failures=failures) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", None),
        ("120", 120),
        ("0", 0),
        ("999999", 3600),
        ("9" * 30, None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_what_an_endpoint_asks_for(header: str, seconds: int | None) -> None:
    assert retries.asked_for(header) == (None if seconds is None else timedelta(seconds=seconds))
