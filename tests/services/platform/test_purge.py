"""What is kept for a while only is deleted when it is old enough, and not a moment before."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.platform.models import IdempotencyRecord, PersonalDataView, RequestLog, SecurityLog
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
        PersonalDataView.objects.create(at=at, user_id=1, user_label="a", page="list", object_type="x", path="/")
    # older than 90 days: 91, 92, 93, 366; than 365: one; than 30: 31 and those four
    assert purge.run(as_of=platform.AT) == purge.Purged(4, 1, 5, personal_views=1)
    assert purge.run(as_of=platform.AT) == purge.Purged(0, 0, 0, 0)
    assert set(IdempotencyRecord.objects.values_list("key", flat=True)) == {"29", "30"}
    with pytest.raises(IntegrityError), transaction.atomic():  # nothing but the purge deletes a look
        PersonalDataView.objects.all().delete()
    assert PersonalDataView.objects.count() == 6
