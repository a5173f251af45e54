"""Counting the requests of a key by the minute of the clock."""

from datetime import timedelta

import pytest

from config.platform.models import RateCount
from config.platform.services import rate_limits
from tests.factories import platform

pytestmark = pytest.mark.django_db


def test_so_many_a_minute_and_then_anew() -> None:
    key_id = platform.make_key().key.pk
    at = platform.AT + timedelta(seconds=20.5)
    standings = [rate_limits.count(api_key_id=key_id, limit=2, at=at) for _ in range(3)]
    # 60 − 20.5 = 39.5 seconds are left: 40 whole ones
    assert [(one.remaining, one.is_over, one.seconds_left) for one in standings] == [
        (1, False, 40),
        (0, False, 40),
        (0, True, 40),
    ]
    anew = rate_limits.count(api_key_id=key_id, limit=2, at=platform.AT + timedelta(minutes=1))
    assert (anew.used, anew.is_over, anew.seconds_left) == (1, False, 60)
    assert RateCount.objects.count() == 1


def test_a_clock_that_is_behind_counts_into_the_minute_that_began() -> None:
    key_id = platform.make_key().key.pk
    rate_limits.count(api_key_id=key_id, limit=9, at=platform.AT)
    late = rate_limits.count(api_key_id=key_id, limit=9, at=platform.AT - timedelta(seconds=1))
    assert (late.used, late.seconds_left) == (2, 61)


def test_keys_do_not_meet() -> None:
    one, other = platform.make_key("one").key.pk, platform.make_key("other").key.pk
    rate_limits.count(api_key_id=one, limit=1, at=platform.AT)
    assert rate_limits.count(api_key_id=other, limit=1, at=platform.AT).used == 1
