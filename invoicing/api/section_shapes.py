"""The shape of a custom section on an invoice."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.platform.api.serializers import instant_text
from invoicing.models import Invoice
from invoicing.services import section_texts


class AppliedSection(serializers.Serializer):  # type: ignore[type-arg]
    """A custom section as an invoice says it."""

    lago_id = serializers.UUIDField()
    lago_invoice_id = serializers.UUIDField()
    code = serializers.CharField()
    details = serializers.CharField(allow_null=True)
    display_name = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


def applied(invoice: Invoice) -> list[dict[str, Any]]:
    """Return the custom sections of an invoice; of a draft those that it would have if it was issued now."""
    return [
        {
            "lago_id": str(text["applied_uuid"]),
            "lago_invoice_id": str(invoice.uuid),
            "code": text["code"],
            "details": text["details"] or None,
            "display_name": text["display_name"] or None,
            "created_at": instant_text(invoice.finalized_at or invoice.created_at),
        }
        for text in section_texts.shown(invoice)
    ]
