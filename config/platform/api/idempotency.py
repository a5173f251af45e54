"""The header ``Idempotency-Key`` on writes of money. Owns reading it and answering a repeat; the service remembers."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.utils import timezone
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
    description="A key of your own for this write. Sent again with the same body, the first answer comes again and "
    "nothing is written; with another body the request is refused with 422.",
)
"""Name it in ``@extend_schema(parameters=[...])`` of the views that take the header."""

Handler = Callable[..., Response]


def idempotent(handler: Handler) -> Handler:
    """Make a view's method answer a repeated ``Idempotency-Key`` with its first answer and ``Idempotency-Replayed``.

    Without the header the method runs as ever. With it, it runs in a transaction of this decorator's.
    """

    @functools.wraps(handler)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        answer = idempotency.once(
            api_key_id=request.auth.pk,
            key=_checked(key),
            request_digest=_digest(request),
            at=timezone.now(),
            write=lambda: _plain(handler(view, request, *args, **kwargs)),
        )
        headers = {REPLAYED: "true"} if answer.replayed else None
        return Response(answer.body, status=answer.status, headers=headers)

    return once


def _checked(key: str) -> str:
    if not key.strip() or not key.isprintable() or not key.isascii():
        raise _refused("value_is_invalid")
    if len(key) > MAX_LENGTH:
        raise _refused("value_is_too_long")
    return key


def _refused(code: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", f"The header {HEADER} is not valid.", {"idempotency_key": [code]})


def _digest(request: Request) -> str:
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + request.body).hexdigest()


def _plain(response: Response) -> idempotency.Answer:
    body = json.loads(JSONRenderer().render(response.data) or b"null")
    return idempotency.Answer(status=response.status_code, body=body)
