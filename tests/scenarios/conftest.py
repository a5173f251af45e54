"""The API of an installation in one process, as the sample talks to it, with the clock standing still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import time_machine
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from config.demo import installation
from config.demo.api import Api

AT = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """Let requests of the same thread leave the test's connection, and its transaction, open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def api(_one_connection: None) -> Iterator[Api]:
    with time_machine.travel(AT, tick=False):
        secret = installation.api_key(secret="", at=AT)
        with Api("http://testserver", secret, transport=httpx.WSGITransport(get_wsgi_application())) as opened:
            yield opened
