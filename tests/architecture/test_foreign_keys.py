"""Foreign keys point the way the apps import, and nothing is deleted because something else was."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models

ORDER = ["platform", "catalog", "customers", "invoicing", "billing"]
"""From the lowest app to the highest: a key may point down or stay within its app."""

PARTS = {
    # Parts of one aggregate: they have no life without their whole, which itself is protected once it is in use.
    "catalog.MetricFilter.metric",
    "catalog.Charge.plan_version",
    "catalog.ChargeFilter.charge",
    "catalog.FixedCharge.plan_version",
    "catalog.MinimumCommitment.plan_version",
    "catalog.PlanPrivilege.entitlement",
    "catalog.UsageThreshold.plan_version",
    "customers.CustomerMetadata.customer",
    "billing.SubscriptionPrivilege.entitlement",
    # The log of webhooks, which ends with the events that it is about.
    "platform.WebhookAttempt.delivery",
    "platform.WebhookDelivery.event",
}
"""Keys that may be CASCADE, as app.Model.field."""

KEEPING = {models.PROTECT, models.RESTRICT, models.DO_NOTHING}
FRAMEWORK = {"auth", "contenttypes", "sessions", "admin", "django_celery_beat"}


def test_keys_follow_the_order_of_the_apps() -> None:
    upwards = [
        f"{_name(field)} -> {field.related_model._meta.label}"
        for field in _keys()
        if field.related_model._meta.app_label not in FRAMEWORK
        and ORDER.index(field.related_model._meta.app_label) > ORDER.index(field.model._meta.app_label)
    ]
    assert upwards == []


def test_keys_protect_what_they_point_at() -> None:
    deleting = [
        _name(field) for field in _keys() if field.remote_field.on_delete not in KEEPING and _name(field) not in PARTS
    ]
    assert deleting == []


def test_the_exceptions_exist() -> None:
    """An exception for a key that is gone would hide the next one of its name."""
    assert sorted(PARTS - {_name(field) for field in _keys()}) == []


def _keys() -> Iterator[Any]:
    """Yield the keys that our models write; the join tables that Django makes belong to the row that lists."""
    for model in apps.get_models():
        if model._meta.app_label in ORDER:
            yield from (field for field in model._meta.get_fields() if isinstance(field, models.ForeignKey))


def _name(field: Any) -> str:
    return f"{field.model._meta.label}.{field.name}"
