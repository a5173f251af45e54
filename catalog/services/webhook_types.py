"""Which events of the catalogue are told to webhook endpoints."""

from __future__ import annotations

from config.platform.services import outbox
from config.platform.services.outbox import EventType

_PAYLOADS = "catalog.api.webhook_payloads"

METRIC_CREATED = "billable_metric.created"
METRIC_UPDATED = "billable_metric.updated"
METRIC_DELETED = "billable_metric.deleted"
PLAN_CREATED = "plan.created"
PLAN_UPDATED = "plan.updated"
PLAN_DELETED = "plan.deleted"
FEATURE_CREATED = "feature.created"
FEATURE_UPDATED = "feature.updated"
FEATURE_DELETED = "feature.deleted"

outbox.register(
    EventType(METRIC_CREATED, "billable_metric", f"{_PAYLOADS}.metrics", "A billable metric was made."),
    EventType(METRIC_UPDATED, "billable_metric", f"{_PAYLOADS}.metrics", "A billable metric was changed."),
    EventType(METRIC_DELETED, "billable_metric", f"{_PAYLOADS}.metrics", "A billable metric was retired."),
    EventType(PLAN_CREATED, "plan", f"{_PAYLOADS}.plans", "A plan was made."),
    EventType(
        PLAN_UPDATED,
        "plan",
        f"{_PAYLOADS}.plans",
        "A plan was changed: its names, prices, charges or entitlements, or its deletion was asked for. One that is "
        "sold from a later day on is told on that day. Subscriptions that follow are not told one by one.",
    ),
    EventType(
        PLAN_DELETED, "plan", f"{_PAYLOADS}.deleted_plans", "A plan was retired; the payload has no entitlements."
    ),
    EventType(FEATURE_CREATED, "feature", f"{_PAYLOADS}.features", "A feature was made."),
    EventType(FEATURE_UPDATED, "feature", f"{_PAYLOADS}.features", "A feature or its privileges were changed."),
    EventType(FEATURE_DELETED, "feature", f"{_PAYLOADS}.features", "A feature was retired: nobody has it any more."),
)
