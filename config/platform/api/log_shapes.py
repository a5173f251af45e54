"""How entries of the logs look outside. Owns their serializers and turning what is stored into them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework import serializers

from config.platform.api.serializers import Instant
from config.platform.models import AuditEntry, RequestLog, SecurityLog
from config.platform.queries import activities

API_VERSION = "v1"


class ActivityLogShape(serializers.Serializer):  # type: ignore[type-arg]
    """Something that was done to a resource."""

    activity_id = serializers.UUIDField(help_text="The id of the entry.")
    activity_type = serializers.CharField(help_text="What was done to what, such as `billable_metric.created`.")
    activity_source = serializers.ChoiceField(
        choices=list(activities.SOURCES), help_text="`api`: a key; `front`: a person on a page; `system`: the product."
    )
    activity_object = serializers.DictField(
        allow_null=True, help_text="The object by its id and name, with the reason that was given. Null once deleted."
    )
    activity_object_changes = serializers.DictField(
        child=serializers.ListField(), help_text="The changed values by name: before and after."
    )
    user_email = serializers.CharField(allow_null=True, help_text="Who did it, where a person did.")
    resource_id = serializers.CharField(help_text="The public id of the object.")
    resource_type = serializers.CharField(help_text="The kind of the object, such as `BillableMetric`.")
    external_customer_id = serializers.CharField(allow_null=True, help_text="The customer that it concerns.")
    external_subscription_id = serializers.CharField(allow_null=True, help_text="The subscription that it concerns.")
    logged_at = Instant(help_text="When it was done.")
    created_at = Instant(help_text="When it was noted.")


class ApiLogShape(serializers.Serializer):  # type: ignore[type-arg]
    """A request that was to change something."""

    request_id = serializers.CharField(help_text="The id in `X-Request-ID` of the answer, and in the server's log.")
    client = serializers.CharField(help_text="What the client calls itself (`User-Agent`).")
    http_method = serializers.CharField(help_text="`POST`, `PUT`, `PATCH` or `DELETE`.")
    http_status = serializers.IntegerField(help_text="The HTTP status of the answer.")
    request_origin = serializers.CharField(help_text="The network address that the request came from.")
    request_path = serializers.CharField(help_text="The path, without parameters.")
    request_body = serializers.DictField(help_text="The body without what is hidden; under `_text` where it is cut.")
    request_response = serializers.DictField(
        allow_null=True, help_text="The answer, likewise. Null where it was empty."
    )
    api_version = serializers.CharField(help_text="The version of the API.")
    duration_ms = serializers.IntegerField(help_text="How long it took, in milliseconds.")
    logged_at = Instant(help_text="When the request came.")
    created_at = Instant(help_text="When it was noted.")


class SecurityLogShape(serializers.Serializer):  # type: ignore[type-arg]
    """Something that concerns who may do what."""

    log_id = serializers.UUIDField(help_text="The id of the entry.")
    log_type = serializers.ChoiceField(choices=SecurityLog.Kind.values, help_text="What it was about.")
    log_event = serializers.CharField(help_text="What happened, such as `api_key.rotated`.")
    user_email = serializers.CharField(allow_null=True, help_text="Who did it, where a person with an address did.")
    logged_at = Instant(help_text="When it happened.")
    created_at = Instant(help_text="When it was noted.")
    resources = serializers.DictField(help_text="What it was about: names, and values before and after.")
    device_info = serializers.DictField(help_text="Where it came from: `ip_address` and `user_agent`, if known.")


def activity_logs(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    """Return entries of the audit trail as activities. One query for each kind of object among them."""
    return list(ActivityLogShape(_activities(entries), many=True).data)


def api_logs(entries: Sequence[RequestLog]) -> list[dict[str, Any]]:
    """Return requests. No query."""
    return list(ApiLogShape([_request(entry) for entry in entries], many=True).data)


def security_logs(entries: Sequence[SecurityLog]) -> list[dict[str, Any]]:
    """Return security entries, whose keys have been read with them. No query."""
    return list(SecurityLogShape([_security(entry) for entry in entries], many=True).data)


def _activities(entries: Sequence[AuditEntry]) -> Iterable[dict[str, Any]]:
    places = activities.places(entries)
    for entry in entries:
        place = places.get((entry.object_type, entry.object_id), activities.Place(str(entry.object_id)))
        told = {"lago_id": place.resource_id, "name": entry.object_label}
        yield {
            "activity_id": entry.uuid,
            "activity_type": activities.activity_type(entry.object_type, entry.verb),
            "activity_source": activities.source(entry.actor_kind),
            "activity_object": None
            if entry.verb == "delete"
            else told | ({"reason": entry.reason} if entry.reason else {}),
            "activity_object_changes": {
                name: [entry.old.get(name), entry.new.get(name)] for name in {**entry.old, **entry.new}
            },
            "user_email": (entry.user.email or None) if entry.user is not None else None,
            "resource_id": place.resource_id,
            "resource_type": activities.resource_type(entry.object_type),
            "external_customer_id": place.external_customer_id,
            "external_subscription_id": place.external_subscription_id,
            "logged_at": entry.at,
            "created_at": entry.created_at,
        }


def _request(entry: RequestLog) -> dict[str, Any]:
    return {
        "request_id": entry.request_id,
        "client": entry.client,
        "http_method": entry.method.lower(),
        "http_status": entry.status,
        "request_origin": entry.address,
        "request_path": entry.path,
        "request_body": _object(entry.request_body) or {},
        "request_response": _object(entry.response_body),
        "api_version": API_VERSION,
        "duration_ms": entry.duration_ms,
        "logged_at": entry.at,
        "created_at": entry.created_at,
    }


def _object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that was kept; what is none, or was cut, is under ``_text``."""
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return {"_text": text}
    return found if isinstance(found, dict) else {"_text": text}


def _security(entry: SecurityLog) -> dict[str, Any]:
    key = {} if entry.api_key is None else {"api_key_id": str(entry.api_key.uuid)}
    place = {"ip_address": entry.address, "user_agent": entry.client}
    return {
        "log_id": entry.uuid,
        "log_type": entry.kind,
        "log_event": entry.event,
        "user_email": entry.user_email or None,
        "logged_at": entry.at,
        "created_at": entry.created_at,
        "resources": {**entry.resources, **key},
        "device_info": {name: value for name, value in place.items() if value},
    }
