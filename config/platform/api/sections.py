"""Which custom sections something has, as it comes in. Owns the shape of the question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from config.platform.api.serializers import Flag, RequestSerializer, Text


class SectionsRequest(RequestSerializer):
    """Which custom sections its invoices have: those of the codes, or none at all with ``skip``."""

    skip_invoice_custom_sections = Flag(allow_null=True)
    invoice_custom_section_codes = serializers.ListField(
        child=Text(required=True), required=False, allow_null=True, max_length=100
    )


def codes(content: Mapping[str, Any] | None) -> list[str] | None:
    """Return the codes that were chosen, an empty list for no section; None leaves them to customer and seller."""
    if not content:
        return None
    if content.get("skip_invoice_custom_sections"):
        return []
    return content.get("invoice_custom_section_codes") or None
