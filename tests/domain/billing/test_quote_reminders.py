"""When a reminder is due: in the last three days, and not on the day after the quote was sent."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.domain import quote_reminders

END = datetime(2026, 1, 31, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "before_end", "due"),
    [
        # sent three weeks before: due from three days before the end until the end
        (timedelta(days=21), timedelta(days=3, seconds=1), False),
        (timedelta(days=21), timedelta(days=3), True),
        (timedelta(days=21), timedelta(seconds=1), True),
        (timedelta(days=21), timedelta(0), False),
        (timedelta(days=21), timedelta(days=-1), False),
        # sent two days before: due a day later
        (timedelta(days=2), timedelta(days=1, seconds=1), False),
        (timedelta(days=2), timedelta(days=1), True),
        # sent on the last day: never
        (timedelta(hours=20), timedelta(hours=1), False),
    ],
)
def test_when_a_reminder_is_due(sent: timedelta, before_end: timedelta, *, due: bool) -> None:
    assert quote_reminders.is_due(sent_at=END - sent, expires_at=END, at=END - before_end) is due
