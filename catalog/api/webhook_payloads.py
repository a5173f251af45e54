"""What webhook endpoints are told of the catalogue: each object as a GET of it answers, retired ones too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import models

from catalog.api import feature_forms
from catalog.models import BillableMetric, Feature, Plan, PlanVersion
from catalog.queries import features as known_features
from catalog.queries import plans as known_plans
from config.platform.api import representations

M = TypeVar("M", bound=models.Model)


def metrics(instances: Sequence[BillableMetric]) -> list[dict[str, Any]]:
    """Return metrics with their filters, in their order."""
    found = _again(instances, BillableMetric.objects.prefetch_related("filters"))
    return representations.represent("catalog.billable_metric", found)


def plans(instances: Sequence[Plan]) -> list[dict[str, Any]]:
    """Return plans as they are sold, in their order."""
    rows = PlanVersion.objects.filter(plan__in=[plan.pk for plan in instances], is_current=True)
    found = {version.plan_id: version for version in known_plans.with_content(rows)}
    return representations.represent("catalog.plan", [found[plan.pk] for plan in instances])


def deleted_plans(instances: Sequence[Plan]) -> list[dict[str, Any]]:
    """Return plans that are retired, without what they gave."""
    return [{key: value for key, value in plan.items() if key != "entitlements"} for plan in plans(instances)]


def features(instances: Sequence[Feature]) -> list[dict[str, Any]]:
    """Return features with their privileges, in their order."""
    found = _again(instances, known_features.with_privileges(Feature.objects.all()))
    return [feature_forms.shown(feature) for feature in found]


def _again(instances: Sequence[M], rows: models.QuerySet[M]) -> list[M]:
    """Read objects anew, in their order."""
    by_id = {row.pk: row for row in rows.filter(pk__in=[one.pk for one in instances])}
    return [by_id[one.pk] for one in instances]
