"""Structured logs: one line per record, readable or JSON, with the id of the request or task it belongs to.

Owns formats, the request id and the access line. What is logged elsewhere stays free of secrets and personal data; to
that end the access line has no query string, no token of a signed link, no headers, no body and no client address.
"""

import contextvars
import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

REQUEST_ID_HEADER = "X-Request-ID"
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HIDDEN = "..."
SIGNED_LINK = re.compile(r"(?<!/billing)/(portal|files|quote)/[^/\s]+")
QUIET_PATHS = frozenset({"/healthz", "/readyz"})

_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
_access = logging.getLogger("config.access")


def set_request_id(value: str) -> None:
    """Set the id that the records of the current context carry."""
    _request_id.set(value)


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _request_id.get()
        return True


class SignedLinkFilter(logging.Filter):
    """Takes the tokens of signed links out of the addresses that the framework logs, as of refused requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_without_token(value) if isinstance(value, str) else value for value in record.args)
        return True


class HumanFormatter(logging.Formatter):
    """Time in UTC, level, logger, message and the extra fields as key=value.

    The id of the request or task is said from a warning on: it is for finding what belongs to a fault.
    """

    converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        unsaid = {"request_id"} if (record.levelno or 0) < logging.WARNING else set()
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items() if name not in unsaid)
        head, separator, rest = line.partition("\n")
        return f"{head}{fields}{separator}{rest}"


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC), level, logger, message, request_id, extra fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info and record.exc_info[0]:
            entry["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(entry, ensure_ascii=False, default=str)


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_UNSAID = frozenset({"request", "server_time", "status_code", "data"})
"""Fields that Django and Celery add: what a client sent, or a task's arguments, which may be personal data."""


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """The fields given with `extra=`, without empty ones and those of others that may hold personal data."""
    fields = vars(record).items()
    return {name: value for name, value in fields if name not in _STANDARD | _UNSAID and value != ""}


class RequestLogMiddleware:
    """Gives every request an id, returns it in a header, and logs one line per request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        request_id = given if ACCEPTED_REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        token = _request_id.set(request_id)
        request.request_id = request_id  # type: ignore[attr-defined]
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response.headers[REQUEST_ID_HEADER] = request_id
            if not _is_quiet(request, response):
                milliseconds = (time.perf_counter() - started) * 1000
                _access.info(
                    "%s %s",
                    request.method,
                    _shown(request),
                    extra={"status": response.status_code, "ms": f"{milliseconds:.1f}"},
                )
            return response
        finally:
            _request_id.reset(token)


def _is_quiet(request: HttpRequest, response: HttpResponse) -> bool:
    """Probes, and the files that belong to each page, which come by the dozen and tell nothing unless they lack."""
    static = f"/{settings.STATIC_URL.strip('/')}/"
    return request.path in QUIET_PATHS or (request.path.startswith(static) and response.status_code < 400)


def _without_token(text: str) -> str:
    return SIGNED_LINK.sub(rf"/\1/{HIDDEN}", text)


def _shown(request: HttpRequest) -> str:
    """The path on one line, without the token of a signed link: whoever reads the log could follow it."""
    path = request.path
    token = request.resolver_match.kwargs.get("token") if request.resolver_match else None
    if token:
        path = path.replace(token, HIDDEN)
    return path.encode("unicode_escape").decode("ascii")


def configuration(*, log_format: str, level: str, tasks: bool = False) -> dict[str, Any]:
    """Return Django's LOGGING: everything to standard error, in the format `json` or `human`.

    The beginning and end of each task is logged if asked for; its failure always.
    """
    each_task = {} if tasks or level == "DEBUG" else {"level": "WARNING"}
    formatter = "json" if log_format == "json" else "human"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": "config.logging.RequestIdFilter"},
            "signed_links": {"()": "config.logging.SignedLinkFilter"},
        },
        "formatters": {
            "json": {"()": "config.logging.JsonFormatter"},
            "human": {
                "()": "config.logging.HumanFormatter",
                "format": "%(asctime)sZ %(levelname)-7s %(name)s: %(message)s",
                "datefmt": "%Y-%m-%dT%H:%M:%S",
            },
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": formatter,
                "filters": ["request_id", "signed_links"],
            },
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            "django.db.backends": {"level": "WARNING"},
            "fontTools": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "weasyprint": {"level": "ERROR"},
            "kombu": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": each_task,
            "celery.app.trace": each_task,
        },
    }
