"""How the entitlements of a subscription look in the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from catalog.domain.entitlements import Entitlement, Granted


class SubscriptionPrivilegeAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A privilege: what counts, what the plan says and what was agreed in its place."""

    code = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    value_type = serializers.CharField()
    config = serializers.DictField()
    value = serializers.JSONField(allow_null=True)
    plan_value = serializers.JSONField(allow_null=True)
    override_value = serializers.JSONField(allow_null=True)


class SubscriptionEntitlementAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A feature that a subscription's customer may use."""

    code = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    privileges = SubscriptionPrivilegeAnswer(many=True)
    overrides = serializers.DictField()


def shown(found: Sequence[Entitlement]) -> list[dict[str, Any]]:
    """Return what a subscription may use, as answers show it."""
    return [
        {
            "code": one.code,
            "name": one.name or None,
            "description": one.description or None,
            "privileges": [_privilege(granted) for granted in one.privileges],
            "overrides": dict(one.overrides),
        }
        for one in found
    ]


def _privilege(granted: Granted) -> dict[str, Any]:
    definition = granted.definition
    return {
        "code": definition.code,
        "name": definition.name or None,
        "value_type": str(definition.value_type),
        "config": definition.config,
        "value": granted.value,
        "plan_value": granted.plan_value,
        "override_value": granted.override,
    }
