"""The base of every API view: who calls, at which instant, with which checked input. A view parses, makes one service
call and renders; the rules are the services'.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.http import Http404
from django.utils import timezone
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.api import codes, parsing
from config.platform.api import schema as api_schema
from config.platform.api.auth import ApiKeyAuthentication, HasApiKey

S = TypeVar("S", bound="Serializer[Any]")


class AlwaysJson(BaseContentNegotiation):
    """Answers in JSON whatever the client says it accepts, as clients of this API expect."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the JSON parser: bodies are JSON, also where a client forgot to say so."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the JSON renderer."""
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """A resource below ``/api/v1/``. Needs an API key; speaks JSON only."""

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasApiKey]
    parser_classes = [parsing.StrictJsonParser]
    content_negotiation_class = AlwaysJson
    metadata_class = None
    schema = api_schema.ApiSchema()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let nothing in that no column can hold: such a path names nothing, such a query cannot be read."""
        super().initial(request, *args, **kwargs)
        if not all(parsing.storable(value) for value in kwargs.values() if isinstance(value, str)):
            raise Http404
        for name, values in request.query_params.lists():
            if not all(parsing.storable(text) for text in (name, *values)):
                raise errors.BadRequest("bad_request", "BadRequest: a parameter has a null character")

    def actor(self, request: Request) -> Actor:
        """Return who does it, for the audit trail: the API client."""
        return Actor(kind="api_key", label=request.auth.name)

    def at(self) -> datetime:
        """Return the clock. Read it once per request and pass it down."""
        return timezone.now()

    def root(self, request: Request, key: str) -> dict[str, Any]:
        """Return what the body has under its root key. Raises BadRequest when that is missing or no filled object."""
        content = request.data.get(key) if isinstance(request.data, Mapping) else None
        if not isinstance(content, dict) or not content:
            message = f"BadRequest: param is missing or the value is empty or invalid: {key}"
            raise errors.BadRequest("bad_request", message)
        return content

    def body(
        self, request: Request, key: str, serializer_class: type[Serializer[Any]], *, partial: bool = False
    ) -> dict[str, Any]:
        """Return the checked input under the root key: only the keys that were sent and that the serializer knows.

        With ``partial`` nothing is mandatory. Raises BadRequest without the root key, Invalid with codes per field.
        """
        return self.checked(self.root(request, key), serializer_class, partial=partial)

    def checked(
        self, content: Mapping[str, Any], serializer_class: type[Serializer[Any]], *, partial: bool = False
    ) -> dict[str, Any]:
        """Check input that needs no root key or was read before. Raises Invalid with codes per field."""
        serializer = serializer_class(data=content, partial=partial, context={"view": self})
        if not serializer.is_valid():
            details = codes.flat(_codes(serializer.errors))
            raise errors.Invalid("validation_errors", "The input is not valid.", details)
        return dict(serializer.validated_data)


class UnknownRoute(ApiView):
    """Whatever no other route answers."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 to those with a key, 401 to all others."""
        super().initial(request, *args, **kwargs)
        raise Http404


def _codes(found: Any) -> Any:
    if isinstance(found, Mapping):
        return {key: _codes(inner) for key, inner in found.items()}
    if isinstance(found, list | tuple):
        return [_codes(inner) for inner in found]
    return getattr(found, "code", None) or str(found)
