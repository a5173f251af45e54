"""What every test shares: the hypothesis profile, an empty cache, databases that are copied instead of migrated, and
emptied where something is in them.
"""

import os
from collections.abc import Iterator

import pytest
from django import conf
from django.core import cache
from django.db import connection
from hypothesis import HealthCheck, settings

from tests import emptied, migrated, quickened

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


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: pytest.FixtureRequest
) -> None:
    """Copy the database of tests from one that is migrated already."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = migrated.database()


@pytest.fixture(scope="session", autouse=True)
def _quickly_emptied() -> Iterator[None]:
    """Empty tables after tests that commit in milliseconds, and spare every test what would be the same again."""
    with emptied.quickly(), quickened.everything():
        yield


def pytest_collection_finish() -> None:
    """All code is loaded now."""
    quickened.forget_what_is_loaded()
