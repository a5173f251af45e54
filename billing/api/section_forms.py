"""The custom sections of subscriptions in the API: those that were chosen for its invoices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from billing.models import Subscription
from config.platform.api import representations
from config.platform.api.serializers import Instant, instant_text
from customers.queries import custom_sections

_SECTION = "customers.custom_section"


class ChosenSection(serializers.Serializer):  # type: ignore[type-arg]
    """A custom section that was chosen for something."""

    lago_id = serializers.UUIDField()
    invoice_custom_section_id = serializers.UUIDField()
    created_at = Instant()
    invoice_custom_section = representations.serializer(_SECTION)()


def of_subscriptions(found: Iterable[Subscription]) -> dict[int, dict[str, Any]]:
    """Return how the sections of subscriptions look, by their keys; no query where there are none."""
    wanted = {pk for one in found for pk in one.custom_section_ids or ()}
    known = list(custom_sections.listed().filter(pk__in=wanted)) if wanted else []
    shown_rows = representations.represent(_SECTION, known) if known else []
    return {row.pk: shown_row for row, shown_row in zip(known, shown_rows, strict=True)}


def shown(subscription: Subscription, known: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the sections of a subscription in their order, without those that were retired."""
    return [
        {
            "lago_id": known[pk]["lago_id"],
            "invoice_custom_section_id": known[pk]["lago_id"],
            "created_at": instant_text(subscription.updated_at),
            "invoice_custom_section": dict(known[pk]),
        }
        for pk in subscription.custom_section_ids or ()
        if pk in known
    ]
