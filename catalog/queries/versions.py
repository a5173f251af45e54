"""Reading the versions of a plan that are sold, were sold or will be. Private ones, made for one contract, are left
out.
"""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from catalog.models import Plan, PlanVersion
from catalog.queries import plans
from config.kernel import errors


class Standing(StrEnum):
    """Where a version of a plan is in its life."""

    CURRENT = "current"
    SCHEDULED = "scheduled"
    PAST = "past"
    WITHDRAWN = "withdrawn"


def of_plan(plan: Plan) -> models.QuerySet[PlanVersion]:
    """Return the versions of a plan with their content, the newest first."""
    rows = PlanVersion.objects.filter(plan=plan, base__isnull=True)
    return plans.with_content(rows).order_by("-number")


def sold(plan: Plan) -> models.QuerySet[PlanVersion]:
    """Return the versions of a plan that are or were sold, the newest first."""
    rows = PlanVersion.objects.filter(plan=plan, base__isnull=True, is_scheduled=False, withdrawn_at__isnull=True)
    return rows.select_related("plan").order_by("-number")


def by_number(plan: Plan, *, number: int) -> PlanVersion:
    """Return a version of a plan with its content. Raises NotFound (`plan_version_not_found`)."""
    found = of_plan(plan).filter(number=number).first()
    if found is None:
        raise errors.NotFound("plan_version_not_found", f"The plan has no version {number}.")
    return found


def scheduled(plan: Plan) -> PlanVersion | None:
    """Return the version of a plan that waits for its moment, if there is one."""
    return PlanVersion.objects.filter(plan=plan, is_scheduled=True).first()


def standing(version: PlanVersion) -> Standing:
    """Return where a version is in its life."""
    if version.withdrawn_at is not None:
        return Standing.WITHDRAWN
    if version.is_scheduled:
        return Standing.SCHEDULED
    return Standing.CURRENT if version.is_current else Standing.PAST


def followed_from(version: PlanVersion) -> int:
    """Return the lowest number of a version whose holders follow when the given one is given to all.

    Those who kept theirs when a version came without them stay: what they bought is older than that one.
    """
    kept = sold(version.plan).filter(moves_existing=False, number__lte=version.number)
    return kept.values_list("number", flat=True).first() or 0
