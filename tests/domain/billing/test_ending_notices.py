"""On which day before an end a notice is due."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.domain import ending_notices

END = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("left", "expected"),
    [(46, None), (45, 45), (30, 45), (16, 45), (15, 15), (1, 15), (0, None), (-3, None)],
)
def test_the_smallest_that_has_come(left: int, expected: int | None) -> None:
    assert ending_notices.due(ends_on=END, today=END - timedelta(days=left), days=(45, 15)) == expected
    assert ending_notices.due(ends_on=END, today=END - timedelta(days=left), days=()) is None
