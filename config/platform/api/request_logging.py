"""What of a request goes to the log of requests. Owns which requests are logged and taking them apart; the service
hides, cuts and writes.
"""

from __future__ import annotations

import logging
import time
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http.request import RawPostDataException, UnreadablePostError
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from config.kernel import clients
from config.platform.api import access
from config.platform.models import ApiKey
from config.platform.services import request_logs, rights
from config.platform.services.request_logs import Body, Served

log = logging.getLogger(__name__)

TOO_MANY = 429
"""Not logged: what a limit keeps out must not fill the log."""


def note(view: Any, request: Request, response: HttpResponseBase | None, *, at: datetime, started: float) -> None:
    """Log a request that was to change something, with its answer; without one (None) it ended in a fault.

    Events are logged where the installation wants them only: they are many, and stored as they are. ``started`` is of
    the performance counter. Raises nothing: a request does not fail because it could not be logged, and a fault is not
    hidden by another one.
    """
    try:
        _note(view, request, response, at=at, started=started)
    except Exception:
        log.exception("a request could not be logged")


def _note(view: Any, request: Request, response: HttpResponseBase | None, *, at: datetime, started: float) -> None:
    key = getattr(request, "auth", None)
    if not isinstance(key, ApiKey) or access.action(view, request.method) == rights.READ or not settings.API_LOG_DAYS:
        return
    if view.is_ingestion and not settings.API_LOG_EVENTS:
        return
    status = 500 if response is None else response.status_code
    if status == TOO_MANY:
        return
    request_logs.note(
        served=Served(
            request_id=getattr(request._request, "request_id", "") or uuid.uuid4().hex,
            api_key_id=key.pk,
            method=str(request.method),
            path=request.path,
            parameters=tuple((name, value) for name, values in request.GET.lists() for value in values),
            status=status,
            milliseconds=max(int((time.perf_counter() - started) * 1000), 0),
            client=clients.agent(request._request),
            address=clients.address(request._request),
            request=_sent(request),
            response=_answered(response),
        ),
        at=at,
    )


def _sent(request: Request) -> Body:
    try:
        # Bodies are JSON here, also where a client forgot to say so.
        return Body(request._request.body, "application/json")
    except (RequestDataTooBig, RawPostDataException, UnreadablePostError):
        return Body()


def _answered(response: HttpResponseBase | None) -> Body:
    if response is None:
        return Body()
    content = getattr(response, "content", b"")
    return Body(content, response.get("Content-Type", ""))
