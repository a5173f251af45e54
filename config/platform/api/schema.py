"""OpenAPI. Owns how root keys, pages and operations are described; each view describes its own resource with these.

Refusals, ids and tags of an operation follow from its path and method (`schema_statuses`, `schema_names`), the
descriptions of fields from their names (`schema_words`): a view says only what is its own.
"""

from __future__ import annotations

import functools
from typing import Any

from drf_spectacular import openapi
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, inline_serializer
from rest_framework import serializers

from config.platform.api import headers, schema_fields, schema_names, schema_statuses, schema_texts

EXTENSIONS = schema_fields
"""How fields are described is known once the module is there."""


class ApiSchema(openapi.AutoSchema):
    """Describes a view of this API."""

    _direction = "request"

    def get_operation_id(self) -> str:
        """Name an operation by its method and path."""
        return schema_names.operation_id(self.method, self.path)

    def get_override_parameters(self) -> list[Any]:
        """Name the headers that come of what the view is."""
        return headers.parameters(self.view, self.method)

    def _get_serializer_name(self, serializer: Any, direction: Any, *args: Any, **kwargs: Any) -> str:
        """Name a component after its serializer; one that says it is a request is not said to be one twice."""
        name: str = super()._get_serializer_name(serializer, direction, *args, **kwargs)
        return name.replace("RequestRequest", "Request")

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        self._direction = direction
        return super()._map_basic_serializer(serializer, direction)

    def _insert_field_validators(self, field: Any, schema: Any) -> None:
        """Tell limits of what comes in; an answer shows what is there."""
        if self._direction == "request":
            super()._insert_field_validators(field, schema)

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Describe an operation, with the refusals that are common to its kind; those that the view names stay."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query" and parameter.get("schema", {}).get("type") == "array":
                parameter["explode"] = True
        responses = operation["responses"]
        responses.update(headers.responses(self.view, self.method))
        if any(parameter["name"] == "If-None-Match" for parameter in operation.get("parameters", [])):
            responses.setdefault("304", headers.KEPT)
        for status in schema_statuses.of(self.method, operation):
            responses.setdefault(status, schema_statuses.reference(status))
        operation["responses"] = dict(sorted(responses.items()))
        operation["summary"], operation["description"] = schema_texts.summary(
            operation.get("description", ""), operation["operationId"]
        )
        return operation


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
    error_details = serializers.DictField(required=False)


PAGE = [
    OpenApiParameter("page", OpenApiTypes.INT, description="Which page, from 1 on; the first unless given."),
    OpenApiParameter("per_page", OpenApiTypes.INT, description="Rows of a page: 100 unless given, 1,000 at most."),
]


def body(root: str, serializer: type[serializers.Serializer[Any]], *, many: bool = False) -> Any:
    """Describe a request: the serializer under its root key."""
    return _wrapped(f"{serializer.__name__}{'s' if many else ''}Body", root, serializer, many=many, meta=False)


def changes(root: str, serializer: type[serializers.Serializer[Any]]) -> Any:
    """Describe a request that changes something: what it leaves out stays as it is, so nothing is mandatory."""
    name = f"{serializer.__name__.removesuffix('Request')}Partial"
    return _wrapped(f"{name}Body", root, _partial(serializer, name), many=False, meta=False)


def either(name: str, *forms: Any) -> Any:
    """Describe something that has one of these forms, under the name of a component."""
    return PolymorphicProxySerializer(component_name=name, serializers=list(forms), resource_type_field_name=None)


def one_or_many(root: str, roots: str, serializer: type[serializers.Serializer[Any]]) -> dict[int, Any]:
    """Describe an answer with one object or several, as the request had one or several."""
    name = serializer.__name__
    one = _wrapped(f"{name}Envelope", root, serializer, many=False, meta=False)
    several = _wrapped(f"{name}List", roots, serializer, many=True, meta=False)
    return {200: either(f"{name}OrList", one, several)}


def answer(root: str, serializer: type[serializers.Serializer[Any]]) -> dict[int, Any]:
    """Describe an answer: the serializer under its root key."""
    return {200: _wrapped(f"{serializer.__name__}Envelope", root, serializer, many=False, meta=False)}


def page(root: str, serializer: type[serializers.Serializer[Any]], *, meta: bool = True) -> dict[int, Any]:
    """Describe a list under its root key, with ``meta`` unless it has no pages."""
    name = f"{serializer.__name__}{'Page' if meta else 'List'}"
    return {200: _wrapped(name, root, serializer, many=True, meta=meta)}


def filters(*names: str, many: tuple[str, ...] = (), paged: bool = True) -> list[OpenApiParameter]:
    """Describe the parameters of a list: plain ones, those given as ``name[]``, and the page."""
    plain = [OpenApiParameter(name, OpenApiTypes.STR) for name in names]
    lists = [OpenApiParameter(f"{name}[]", OpenApiTypes.STR, many=True) for name in many]
    return [*plain, *lists, *(PAGE if paged else [])]


@functools.cache
def without(serializer: type[serializers.Serializer[Any]], name: str, *absent: str, **parts: Any) -> Any:
    """Describe a shape of something that is not made: these fields of it may be null, and these parts differ too."""

    def fields(described: Any) -> Any:
        shown = {key: form if isinstance(form, serializers.Field) else form(many=True) for key, form in parts.items()}
        found = {**serializer.get_fields(described), **shown}
        for field in absent:
            found[field].allow_null = True
        return found

    return type(name, (serializer,), {"get_fields": fields, "__doc__": serializer.__doc__})


@functools.cache
def _partial(serializer: type[serializers.Serializer[Any]], name: str) -> Any:
    def fields(described: Any) -> Any:
        found = serializer.get_fields(described)
        for field in found.values():
            field.required = False
        return found

    return type(name, (serializer,), {"get_fields": fields, "__doc__": serializer.__doc__})


@functools.cache
def _wrapped(name: str, root: str, serializer: type[serializers.Serializer[Any]], *, many: bool, meta: bool) -> Any:
    """Return the same class for the same wrapping: two of one name would be two components."""
    fields: dict[str, Any] = {root: serializer(many=many)}
    if meta:
        fields["meta"] = Meta()
    return inline_serializer(name=name, fields=fields)
