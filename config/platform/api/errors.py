"""Refusals as answers. Owns the shapes of all error bodies of the API; the refusals themselves are raised elsewhere.

Every body has ``status`` and ``error``; most have a ``code`` for machines, and a refused input lists codes per field
under ``error_details``. Bad input of any kind ends here with a 4xx and its reason.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError
from django.http import Http404, JsonResponse
from django.http.request import HttpRequest, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from config.kernel import errors
from config.platform.api import codes

log = logging.getLogger(__name__)

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
}

_KINDS: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.Invalid, 422),
    (errors.NotFound, 404),
    (errors.NotAllowed, 405),
    (errors.Forbidden, 403),
    (errors.Conflict, 409),
    (errors.BadRequest, 400),
)


class PreconditionFailed(exceptions.APIException):
    """What the request was decided by (``If-Match``) is no more."""

    status_code = 412


_BASIC: tuple[tuple[type[Exception], int, str], ...] = (
    (Http404, 404, "resource_not_found"),
    (exceptions.NotFound, 404, "resource_not_found"),
    (PermissionDenied, 403, "forbidden"),
    (exceptions.PermissionDenied, 403, "forbidden"),
    (exceptions.MethodNotAllowed, 405, "method_not_allowed"),
    (exceptions.UnsupportedMediaType, 415, "unsupported_media_type"),
    (PreconditionFailed, 412, "precondition_failed"),
    (exceptions.Throttled, 429, "too_many_requests"),
    (RequestDataTooBig, 413, "request_too_large"),
)


def handle(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an exception of a view. None for what is no refusal but a fault, which the server then reports as such."""
    response = _answer(exc)
    if response is not None:
        set_rollback()
        for name, value in _headers(exc).items():
            response[name] = value
    return response


def body(status: int, *, code: str = "", details: Mapping[str, Any] | None = None, error: str = "") -> dict[str, Any]:
    """Return the body of a refusal. ``error`` is the status in words unless given."""
    content: dict[str, Any] = {"status": status, "error": error or TITLES[status]}
    if code:
        content["code"] = code
    if details is not None:
        content["error_details"] = dict(details)
    return content


def server_error(request: HttpRequest) -> JsonResponse:
    """Answer a fault of the server; what happened is in the log, not in the answer."""
    return JsonResponse(body(500, code="internal_error"), status=500)


def _answer(exc: Exception) -> Response | None:
    if isinstance(exc, errors.DomainError):
        return _refused(exc)
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return Response(body(401), status=401)
    if isinstance(exc, exceptions.ValidationError):
        return Response(body(422, code="validation_errors", details=codes.flat(exc.get_codes())), status=422)
    if isinstance(exc, exceptions.ParseError | UnreadablePostError):
        return Response(body(400, error=f"BadRequest: {_text(exc)}"), status=400)
    for kind, status, code in _BASIC:
        if isinstance(exc, kind):
            return Response(body(status, code=code), status=status)
    if isinstance(exc, SuspiciousOperation):
        return Response(body(400, error="BadRequest: the request is malformed"), status=400)
    if isinstance(exc, DataError):  # a figure or text that no check refused and no column can hold
        log.warning("the database refused a value: %s", type(exc.__cause__).__name__)
        return Response(body(422, code="validation_errors", details={"base": ["value_is_invalid"]}), status=422)
    return None


def _refused(exc: errors.DomainError) -> Response:
    status = next((status for kind, status in _KINDS if isinstance(exc, kind)), 422)
    if status == 400:
        return Response(body(400, error=exc.message), status=400)
    if status == 422:
        details = exc.details or {"base": [exc.code]}
        return Response(body(422, code="validation_errors", details=details), status=422)
    return Response(body(status, code=exc.code, details=exc.details or None), status=status)


def _headers(exc: Exception) -> dict[str, str]:
    if not isinstance(exc, exceptions.APIException):
        return {}
    headers = {}
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(exc.wait)
    return headers


def _text(exc: Exception) -> str:
    return str(exc.detail) if isinstance(exc, exceptions.APIException) else "the request could not be read"
