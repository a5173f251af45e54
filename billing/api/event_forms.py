"""The shape of events in requests and answers. Owns the fields; reading what clients send is `event_payload`'s.

Answers to ingestion are written without serializers, in the same shape: an event costs as little on its way out as in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.domain.usage_events import EventIn
from billing.models import Subscription, UsageEvent
from config.platform.api import serializers as fields


@extend_schema_field({"type": ["number", "string"]})
class Timestamp(serializers.Field):  # type: ignore[type-arg]
    """Unix seconds, whole or with a fraction, as number or text, or ISO 8601; the moment of receipt if missing."""


class EventRequest(serializers.Serializer):  # type: ignore[type-arg]
    """An event as clients send it. Read by a decoder of its own; this describes it."""

    transaction_id = serializers.CharField(max_length=255, help_text="Unique in the subscription.")
    external_subscription_id = serializers.CharField(max_length=255)
    code = serializers.CharField(max_length=255, help_text="The code that metrics read; it may be unknown yet.")
    timestamp = Timestamp(required=False)
    precise_total_amount_cents = fields.DecimalString(
        required=False, allow_null=True, help_text="A decimal in minor units of the currency, for `dynamic` prices."
    )
    properties = serializers.DictField(required=False, help_text="At most 16 KiB and 8 levels.")


class EventAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An event as answers show it."""

    lago_id = serializers.UUIDField(source="id")
    transaction_id = serializers.CharField()
    lago_customer_id = serializers.SerializerMethodField()
    code = serializers.CharField()
    timestamp = fields.Instant(milliseconds=True)
    precise_total_amount_cents = fields.DecimalString(allow_null=True)
    properties = serializers.DictField()
    lago_subscription_id = serializers.SerializerMethodField()
    external_subscription_id = serializers.CharField()
    created_at = fields.Instant(source="received_at")

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_lago_customer_id(self, event: UsageEvent) -> str | None:
        """Return the customer of the newest subscription of that external id."""
        found = self._subscription(event)
        return None if found is None else str(found.customer.uuid)

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_lago_subscription_id(self, event: UsageEvent) -> str | None:
        """Return the newest subscription of that external id."""
        found = self._subscription(event)
        return None if found is None else str(found.uuid)

    def _subscription(self, event: UsageEvent) -> Subscription | None:
        known: Mapping[str, Subscription] = self.context.get("subscriptions", {})
        return known.get(event.external_subscription_id)


class _Stored(msgspec.Struct, gc=False):
    lago_id: str
    transaction_id: str
    lago_customer_id: str | None
    code: str
    timestamp: str
    precise_total_amount_cents: str | None
    properties: msgspec.Raw
    lago_subscription_id: str | None
    external_subscription_id: str
    created_at: str


def stored(events: Sequence[EventIn], *, ids: Sequence[str], received_at: datetime) -> list[_Stored]:
    """Return the events that were just stored, as answers show them. Subscriptions are looked up by reads only."""
    created_at = fields.instant_text(received_at)
    return [
        _Stored(
            lago_id,
            event.transaction_id,
            None,
            event.code,
            # The first 23 characters of an instant in UTC reach to the millisecond.
            f"{event.timestamp.isoformat(timespec='milliseconds')[:23]}Z",
            event.amount_cents,
            event.properties,
            None,
            event.external_subscription_id,
            created_at,
        )
        for lago_id, event in zip(ids, events, strict=True)
    ]


def encoded(root: str, content: Any) -> bytes:
    """Write an answer under its root key."""
    return msgspec.json.encode({root: content})
