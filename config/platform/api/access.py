"""Whether a known key may do this now: its limit, then its rights. Owns asking for both, and the headers of a limit.

Order of refusals: 401 for no usable key (`auth`), 429 for one request too many, 403 for a right that is not there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework import exceptions
from rest_framework.request import Request

from config.kernel import errors
from config.platform.models import ApiKey
from config.platform.services import rate_limits, rights
from config.platform.services.rate_limits import Standing

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def action(view: Any, method: str | None) -> str:
    """Return whether a request reads or writes: by its method, unless the view says that it writes nothing."""
    return rights.READ if method in SAFE or str(method).lower() in view.reads else rights.WRITE


def counted(request: Request, *, at: datetime) -> Standing | None:
    """Count a request of a limited key and return where it stands; None for a key without a limit."""
    key = request.auth
    if not isinstance(key, ApiKey) or key.rate_limit is None:
        return None
    return rate_limits.count(api_key_id=key.pk, limit=key.rate_limit, at=at)


def admit(view: Any, request: Request, standing: Standing | None) -> None:
    """Raise Throttled (429) for one request too many, Forbidden (403) for a right that the key does not have."""
    if standing is not None and standing.is_over:
        raise exceptions.Throttled(wait=standing.seconds_left)
    wanted = rights.WRITE if str(request.method).lower() in view.guarded else action(view, request.method)
    if view.resource is not None:
        demand(request, resource=view.resource, action=wanted)


def demand(request: Request, *, resource: str, action: str) -> None:
    """Raise Forbidden (403) where the key may not do this with a resource, be it another one than the view's own."""
    key = request.auth
    if isinstance(key, ApiKey) and not rights.allows(key.rights, resource=resource, action=action):
        raise errors.Forbidden(f"{action}_action_not_allowed_for_{resource}")


def tell(response: HttpResponseBase, standing: Standing) -> None:
    """Say in headers where a limited key stands, under the standard's names and those that clients know."""
    for name, value in (
        ("Limit", standing.limit),
        ("Remaining", standing.remaining),
        ("Reset", standing.seconds_left),
    ):
        response[f"RateLimit-{name}"] = response[f"x-ratelimit-{name.lower()}"] = str(value)
