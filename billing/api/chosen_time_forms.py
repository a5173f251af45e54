"""How a chosen time comes in: "now", "period_end" or a date that is local to the customer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.domain import chosen_times
from billing.domain.terms import InvalidTerms
from config.platform.api.serializers import Text


@extend_schema_field(OpenApiTypes.STR)
class ChosenTimeField(Text):
    """A chosen time; null and the empty text choose nothing."""

    default_error_messages = {"value_is_invalid": "Now, period_end or a date."}

    def __init__(self, *, field: str, **kwargs: Any) -> None:
        super().__init__(help_text="`now`, `period_end` or a date (local to the customer).", **kwargs)
        self.field_label = field

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Return the choice, or None."""
        found = super().run_validation(data)
        if not found:
            return None
        try:
            return chosen_times.read(found, field=self.field_label)
        except InvalidTerms:
            self.fail("value_is_invalid")
