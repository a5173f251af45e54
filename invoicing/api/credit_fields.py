"""Fields that requests about wallets, their transactions and their rules share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.platform.api.serializers import RequestSerializer, Text, plain_decimal


@extend_schema_field({"type": ["string", "number"], "format": "decimal"})
class Credits(serializers.Field):  # type: ignore[type-arg]
    """A number of credits as plain decimal text or a number; null is none. Its own code says that it is neither."""

    def __init__(self, code: str) -> None:
        super().__init__(required=False, allow_null=True)
        self.code = code

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the decimal."""
        found = plain_decimal(data)
        if found is None:
            raise serializers.ValidationError("Not a number of credits.", code=self.code)
        return found


class PairRequest(RequestSerializer):
    """One note on a transaction."""

    key = Text(required=True)
    value = Text(required=True)
