"""When a mail is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from invoicing.domain import delivery_retries

AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 16), (3, 81)])
def test_pauses_grow(attempts: int, minutes: int) -> None:
    assert delivery_retries.next_attempt_at(attempts=attempts, at=AT) == AT + timedelta(minutes=minutes)


@pytest.mark.parametrize("attempts", [4, 5])
def test_the_fourth_failure_is_final(attempts: int) -> None:
    assert delivery_retries.next_attempt_at(attempts=attempts, at=AT) is None
