"""What tests that commit leave behind: events are deleted around each test, because no model manages their tables."""

from collections.abc import Iterator

import pytest

from tests.factories import usage


@pytest.fixture(autouse=True)
def _no_events_are_left(transactional_db: None) -> Iterator[None]:
    usage.clear()
    yield
    usage.clear()
