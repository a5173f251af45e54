"""How webhook endpoints, events and their deliveries look in the API, in and out."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.platform.api.serializers import Instant, RequestSerializer, Text, TextOrNull
from config.platform.models import WebhookDelivery, WebhookEndpoint, WebhookEvent


class EndpointRequest(RequestSerializer):
    """An endpoint as it comes in. No ``event_types``, or ``*`` among them, is all of them."""

    webhook_url = Text(required=True, max_length=2048)
    signature_algo = Text(max_length=16)
    name = Text()
    event_types = serializers.ListField(child=Text(required=True, max_length=64), required=False, allow_null=True)


class EndpointAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An endpoint. ``failing_since`` is null while it takes what it is sent."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_organization_id = serializers.SerializerMethodField()
    webhook_url = serializers.CharField()
    signature_algo = serializers.ChoiceField(choices=WebhookEndpoint.SignatureAlgorithm.values)
    name = TextOrNull()
    event_types = serializers.ListField(child=serializers.CharField(), allow_null=True)
    created_at = Instant()
    paused_at = Instant(source="disabled_at", allow_null=True)
    failing_since = Instant(allow_null=True)
    last_delivered_at = Instant(allow_null=True)

    def get_lago_organization_id(self, endpoint: WebhookEndpoint) -> str:
        """Return the installation's public id."""
        return str(self.context["organization_id"])


class DeliveryAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """How an event fares with one endpoint."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_webhook_endpoint_id = serializers.UUIDField(source="endpoint.uuid")
    webhook_url = serializers.CharField(source="endpoint.webhook_url")
    state = serializers.ChoiceField(
        choices=WebhookDelivery.State.values,
        help_text="Pending until it is taken; failed once it was given up; dropped with its endpoint.",
    )
    attempts = serializers.IntegerField(help_text="How often it was tried, since it was last sent again by hand.")
    next_attempt_at = serializers.SerializerMethodField()
    delivered_at = Instant(allow_null=True)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, delivery: WebhookDelivery) -> str | None:
        """Return when it is tried next, null where it is not."""
        is_waiting = delivery.state == WebhookDelivery.State.PENDING
        return Instant().to_representation(delivery.next_attempt_at) if is_waiting else None


class WebhookEventAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Something that happened, and how each endpoint was told of it. ``lago_id`` is the unique key in the headers."""

    lago_id = serializers.UUIDField(source="uuid")
    webhook_type = serializers.CharField(source="event_type")
    object_type = serializers.CharField()
    object_id = serializers.SerializerMethodField()
    created_at = Instant(source="at")
    deliveries = DeliveryAnswer(many=True)

    def get_object_id(self, event: WebhookEvent) -> str:
        """Return the public id of what it happened to."""
        return event.object_key.rpartition(":")[2]


class WholeWebhookEventAnswer(WebhookEventAnswer):
    """An event with its payload."""

    payload = serializers.SerializerMethodField()

    def get_payload(self, event: WebhookEvent) -> dict[str, Any]:
        """Return what is sent."""
        content: dict[str, Any] = json.loads(event.body)
        return content


class ReplayRequest(RequestSerializer):
    """To whom an event is sent again: an endpoint, or everybody it was for."""

    lago_webhook_endpoint_id = serializers.UUIDField(required=False, allow_null=True)


class TestAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """How trying an endpoint out went. ``status`` is null where no answer came; ``error`` says why."""

    delivered = serializers.BooleanField(source="is_delivered")
    status = serializers.IntegerField(allow_null=True)
    error = TextOrNull()
    answer = TextOrNull()
    milliseconds = serializers.IntegerField()


class PublicKeyAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The key that JWT signatures are checked by: base64 of its PEM."""

    public_key = serializers.CharField()
