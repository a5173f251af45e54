"""Makers of features, and of what plans and subscriptions have of them, through the services."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.queries import entitlements as known
from billing.services import entitlements
from catalog.models import Feature
from catalog.services import features, plan_entitlements
from tests.factories.platform import ACTOR, AT

SEATS = (
    {"code": "max", "value_type": "integer", "name": "Maximum"},
    {"code": "root", "value_type": "boolean"},
    {"code": "sso", "value_type": "select", "config": {"select_options": ["google", "okta"]}},
)


def make_feature(code: str = "seats", privileges: Any = SEATS, *, at: datetime = AT, **values: Any) -> Feature:
    """Make a feature: one with a number, a switch and a choice unless told otherwise."""
    content: Any = {"code": code, "name": code.capitalize(), "privileges": list(privileges), **values}
    return features.create(values=content, actor=ACTOR, at=at)


def give(plan_code: str = "starter", *, at: datetime = AT, **features_given: dict[str, Any]) -> None:
    """Give a plan features: ``give("pro", seats={"max": 10})``."""
    plan_entitlements.merge(code=plan_code, asked=features_given, actor=ACTOR, at=at)


def agree(external_id: str = "sub", *, at: datetime = AT, **features_given: dict[str, Any]) -> None:
    """Agree features with a subscription, as ``give`` does with a plan."""
    entitlements.merge(external_id=external_id, status="active", asked=features_given, actor=ACTOR, at=at)


def held(external_id: str = "sub", *, status: str = "active") -> dict[str, dict[str, Any]]:
    """Return the values that count for a subscription, by feature and privilege."""
    found = known.current(external_id=external_id, status=status)
    return {one.code: {granted.definition.code: granted.value for granted in one.privileges} for one in found}
