"""Reading features with their privileges, and what plans give of them. What subscriptions have more is billing's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db import models

from catalog.domain.entitlements import Entitlement, Granted
from catalog.domain.privileges import Definition, Value, ValueType
from catalog.models import Feature, Plan, PlanEntitlement, PlanPrivilege, Privilege
from config.kernel import errors, registry

USE = "catalog.privilege_use"
"""Whoever sets values of privileges elsewhere registers a part of this name: ``{"values": [...]}`` by privilege."""


def listed(*, search_term: str | None = None) -> models.QuerySet[Feature]:
    """Return the features that exist with their privileges, newest first; the term is sought in name and code."""
    rows = Feature.objects.filter(deleted_at__isnull=True)
    if search_term:
        rows = rows.filter(
            models.Q(name__icontains=search_term)
            | models.Q(code__icontains=search_term)
            | models.Q(description__icontains=search_term)
        )
    return with_privileges(rows).order_by("-created_at", "-id")


def with_privileges(rows: models.QuerySet[Feature]) -> models.QuerySet[Feature]:
    """Bring along the privileges that exist, as ``existing``, in the order of their making."""
    existing = Privilege.objects.filter(deleted_at__isnull=True).order_by("id")
    return rows.prefetch_related(models.Prefetch("privileges", queryset=existing, to_attr="existing"))


def by_code(*, code: str) -> Feature:
    """Return a feature with its privileges. Raises NotFound (`feature_not_found`)."""
    found = listed().filter(code=code).first()
    if found is None:
        raise errors.NotFound("feature_not_found", f"There is no feature {code}.")
    return found


def privileges(feature: Feature) -> list[Privilege]:
    """Return the privileges that a feature has, in the order of their making."""
    return list(Privilege.objects.filter(feature=feature, deleted_at__isnull=True).order_by("id"))


def definition(privilege: Privilege) -> Definition:
    """Return a privilege as a value."""
    return Definition(privilege.code, ValueType(privilege.value_type), privilege.name, tuple(privilege.select_options))


def used_values(privilege: Privilege) -> set[Value]:
    """Return the values of a privilege that plans set, and others as far as upper apps tell."""
    of_plans = PlanPrivilege.objects.filter(privilege=privilege).values_list("value", flat=True)
    return {*of_plans, *registry.parts(USE, [privilege])[privilege.pk].get("values", ())}


def of_plans(plan_ids: Collection[int]) -> Mapping[int, tuple[Entitlement, ...]]:
    """Return what plans give, by plan, in the order in which features and privileges were made. Two queries."""
    found: dict[int, list[Entitlement]] = defaultdict(list)
    for row in _given().filter(plan__in=plan_ids):
        found[row.plan_id].append(_entitlement(row))
    return {pk: tuple(found[pk]) for pk in plan_ids}


def of_plan(plan: Plan) -> tuple[Entitlement, ...]:
    """Return what a plan gives: without a query where it was read `with_given`."""
    rows = getattr(plan, "given", None)
    return of_plans([plan.pk])[plan.pk] if rows is None else tuple(map(_entitlement, rows))


def given(plan: Plan) -> list[PlanEntitlement]:
    """Return the rows of what a plan gives, with features, and values as ``existing``. Two queries."""
    return list(_given().filter(plan=plan))


def with_given(path: str) -> models.Prefetch[str, models.QuerySet[PlanEntitlement], str]:
    """Bring along what plans give; ``path`` leads from the rows that are read to their plans ("plan"). Two queries."""
    return models.Prefetch(f"{path}__entitlements", queryset=_given(), to_attr="given")


def _given() -> models.QuerySet[PlanEntitlement]:
    existing = PlanPrivilege.objects.filter(privilege__deleted_at__isnull=True).select_related("privilege")
    rows = PlanEntitlement.objects.filter(feature__deleted_at__isnull=True).select_related("feature")
    inner = models.Prefetch("privileges", queryset=existing.order_by("privilege_id"), to_attr="existing")
    return rows.prefetch_related(inner).order_by("feature_id")


def _entitlement(row: PlanEntitlement) -> Entitlement:
    granted = tuple(Granted(definition(one.privilege), one.value) for one in row.existing)
    return Entitlement(row.feature.code, row.feature.name, row.feature.description, granted)
