"""The shapes of custom sections: on an invoice, and where they are chosen for invoices of a wallet."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rest_framework import serializers

from config.platform.api import representations
from config.platform.api.serializers import Instant, instant_text
from customers.queries import custom_sections
from invoicing.models import Invoice
from invoicing.services import section_texts

_SECTION = "customers.custom_section"


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
    return applied_many([invoice])[invoice.pk]


def applied_many(invoices: Sequence[Invoice]) -> dict[int, list[dict[str, Any]]]:
    """Return the custom sections of invoices by invoice, with a fixed number of queries."""
    texts = section_texts.shown_many(invoices)
    return {
        invoice.pk: [
            {
                "lago_id": str(text["applied_uuid"]),
                "lago_invoice_id": str(invoice.uuid),
                "code": text["code"],
                "details": text["details"] or None,
                "display_name": text["display_name"] or None,
                "created_at": instant_text(invoice.finalized_at or invoice.created_at),
            }
            for text in texts[invoice.pk]
        ]
        for invoice in invoices
    }


class WalletSection(serializers.Serializer):  # type: ignore[type-arg]
    """A custom section that was chosen for the invoices of a wallet, a rule or a purchase."""

    lago_id = serializers.UUIDField()
    invoice_custom_section_id = serializers.UUIDField()
    created_at = Instant()
    invoice_custom_section = representations.serializer(_SECTION)()


def known(choices: Iterable[Sequence[int] | None]) -> dict[int, dict[str, Any]]:
    """Return how chosen sections look, by their keys; no query where none are chosen."""
    wanted = {pk for choice in choices for pk in choice or ()}
    rows = list(custom_sections.listed().filter(pk__in=wanted)) if wanted else []
    shown = representations.represent(_SECTION, rows) if rows else []
    return {row.pk: content for row, content in zip(rows, shown, strict=True)}


def chosen(
    *, owner: uuid.UUID, ids: Sequence[int] | None, at: datetime, sections: Mapping[int, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the sections that something chose, in their order, without those that were retired.

    Each choice has an id of its own, the same whenever it is asked for.
    """
    return [
        {
            "lago_id": str(uuid.uuid5(owner, str(sections[pk]["lago_id"]))),
            "invoice_custom_section_id": sections[pk]["lago_id"],
            "created_at": instant_text(at),
            "invoice_custom_section": dict(sections[pk]),
        }
        for pk in ids or ()
        if pk in sections
    ]
