"""How features, and what plans give of them, look in the API, in and out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.domain.entitlements import Entitlement
from catalog.domain.privileges import ValueType
from catalog.models import Feature
from catalog.queries import features
from config.platform.api.serializers import Instant, RequestSerializer, Text, TextOrNull


class PrivilegeForm(serializers.Serializer):  # type: ignore[type-arg]
    """A privilege as it is declared."""

    code = serializers.CharField()
    name = serializers.CharField(required=False, allow_null=True)
    value_type = serializers.ChoiceField(choices=[str(kind) for kind in ValueType], required=False)
    config = serializers.DictField(required=False)


@extend_schema_field(PrivilegeForm(many=True))
class PrivilegeRows(serializers.ListField):
    """Privileges as they were sent; the domain says what is wrong with them."""

    child = serializers.DictField()


class FeatureRequest(RequestSerializer):
    """A new feature."""

    code = Text(required=True)
    name = Text()
    description = Text(max_length=600)
    privileges = PrivilegeRows(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take null privileges as none sent."""
        if attrs.get("privileges", ()) is None:
            del attrs["privileges"]
        return attrs


class FeatureAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A feature with its privileges."""

    code = serializers.CharField()
    name = TextOrNull()
    description = TextOrNull()
    privileges = serializers.SerializerMethodField()
    created_at = Instant()

    @extend_schema_field(PrivilegeForm(many=True))
    def get_privileges(self, feature: Any) -> list[dict[str, Any]]:
        """Return the privileges in the order of their making."""
        return [
            {"code": one.code, "name": one.name or None, "value_type": str(one.value_type), "config": one.config}
            for one in (features.definition(row) for row in feature.existing)
        ]


class PlanPrivilegeAnswer(PrivilegeForm):
    """A privilege with the plan's value."""

    value = serializers.JSONField()


class PlanEntitlementAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A feature that a plan gives."""

    code = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    privileges = PlanPrivilegeAnswer(many=True)


def of_plan(found: Sequence[Entitlement]) -> list[dict[str, Any]]:
    """Return what a plan gives, as answers show it."""
    return [
        {
            **head(one),
            "privileges": [{**declared(granted.definition), "value": granted.plan_value} for granted in one.privileges],
        }
        for one in found
    ]


def head(one: Entitlement) -> dict[str, Any]:
    """Return the feature of an entitlement."""
    return {"code": one.code, "name": one.name or None, "description": one.description or None}


def declared(definition: Any) -> dict[str, Any]:
    """Return a privilege without values."""
    return {
        "code": definition.code,
        "name": definition.name or None,
        "value_type": str(definition.value_type),
        "config": definition.config,
    }


def shown(feature: Feature) -> dict[str, Any]:
    """Return a feature that was read with its privileges."""
    return dict(FeatureAnswer(feature).data)
