"""What every test shares: the hypothesis profile and an empty cache."""

import os

import pytest
from django import conf
from django.core import cache
from hypothesis import HealthCheck, settings

settings.register_profile(
    "quittance",
    deadline=None,
    max_examples=60,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("quittance")


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Keep what one test cached out of the next. Pure tests also run where Django is not set up."""
    if conf.settings.configured:
        cache.cache.clear()
