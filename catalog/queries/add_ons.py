"""Reading add-ons, and which fixed charges sell them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import models

from catalog.models import AddOn, FixedCharge
from config.kernel import errors


def listed(*, search_term: str | None = None) -> models.QuerySet[AddOn]:
    """Return the add-ons that exist with their taxes, newest first; the term is looked for in name and code."""
    rows = AddOn.objects.filter(deleted_at__isnull=True)
    if search_term:
        rows = rows.filter(models.Q(name__icontains=search_term) | models.Q(code__icontains=search_term))
    return rows.prefetch_related("taxes").order_by("-created_at", "-id")


def by_code(*, code: str) -> AddOn:
    """Return an add-on. Raises NotFound (`add_on_not_found`)."""
    found = listed().filter(code=code).first()
    if found is None:
        raise errors.NotFound("add_on_not_found", f"There is no add-on {code}.")
    return found


def named(*, uuids: Sequence[UUID], codes: Sequence[str]) -> list[AddOn]:
    """Return the add-ons of these public ids and codes. Raises NotFound (`add_on_not_found`) if one does not exist."""
    if not uuids and not codes:
        return []
    found = list(AddOn.objects.filter(models.Q(uuid__in=uuids) | models.Q(code__in=codes), deleted_at__isnull=True))
    if set(uuids) - {add_on.uuid for add_on in found} or set(codes) - {add_on.code for add_on in found}:
        raise errors.NotFound("add_on_not_found", "One of the add-ons does not exist.")
    return found


def sold_in(add_on: AddOn) -> models.QuerySet[FixedCharge]:
    """Return the fixed charges of current plans that sell the add-on, with their plans."""
    rows = FixedCharge.objects.filter(
        add_on=add_on, plan_version__is_current=True, plan_version__plan__deleted_at__isnull=True
    )
    return rows.select_related("plan_version__plan").order_by("plan_version__plan__name", "position")
