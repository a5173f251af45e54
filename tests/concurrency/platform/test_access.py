"""Limits of keys and repeated writes when requests come at the same time."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.models import Group

from config.platform.models import IdempotencyRecord, RateCount
from config.platform.services import idempotency, rate_limits
from config.platform.services.idempotency import Answer
from tests.concurrency.threads import together
from tests.factories import platform

LIMIT = 5


def test_never_more_than_the_limit_are_let_through() -> None:
    key_id = platform.make_key().key.pk

    def send() -> int:
        counts = [rate_limits.count(api_key_id=key_id, limit=LIMIT, at=platform.AT) for _ in range(5)]
        return sum(1 for one in counts if not one.is_over)

    assert sum(together([send] * 4)) == LIMIT  # 20 requests, 15 too many
    assert RateCount.objects.get().used == 20


def test_reading_before_writing_lets_too_many_through() -> None:
    """The control: each reads the count, finds room, and writes what it found plus one."""
    key = platform.make_key().key
    RateCount.objects.create(api_key=key, minute_at=platform.AT, used=LIMIT - 1)

    def send() -> bool:
        used = RateCount.objects.get(api_key=key).used
        time.sleep(0.05)
        RateCount.objects.filter(api_key=key).update(used=used + 1)
        return used < LIMIT

    assert sum(together([send] * 4)) > 1  # one was free


def test_a_twin_waits_and_gets_the_same_answer() -> None:
    key_id = platform.make_key().key.pk

    def write() -> Answer:
        time.sleep(0.05)
        return Answer(status=200, content=str(Group.objects.create(name=f"g{time.monotonic_ns()}").pk).encode())

    def send() -> Any:
        return idempotency.once(api_key_id=key_id, key="k", request_digest="d", at=platform.AT, write=write)

    answers = together([send] * 4)
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False, True, True, True]
    assert (Group.objects.filter(name__startswith="g").count(), IdempotencyRecord.objects.count()) == (1, 1)
