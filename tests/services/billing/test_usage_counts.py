"""Counts of usage events that a job keeps: the same as counting at once, in every time zone, whatever comes later."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from billing.models import UsageCount, UsageCountCursor
from billing.queries import dashboard, usage_counts, usage_not_billable
from billing.services import usage_counts as counting
from tests.factories import usage
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db

AT = instant("2026-05-20T10:30")
FIRST, LAST = date(2026, 5, 1), date(2026, 5, 20)
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")


def same(code: str | None = None) -> bool:
    """Say whether what is kept is what counting now gives, in zones whose days begin at odd minutes."""
    for name in ZONES:
        tz = ZoneInfo(name)
        kept = usage_counts.by_day(first=FIRST, last=LAST, tz=tz, at=AT, code=code)
        assert kept.counted_at == AT
        if kept.events != dashboard.events_by_day(first=FIRST, last=LAST, tz=tz, code=code):
            return False
    return True


def test_what_came_since_is_counted_and_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_counts, "MANY", 0)
    moments = ("2026-05-04T18:14:59", "2026-05-04T18:15:00", "2026-05-05T02:29:59", "2026-05-05T02:30:00")
    usage.store(*(usage.make_event(moment, transaction_id=f"t{number}") for number, moment in enumerate(moments)))
    counting.run(as_of=AT)
    assert same()
    assert counting.run(as_of=AT) == 0 or same()  # what is looked at again is written again, and says the same
    usage.store(usage.make_event("2026-05-04T18:14:00", transaction_id="late"))
    usage.store(usage.make_event("2026-05-04T18:14:00", transaction_id="other", code="unheard_of"))
    assert not same()
    counting.run(as_of=AT)
    assert same()
    assert same("unheard_of")
    assert sum(UsageCount.objects.values_list("events", flat=True)) == 6


def test_few_events_are_counted_at_once() -> None:
    usage.store(usage.make_event("2026-05-04T18:14:00", transaction_id="one"))
    counting.run(as_of=AT)
    assert UsageCountCursor.objects.get().not_billable is None
    found = usage_counts.by_day(first=FIRST, last=LAST, tz=ZoneInfo("UTC"), at=AT)
    assert (found.counted_at, found.events[date(2026, 5, 4)]) == (None, 1)
    assert usage_counts.not_billable(at=AT).counted_at is None


def test_what_nobody_can_bill_is_kept_where_there_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_counts, "MANY", 0)
    usage.store(usage.make_event("2026-05-04T18:14:00", transaction_id="one", code="unheard_of"))
    counting.run(as_of=AT)
    kept = usage_counts.not_billable(at=AT)
    assert kept.counted_at == AT
    assert kept.found == usage_not_billable.count(since=usage_counts.not_billable_since(at=AT))
    assert kept.found.metric == 1


def test_old_counts_go(monkeypatch: pytest.MonkeyPatch) -> None:
    usage.store(usage.make_event("2026-05-04T18:14:00", transaction_id="one"))
    counting.run(as_of=AT)
    assert UsageCount.objects.count() == 1
    counting.run(as_of=instant("2026-08-20T10:30"))
    assert UsageCount.objects.count() == 0
