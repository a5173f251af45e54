"""Makers of what belongs to the installation: API keys and clients that use them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.test import Client

from config.kernel import actors
from config.platform.models import ApiKey
from config.platform.services import api_keys

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ACTOR = actors.Actor(kind="system", label="tests")


def make_key(name: str = "tests", *, at: datetime = AT, **terms: Any) -> api_keys.MadeKey:
    """Make a usable API key and return it with its secret. Terms are those of `api_keys.create`."""
    return api_keys.create(name=name, actor=ACTOR, at=at, **terms)


def client_of(**terms: Any) -> ApiClient:
    """Return a client whose key has these terms."""
    made = make_key(**terms)
    client = ApiClient(made.secret)
    client.key = made.key
    return client


class ApiClient(Client):
    """A test client that speaks JSON below ``/api/v1/`` with an API key of its own."""

    def __init__(self, secret: str | None = None) -> None:
        made = None if secret is not None else make_key()
        self.secret = secret if made is None else made.secret
        self.key: ApiKey | None = None if made is None else made.key
        super().__init__(headers={"Authorization": f"Bearer {self.secret}"})

    def call(self, method: str, path: str, content: Any = None, **headers: str) -> Any:
        """Send a request and return the response; ``content`` is made JSON, headers are written with underscores."""
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        body = {} if content is None else {"data": content, "content_type": "application/json"}
        return getattr(super(), method)(f"/api/v1/{path}", headers=extra or None, **body)

    def read(self, path: str, **params: Any) -> Any:
        """GET with query parameters and return the response."""
        return super().get(f"/api/v1/{path}", params)
