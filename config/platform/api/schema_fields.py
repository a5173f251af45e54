"""How the API's own fields are described. Owns their OpenAPI forms in both directions; the fields are in `serializers`.

What goes in is described as wide as it is read (a decimal as text or as a number), what comes out as it is written.
"""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular import plumbing
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension

from config.platform.api import representations, serializers

_DECIMAL = r"^-?[0-9]{1,40}(\.[0-9]{1,40})?$"
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the bearer key."""

    target_class = "config.platform.api.auth.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the OpenAPI form."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: made in the admin or by `manage.py create_api_key NAME`, and shown once. It is "
            "sent as `Authorization: Bearer qk_…`.",
        }


class ConstantField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a constant by its value; what upper apps fill in, by its type."""

    target_class = "config.platform.api.serializers.Constant"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the OpenAPI form."""
        value = self.target.value
        if self.target.filled is not None:
            field = self.target.filled
            if isinstance(field, str):
                field = representations.serializer(field)(many=True)
            filled = auto_schema._map_serializer_field(field, direction)
            return plumbing.append_meta(filled, {"nullable": True}) if value is None else filled
        if isinstance(self.target, serializers.Part):
            return {} if value is None else _shape(value)
        if value is None:
            return {"type": "null"}
        if isinstance(value, list):
            return {"type": "array", "items": {}, "maxItems": len(value)}
        return {**_shape(value), "const": value}


class UnsupportedField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a field that takes neutral values only."""

    target_class = "config.platform.api.serializers.Unsupported"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the OpenAPI form: the values that are taken, and dropped."""
        taken = [value for value in self.target.neutral if value is not None]
        named = ", ".join(["null", *(f"`{json.dumps(value)}`" for value in taken)])
        text = f"Not supported: {named} is dropped, anything else is refused with 422 `unsupported_value`."
        return {"anyOf": [{"enum": taken}] if taken else [], "description": text}  # null is added as for any field


class DecimalText(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a decimal: text or a number in, text out."""

    target_class = "config.platform.api.serializers.DecimalString"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the OpenAPI form."""
        if direction == "request":
            return {"type": ["string", "number"], "format": "decimal", "pattern": _DECIMAL}
        return {"type": "string", "format": "decimal", "pattern": _DECIMAL}


class RateNumber(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a percentage: a number, in a request text too."""

    target_class = "config.platform.api.serializers.Rate"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the OpenAPI form."""
        if direction == "request":
            return {"type": ["number", "string"], "pattern": _DECIMAL, "minimum": 0, "maximum": self.target.most}
        return {"type": "number", "format": "double"}


class JsonNumber(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a decimal that is shown as a number."""

    target_class = "config.platform.api.serializers.Number"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the OpenAPI form."""
        return {"type": "number", "format": "double"}


class WholeNumber(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a whole number: in a request digits too, in an answer without a request's limits."""

    target_class = "config.platform.api.serializers.Integer"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the OpenAPI form. Both limits of the field hold for digits as well."""
        if direction != "request":
            return {"type": "integer"}
        limits = {"minimum": self.target.min_value, "maximum": self.target.max_value}
        found = {name: value for name, value in limits.items() if value is not None}
        return {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,40}$", **found}


class InstantText(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes a moment: any ISO 8601 in, UTC out."""

    target_class = "config.platform.api.serializers.Instant"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the OpenAPI form."""
        if direction == "request":
            return {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}
        return {"type": "string", "format": "date-time"}


def _shape(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"type": "array", "items": {}}
    return {"type": _TYPES.get(type(value), "object")}
