"""The base of every API view: who calls, at which instant, with which rights and checked input. A view parses, makes
one service call and renders; the rules are the services'.

What all views have in common happens here and nowhere else: limits and rights of keys, repeats of writes
(``Idempotency-Key``), conditions (``If-None-Match``, ``If-Match``) and the log of requests.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from config.kernel import clients, errors
from config.kernel.actors import Actor
from config.platform.api import access, codes, conditional, idempotency, parsing, request_logging
from config.platform.api import schema as api_schema
from config.platform.api.auth import ApiKeyAuthentication, HasApiKey
from config.platform.services import rights
from config.platform.services.rate_limits import Standing

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
    """A resource below ``/api/v1/``. Needs an API key; speaks JSON only.

    ``resource`` is what the rights of keys call it; None where no right is asked for, and a view that names none lets
    only keys in that may do everything. ``reads`` names the methods, in lower case, that write nothing although they
    are no GET: previews and estimates. ``guarded`` names those that need the right to write although they write
    nothing: what they hand out can be used to write. ``is_conditional`` says that GET shows one object, whose ETag
    names what it is; with ``checks_if_match`` its writes ask about that themselves.
    ``is_ingestion`` is of usage, which is not logged; ``takes_idempotency_key`` is off where repeats are known
    otherwise.
    """

    resource: str | None = ""
    reads: Collection[str] = ()
    guarded: Collection[str] = ()
    is_conditional = False
    checks_if_match = False
    is_ingestion = False
    takes_idempotency_key = True

    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [HasApiKey]
    parser_classes = [parsing.StrictJsonParser]
    content_negotiation_class = AlwaysJson
    metadata_class = None
    schema = api_schema.ApiSchema()
    standing: Standing | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer a request and log it, a fault too, which goes on to the server as it came."""
        at, started = self.at(), time.perf_counter()
        response = None
        try:
            response = self._served(request, *args, **kwargs)
        finally:
            request_logging.note(self, self.request, response, at=at, started=started)
        return response

    def _served(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.args, self.kwargs = args, kwargs
        self.request: Request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(self.request, *args, **kwargs)
            response = self._answered(*args, **kwargs)
        except Exception as exc:  # noqa: BLE001 - what is no refusal is raised again
            response = self.handle_exception(exc)
        response = self.response = self.finalize_response(self.request, response, *args, **kwargs)
        if isinstance(response, Response):
            response.render()
        if self.is_conditional and self.request.method in {"GET", "HEAD"}:
            response = self.response = conditional.tagged(self.request, response)
        if self.standing is not None:
            access.tell(response, self.standing)
        return response

    def _answered(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Call the method; a write is done once per ``Idempotency-Key``, and only to what ``If-Match`` names."""
        request = self.request
        name = str(request.method).lower()
        is_known = name in self.http_method_names  # a method is a word of the client's: not any attribute is meant
        handler = getattr(self, name, self.http_method_not_allowed) if is_known else self.http_method_not_allowed
        do: Callable[[], HttpResponseBase] = functools.partial(handler, request, *args, **kwargs)
        if access.action(self, request.method) == rights.READ:
            return do()
        if self.is_conditional and not self.checks_if_match and "If-Match" in request.headers:
            read = functools.partial(self.get, request, *args, **kwargs)  # type: ignore[attr-defined]
            do = functools.partial(conditional.guarded, request=request, name=request.path, read=read, write=do)
        key = idempotency.key_of(request) if self.takes_idempotency_key else None
        return do() if key is None else idempotency.once(request=request, key=key, at=self.at(), write=do)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in who may: a known key, within its limit and its rights. And nothing that no column can hold: such a
        path names nothing, such a query cannot be read.
        """
        super().initial(request, *args, **kwargs)
        self.standing = access.counted(request, at=self.at())
        access.admit(self, request, self.standing)
        if not str(request._request.META.get("CONTENT_LENGTH") or 0).isdecimal():
            raise errors.BadRequest("bad_request", "BadRequest: Content-Length is no number")
        if not self.is_ingestion and request.method not in access.SAFE:
            request._request.body  # noqa: B018 - read here and kept, for whoever needs the bytes
        if not all(parsing.storable(value) for value in kwargs.values() if isinstance(value, str)):
            raise Http404
        for name, values in request.query_params.lists():
            if not all(parsing.storable(text) for text in (name, *values)):
                raise errors.BadRequest("bad_request", "BadRequest: a parameter has a null character")

    def actor(self, request: Request) -> Actor:
        """Return who does it, for the audit trail: the API client."""
        return Actor(
            kind="api_key",
            label=request.auth.name,
            address=clients.address(request._request),
            client=clients.agent(request._request),
            behind=tuple(request.auth.known_to),
        )

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

    resource = None
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
