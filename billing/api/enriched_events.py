"""``/events_enriched``: events with the value that a metric reads of each."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import events as plain_events
from billing.models import UsageEvent
from billing.queries import enriched_events, events
from config.platform.api import pagination, schema, views
from config.platform.api import serializers as fields

LIST = "events"


class EnrichedEventAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An event with what the first metric of its code reads of it: a property as text, "1" where events are counted."""

    transaction_id = serializers.CharField(source="event.transaction_id")
    external_subscription_id = serializers.CharField(source="event.external_subscription_id")
    code = serializers.CharField(source="event.code")
    timestamp = fields.Instant(source="event.timestamp", milliseconds=True)
    enriched_at = fields.Instant(source="event.received_at", milliseconds=True)
    value = serializers.CharField(allow_null=True)
    decimal_value = fields.DecimalString(source="number")
    precise_total_amount_cents = fields.DecimalString(source="event.precise_total_amount_cents", allow_null=True)
    properties = serializers.DictField(source="event.properties")


class EnrichedEvents(views.ApiView):
    """All events, with what is read of them."""

    resource = "event"

    @extend_schema(
        operation_id="findAllEventsEnriched",
        parameters=plain_events.FILTERS,
        responses=schema.page(LIST, EnrichedEventAnswer),
    )
    def get(self, request: Request) -> Response:
        """List events with their values, newest first. Beyond 10,000 events ``total_count`` is an estimate."""
        rows = plain_events.wanted(request)
        return pagination.paginated(request, rows, LIST, _shown, read=events.page)


def _shown(found: list[UsageEvent]) -> list[dict[str, Any]]:
    return list(EnrichedEventAnswer(enriched_events.enriched(found), many=True).data)
