"""What all figures by month have in common on the wire: how a month is written, and by what they are narrowed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from config.kernel import money
from config.platform.api import params
from config.platform.api import serializers as fields

MONTH = "The first day of the month, at midnight UTC."
CURRENCY = OpenApiParameter("currency", OpenApiTypes.STR, description="ISO 4217; all currencies unless given.")
CUSTOMER = OpenApiParameter("external_customer_id", OpenApiTypes.STR, description="Of this customer alone.")
PARAMETERS = [
    OpenApiParameter("months", OpenApiTypes.INT, description="So many months, this one included; all unless given."),
    CURRENCY,
    CUSTOMER,
    OpenApiParameter("billing_entity_code", OpenApiTypes.STR, description="Of this seller alone."),
]


@extend_schema_field(OpenApiTypes.DATETIME)
class MonthField(serializers.Field):  # type: ignore[type-arg]
    """The first day of a month, as the instant at which it begins in UTC."""

    def to_representation(self, value: date) -> str:
        """Return it as ISO 8601."""
        return fields.instant_text(datetime.combine(value, time(), UTC))


def currency(request: Request) -> str | None:
    """Return the currency asked for, or None. Raises Invalid for an unknown one (`invalid_currency`)."""
    code = params.text(request, "currency")
    if code is not None:
        money.exponent(code)
    return code
