"""What is kept for a while only is deleted when it is old enough, and not a moment before."""

from datetime import timedelta
from typing import Any

import pytest

from config.platform.models import IdempotencyRecord, RequestLog, SecurityLog
from config.platform.services import purge
from tests.factories import platform

pytestmark = pytest.mark.django_db


def test_old_rows_go_and_younger_ones_stay(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "CHUNK", 2)
    key = platform.make_key().key
    SecurityLog.objects.all().delete()
    for days in (29, 30, 31, 91, 92, 93, 366):
        at = platform.AT - timedelta(days=days)
        IdempotencyRecord.objects.create(
            api_key=key, key=str(days), request_digest="d", status=200, content=b"", created_at=at
        )
        RequestLog.objects.create(
            request_id="r", at=at, api_key=key, method="POST", path="/", status=200, duration_ms=1
        )
        SecurityLog.objects.create(at=at, kind=SecurityLog.Kind.SIGN_IN, event="sign_in.failed")
    # older than 90 days: 91, 92, 93, 366; than 365: one; than 30: 31 and those four
    assert purge.run(as_of=platform.AT) == purge.Purged(requests=4, security_entries=1, remembered_answers=5)
    assert purge.run(as_of=platform.AT) == purge.Purged(requests=0, security_entries=0, remembered_answers=0)
    assert set(IdempotencyRecord.objects.values_list("key", flat=True)) == {"29", "30"}
