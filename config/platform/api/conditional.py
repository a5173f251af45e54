"""Answers that whoever asked may keep and ask for again, and writes that want to know what they change.

Owns the strong ETag, what may be cached, and asking ``If-None-Match`` and ``If-Match``. The ETag of an object is the
digest of the very bytes that its GET answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils import http
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import db
from config.platform.api import errors

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` of an answer that you have: 304 without a body where it still holds.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` of what you have seen: refused with 412 where the object is something else by now.",
)

_CACHING = "private, no-cache"
"""Only whoever asked may keep it, and has to ask whether it still holds."""


def answer(request: Request, content: Any) -> HttpResponseBase:
    """Answer with JSON and the ETag of its bytes, or 304 without a body where the request names that ETag."""
    body = msgspec.json.encode(content)
    return _held(request, HttpResponse(body, content_type="application/json"), tag(body))


def tagged(request: Request, response: HttpResponseBase) -> HttpResponseBase:
    """Return a rendered answer with the ETag of its bytes, or 304 where the request names that one.

    An ETag that the view gave, of the state that its writes ask about, goes before it; see `state`. What is no success
    stays as it is.
    """
    if response.status_code != 200 or not isinstance(response, HttpResponse):
        return response
    etag = tag(response.content)
    if "ETag" in response:
        etag = f'"{state(response["ETag"])}.{etag[1:33]}"'
    return _held(request, response, etag)


def state(etag: str) -> str:
    """Return the state that an ETag of a view that names one begins with: what its writes ask about."""
    return etag.strip().removeprefix("W/").strip('"').partition(".")[0]


def guarded(
    *, request: Request, name: str, read: Callable[[], HttpResponseBase], write: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Write if the object still is what ``If-Match`` names, in one transaction; raises PreconditionFailed if not.

    Of two that name the same, the second one waits for the first and is refused then: ``name`` is what they wait
    for, the address of the object. ``read`` is its GET.
    """
    with transaction.atomic():
        db.advisory_lock(f"if-match:{name}")
        check(request, tag(_bytes(read())))
        return write()


def check(request: Request, etag: str) -> None:
    """Raise PreconditionFailed where ``If-Match`` names other ETags than this one; ``*`` is any."""
    wanted = http.parse_etags(request.headers.get("If-Match", ""))
    if wanted != ["*"] and etag not in wanted:
        raise errors.PreconditionFailed


def tag(body: bytes) -> str:
    """Return the strong ETag of a body."""
    return f'"{hashlib.sha256(body).hexdigest()}"'


def _held(request: Request, full: HttpResponse, etag: str) -> HttpResponseBase:
    full["ETag"] = etag
    full["Cache-Control"] = _CACHING
    full["Vary"] = "Authorization"
    known = {one.removeprefix("W/") for one in http.parse_etags(request.headers.get("If-None-Match", ""))}
    if not known & {"*", etag}:
        return full
    return HttpResponseNotModified(headers={name: full[name] for name in ("ETag", "Cache-Control", "Vary")})


def _bytes(response: HttpResponseBase) -> bytes:
    if isinstance(response, Response):
        return bytes(JSONRenderer().render(response.data))
    return bytes(getattr(response, "content", b""))
