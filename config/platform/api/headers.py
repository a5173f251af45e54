"""Which headers operations take and give because of what their view is. Owns describing them; the base of the views
does what they say, and no view names them itself.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from config.platform.api import access, conditional, idempotency
from config.platform.services import rights

ETAG = OpenApiParameter(
    "ETag",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description="What the object is now: for `If-None-Match` of the next read and `If-Match` of a write.",
)
REPLAYED = OpenApiParameter(
    idempotency.REPLAYED,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[200],
    description="`true` where an earlier request with the same `Idempotency-Key` made this answer.",
)

KEPT = {"description": "What `If-None-Match` names still holds. No body."}


def parameters(view: Any, method: str) -> list[OpenApiParameter]:
    """Return the headers of an operation, taken and given."""
    if access.action(view, method) == rights.READ:
        return [conditional.IF_NONE_MATCH, ETAG] if view.is_conditional and method == "GET" else []
    found = [idempotency.PARAMETER, REPLAYED] if view.takes_idempotency_key else []
    return [*found, conditional.IF_MATCH] if view.is_conditional else found


def responses(view: Any, method: str) -> dict[str, dict[str, str]]:
    """Return the answers that come of these headers alone."""
    return {"304": KEPT} if view.is_conditional and method == "GET" else {}
