"""Reading plans and their versions."""

from __future__ import annotations

from uuid import UUID

from django.db import models

from catalog.models import Charge, ChargeFilter, FixedCharge, Plan, PlanVersion
from catalog.queries import features
from config.kernel import errors, registry

USE = "catalog.plan_use"
"""Whoever sells plans registers a part of this name: ``{"in_use": True}`` by plan, for those with living contracts."""


def current(*, search_term: str | None = None) -> models.QuerySet[PlanVersion]:
    """Return the current version of every plan that exists, newest plan first; the term is sought in name and code."""
    rows = PlanVersion.objects.filter(is_current=True, plan__deleted_at__isnull=True)
    if search_term:
        rows = rows.filter(models.Q(plan__name__icontains=search_term) | models.Q(plan__code__icontains=search_term))
    return with_content(rows).order_by("-plan__created_at", "-plan_id")


def with_content(rows: models.QuerySet[PlanVersion]) -> models.QuerySet[PlanVersion]:
    """Fetch with versions all that a price list holds, in a fixed number of queries."""
    return rows.select_related("plan").prefetch_related(
        "taxes",
        "charges__metric",
        "charges__pricing_unit",
        "charges__filters__charge",
        "charges__taxes",
        "fixed_charges__add_on",
        "fixed_charges__taxes",
        "usage_thresholds",
        "minimum_commitment__taxes",
        features.with_given("plan"),
    )


def by_code(*, code: str) -> PlanVersion:
    """Return the current version of a plan with its content. Raises NotFound (`plan_not_found`)."""
    version = current().filter(plan__code=code).first()
    if version is None:
        raise errors.NotFound("plan_not_found", f"There is no plan {code}.")
    return version


def in_use(plan: Plan) -> bool:
    """Say whether somebody has bought the plan and still has it, as far as upper apps tell."""
    return bool(registry.parts(USE, [plan])[plan.pk].get("in_use"))


def charges(version: PlanVersion) -> models.QuerySet[Charge]:
    """Return the charges of a version in their order, with what is shown of them."""
    rows = Charge.objects.filter(plan_version=version).select_related("metric", "pricing_unit")
    return rows.prefetch_related("filters__charge", "taxes").order_by("position", "id")


def charge(version: PlanVersion, *, charge_code: str) -> Charge:
    """Return a charge of a version. Raises NotFound (`charge_not_found`)."""
    found = charges(version).filter(code=charge_code).first()
    if found is None:
        raise errors.NotFound("charge_not_found", f"The plan has no charge {charge_code}.")
    return found


def charge_filters(charge: Charge) -> models.QuerySet[ChargeFilter]:
    """Return the filters of a charge in their order, with what is shown of them."""
    return ChargeFilter.objects.filter(charge=charge).select_related("charge").order_by("position", "id")


def charge_filter(charge: Charge, *, key: UUID) -> ChargeFilter:
    """Return a filter of a charge by its id. Raises NotFound (`charge_filter_not_found`)."""
    found = charge_filters(charge).filter(key=key).first()
    if found is None:
        raise errors.NotFound("charge_filter_not_found", "The charge has no filter of this id.")
    return found


def fixed_charges(version: PlanVersion) -> models.QuerySet[FixedCharge]:
    """Return the fixed charges of a version in their order, with what is shown of them."""
    rows = FixedCharge.objects.filter(plan_version=version).select_related("add_on")
    return rows.prefetch_related("taxes").order_by("position", "id")


def fixed_charge(version: PlanVersion, *, fixed_charge_code: str) -> FixedCharge:
    """Return a fixed charge of a version. Raises NotFound (`fixed_charge_not_found`)."""
    found = fixed_charges(version).filter(code=fixed_charge_code).first()
    if found is None:
        raise errors.NotFound("fixed_charge_not_found", f"The plan has no fixed charge {fixed_charge_code}.")
    return found
