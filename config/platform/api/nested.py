"""Bodies that hold values by code, by code: ``{"entitlements": {"seats": {"max": 10}}}``. Owns their form alone."""

from __future__ import annotations

from collections.abc import Mapping

from rest_framework import serializers
from rest_framework.request import Request

from config.kernel import errors


class EntitlementsRequest(serializers.Serializer):  # type: ignore[type-arg]
    """Values by privilege code, by feature code."""

    entitlements = serializers.DictField(child=serializers.DictField(allow_null=True))


def values(request: Request, key: str) -> Mapping[str, Mapping[str, object]]:
    """Return what the body has under its root key; an inner null is no value at all.

    Raises BadRequest without the key, Invalid where something else than an object stands under a code.
    """
    content = request.data.get(key) if isinstance(request.data, Mapping) else None
    if not isinstance(content, Mapping):
        message = f"BadRequest: param is missing or the value is empty or invalid: {key}"
        raise errors.BadRequest("bad_request", message)
    wrong = [code for code, inner in content.items() if inner is not None and not isinstance(inner, Mapping)]
    if wrong:
        raise errors.Invalid("validation_errors", f"{wrong[0]} needs an object of values.", {key: ["value_is_invalid"]})
    return {code: inner or {} for code, inner in content.items()}
