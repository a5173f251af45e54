"""Who calls the API. Owns reading the bearer key of a request; which keys exist is the service's.

Recognising a key is one query on a unique index, so that it costs the ingestion of events next to nothing.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.kernel import clients
from config.platform.models import ApiKey
from config.platform.queries import api_keys as known_keys
from config.platform.services import api_keys


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer KEY``. ``request.auth`` is then the ApiKey; there is no user."""

    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        """Return the key. None without the header; raises AuthenticationFailed for a key that is not usable."""
        kind, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            return None
        at = timezone.now()
        key = known_keys.usable(secret=secret.strip(), at=at)
        if key is None:
            raise exceptions.AuthenticationFailed
        api_keys.note_use(key=key, at=at, address=clients.address(request._request))
        return None, key

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that a missing key is answered with 401 and not with 403."""
        return "Bearer"


class HasApiKey(BasePermission):
    """Lets in whoever showed a usable key."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say whether the request carries one."""
        return isinstance(request.auth, ApiKey)
