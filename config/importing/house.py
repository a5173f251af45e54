"""This installation, spoken to in the words of its own API without a network. Owns calling a view of the API in this
process, in the transaction and at the instant of the caller: input is checked and answers look as over HTTP.

There is no key, so there are no limits, no rights and no log of requests; the audit trail names the import.
"""

from __future__ import annotations

import io
import json
import urllib.parse
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.urls import resolve
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from config.kernel import actors
from config.kernel.actors import Actor
from config.platform.api import errors as refusals
from config.platform.models import ApiKey

NAME = "import_lago"
_MISSING = 404


class Refused(Exception):
    """The API did not take it. ``code`` and ``details`` are its reasons."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.details: dict[str, Any] = dict(body.get("error_details") or {})
        self.code = str(body.get("code") or body.get("error") or status)
        super().__init__(self.code)


class House:
    """The API of this installation at an instant. Writes are the import's in the audit trail."""

    def __init__(self, *, at: datetime, actor: Actor | None = None) -> None:
        self.at = at
        self.actor = actor or actors.job(NAME)

    def find(self, path: str, root: str) -> dict[str, Any] | None:
        """Return one object as the API shows it; nothing where there is none. ``path`` is not quoted."""
        try:
            return dict(self.ask("GET", path)[root])
        except Refused as refusal:
            if refusal.status == _MISSING:
                return None
            raise

    def make(self, path: str, root: str, values: Mapping[str, Any], *, at: datetime | None = None) -> dict[str, Any]:
        """Post values under their root key and return the answer's object. Raises Refused."""
        return dict(self.ask("POST", path, {root: dict(values)}, at=at)[root])

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> dict[str, Any]:
        """Call the API and return its whole answer. Raises Refused; a fault is raised as it came."""
        match = resolve(f"/api/v1/{path}")
        view: Any = match.func.view_class(**match.func.view_initkwargs)  # type: ignore[attr-defined]
        view.args, view.kwargs, view.format_kwarg, view.headers = (), match.kwargs, None, {}
        view.request = request = self._request(view, method, path, body, query)
        view.actor, view.at = (lambda _: self.actor), (lambda: at or self.at)
        try:
            response = getattr(view, method.lower())(request, **match.kwargs)
        except Exception as fault:
            refusal = refusals.handle(fault, {})
            if refusal is None:
                raise
            raise Refused(refusal.status_code, _plain(refusal.data)) from fault
        return _plain(response.data)

    def _request(
        self, view: Any, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, Any] | None
    ) -> Request:
        content = b"" if body is None else json.dumps(body).encode()
        plain = WSGIRequest(
            {
                "REQUEST_METHOD": method,
                "PATH_INFO": f"/api/v1/{path}",
                "QUERY_STRING": urllib.parse.urlencode(query or {}),
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(content)),
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "wsgi.input": io.BytesIO(content),
            }
        )
        request: Request = view.initialize_request(plain)
        request.user, request.auth = None, ApiKey(name=NAME)
        return request


def _plain(content: Any) -> dict[str, Any]:
    return dict(json.loads(JSONRenderer().render(content)))
