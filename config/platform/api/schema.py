"""OpenAPI. Owns how root keys, pages and refusals are described; each view describes its own resource with these."""

from __future__ import annotations

import functools
from typing import Any

from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers


class ApiSchema(openapi.AutoSchema):
    """Describes a view of this API."""

    def get_operation_id(self) -> str:
        """Name an operation; reading a collection is a list."""
        name: str = super().get_operation_id()
        if self.method == "GET" and not self.path.endswith("}"):
            return name.removesuffix("_retrieve") + "_list" if name.endswith("_retrieve") else name
        return name


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the bearer key."""

    target_class = "config.platform.api.auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the OpenAPI form."""
        return {"type": "http", "scheme": "bearer", "description": "The key that `manage.py create_api_key` printed."}


class ConstantField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a constant by its type."""

    target_class = "config.platform.api.serializers.Constant"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the OpenAPI form."""
        value = self.target.value
        if value is None:
            return {"nullable": True}
        if isinstance(value, list):
            return {"type": "array", "items": {}}
        return {"type": _TYPES.get(type(value), "object")}


class UnsupportedField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a field that takes neutral values only."""

    target_class = "config.platform.api.serializers.Unsupported"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the OpenAPI form."""
        taken = ", ".join(repr(value) for value in self.target.neutral)
        return {"nullable": True, "description": f"Not supported yet; anything but {taken} is refused."}


class Meta(serializers.Serializer):  # type: ignore[type-arg]
    """Where in the list a page is."""

    current_page = serializers.IntegerField()
    next_page = serializers.IntegerField(allow_null=True)
    prev_page = serializers.IntegerField(allow_null=True)
    total_pages = serializers.IntegerField()
    total_count = serializers.IntegerField()


class Refusal(serializers.Serializer):  # type: ignore[type-arg]
    """Why a request was refused."""

    status = serializers.IntegerField()
    error = serializers.CharField()
    code = serializers.CharField(required=False)
    error_details = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)


PAGE = [
    OpenApiParameter("page", OpenApiTypes.INT, description="From 1 on."),
    OpenApiParameter("per_page", OpenApiTypes.INT, description="100 unless given, 1000 at most."),
]


def body(root: str, serializer: type[serializers.Serializer[Any]], *, many: bool = False) -> Any:
    """Describe a request: the serializer under its root key."""
    return _wrapped(f"{serializer.__name__}{'s' if many else ''}Body", root, serializer, many=many, meta=False)


def answer(root: str, serializer: type[serializers.Serializer[Any]], *, refusals: bool = True) -> dict[int, Any]:
    """Describe an answer: the serializer under its root key, and the refusals that every view can give."""
    wrapped = _wrapped(f"{serializer.__name__}Envelope", root, serializer, many=False, meta=False)
    return {200: wrapped, **(_REFUSALS if refusals else {})}


def page(root: str, serializer: type[serializers.Serializer[Any]], *, meta: bool = True) -> dict[int, Any]:
    """Describe a list under its root key, with ``meta`` unless it has no pages."""
    name = f"{serializer.__name__}{'Page' if meta else 'List'}"
    return {200: _wrapped(name, root, serializer, many=True, meta=meta), **_REFUSALS}


def filters(*names: str, many: tuple[str, ...] = (), paged: bool = True) -> list[OpenApiParameter]:
    """Describe the parameters of a list: plain ones, those given as ``name[]``, and the page."""
    plain = [OpenApiParameter(name, OpenApiTypes.STR) for name in names]
    lists = [OpenApiParameter(f"{name}[]", OpenApiTypes.STR, many=True) for name in many]
    return [*plain, *lists, *(PAGE if paged else [])]


@functools.cache
def _wrapped(name: str, root: str, serializer: type[serializers.Serializer[Any]], *, many: bool, meta: bool) -> Any:
    """Return the same class for the same wrapping: two of one name would be two components."""
    fields: dict[str, Any] = {root: serializer(many=many)}
    if meta:
        fields["meta"] = Meta()
    return inline_serializer(name=name, fields=fields)


_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}

_REFUSALS = {
    400: OpenApiResponse(Refusal, description="The request cannot be read."),
    401: OpenApiResponse(Refusal, description="No key, or one that is unknown, revoked or expired."),
    404: OpenApiResponse(Refusal, description="What the request names does not exist."),
    405: OpenApiResponse(Refusal, description="The state refuses it."),
    422: OpenApiResponse(Refusal, description="The input breaks a rule; `error_details` lists codes per field."),
}
