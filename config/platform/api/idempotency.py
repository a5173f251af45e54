"""The header ``Idempotency-Key`` on writes. Owns reading it and answering a repeat; the service remembers.

The base of the views asks here for every write, so no view does. A repeat is the same method, address and JSON: spaces
and the order of keys make no difference. Answers of any kind are remembered, empty ones and files too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.services import idempotency

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_LENGTH = 255

PARAMETER = OpenApiParameter(
    name=HEADER,
    location=OpenApiParameter.HEADER,
    description="A key of your own for this write, 255 printable ASCII characters at most. Sent again with the same "
    "body, the first answer comes again with `Idempotency-Replayed: true` and nothing is written; with another body "
    "the request is refused with 422. Kept for 30 days unless the installation is set otherwise.",
)

_OF_THE_BODY = ("Content-Type", "Content-Disposition", "Cache-Control")

Write = Callable[[], HttpResponseBase]


def key_of(request: Request) -> str | None:
    """Return the key that a request names, or None. Raises Invalid for one that cannot be taken."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not key.strip() or not key.isprintable() or not key.isascii():
        raise _refused("value_is_invalid")
    if len(key) > MAX_LENGTH:
        raise _refused("value_is_too_long")
    return str(key)


def once(*, request: Request, key: str, at: datetime, write: Write) -> HttpResponseBase:
    """Write and answer, or give the first answer to this key again.

    The write runs in one transaction with the memory of its answer. Raises what it raises, and KeyReused.
    """
    fresh: list[HttpResponseBase] = []

    def remembered() -> idempotency.Answer:
        fresh.append(write())
        return _answer(fresh[0])

    answer = idempotency.once(
        api_key_id=request.auth.pk, key=key, request_digest=digest(request), at=at, write=remembered
    )
    if not answer.replayed:
        return fresh[0]
    headers = {REPLAYED: "true"}
    if answer.body is not None:
        return Response(answer.body, status=answer.status, headers=headers)
    again = HttpResponse(answer.content, status=answer.status, headers={**answer.headers, **headers})
    if not answer.content:
        del again["Content-Type"]
    return again


def digest(request: Request) -> str:
    """Return what tells requests apart: the SHA-256 of method, address and the JSON of the body in one fixed form."""
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + _canonical(request.body)).hexdigest()


def _canonical(body: bytes) -> bytes:
    try:
        content = json.loads(body.decode("utf-8"), parse_float=_number, parse_int=_number)
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body


def _number(digits: str) -> dict[str, str]:
    """Keep a number as it is written, apart from the text of its digits: no object of a client has a name like this."""
    return {"\x00": digits}


def _refused(code: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", f"The header {HEADER} is not valid.", {"idempotency_key": [code]})


def _answer(response: HttpResponseBase) -> idempotency.Answer:
    """Return what is remembered of an answer, in its bytes. A stream is read here, and left readable."""
    headers: dict[str, Any] = {name: response[name] for name in _OF_THE_BODY if name in response}
    if isinstance(response, Response):
        content = b"" if response.data is None else JSONRenderer().render(response.data)
        headers["Content-Type"] = "application/json"
    elif getattr(response, "streaming", False):
        parts = list(response.streaming_content)  # type: ignore[attr-defined]
        response.streaming_content = parts  # type: ignore[attr-defined]
        content = b"".join(parts)
    else:
        content = response.content  # type: ignore[attr-defined]
    return idempotency.Answer(status=response.status_code, content=content, headers=headers)
