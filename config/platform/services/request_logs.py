"""The log of requests that were to change something. Owns writing it; what may be kept of a body is `redaction`'s.

An entry is written after the request is done and by itself: a refusal is logged although all it did was undone. The
log serves people who look for what went wrong; a request never fails because it could not be logged.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import Error, transaction

from config.platform.models import RequestLog
from config.platform.services import redaction

log = logging.getLogger(__name__)

LONGEST_PATH = 2048


@dataclass(frozen=True)
class Body:
    """The bytes of a body and what they are."""

    raw: bytes = b""
    content_type: str = ""


@dataclass(frozen=True)
class Served:
    """A request and how it was answered. ``parameters`` are those of its address, in their order."""

    request_id: str
    api_key_id: int
    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    status: int
    milliseconds: int
    client: str
    address: str
    request: Body
    response: Body


def note(*, served: Served, at: datetime) -> None:
    """Write an entry about a request that came at that instant. Whatever fails is told in the server's log alone."""
    try:
        with transaction.atomic():
            RequestLog.objects.create(**_values(served), at=at, created_at=at)
    except Error:
        log.exception("a request could not be logged: %s %s", served.method, served.path)


def _values(served: Served) -> dict[str, object]:
    hidden = {name.lower() for name in settings.API_LOG_HIDDEN_FIELDS}
    query = "&".join(
        f"{name}={redaction.HIDDEN if redaction.is_secret(name, hidden=hidden) else value}"
        for name, value in served.parameters
    )
    return {
        "request_id": served.request_id[:64],
        "api_key_id": served.api_key_id,
        "method": served.method[:16],
        "path": redaction.cut(served.path)[:LONGEST_PATH],
        "query": redaction.cut(query)[:LONGEST_PATH],
        "status": served.status,
        "duration_ms": served.milliseconds,
        "client": served.client,
        "address": served.address,
        "request_body": redaction.shown(served.request.raw, content_type=served.request.content_type, hidden=hidden),
        "response_body": redaction.shown(served.response.raw, content_type=served.response.content_type, hidden=hidden),
    }
