"""Reading pricing units, and which charges are priced in them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models

from catalog.models import Charge, PricingUnit
from config.kernel import errors


def listed(*, search_term: str | None = None) -> models.QuerySet[PricingUnit]:
    """Return the pricing units, newest first; the term is looked for in name and code."""
    rows = PricingUnit.objects.all()
    if search_term:
        rows = rows.filter(models.Q(name__icontains=search_term) | models.Q(code__icontains=search_term))
    return rows.order_by("-created_at", "-id")


def by_code(*, code: str) -> PricingUnit:
    """Return a pricing unit. Raises NotFound (`pricing_unit_not_found`)."""
    return by_codes(codes=[code])[code]


def by_codes(*, codes: Sequence[str]) -> dict[str, PricingUnit]:
    """Return the pricing units of these codes, by code. Raises NotFound (`pricing_unit_not_found`)."""
    if not codes:
        return {}
    found = {unit.code: unit for unit in PricingUnit.objects.filter(code__in=codes)}
    for code in codes:
        if code not in found:
            raise errors.NotFound("pricing_unit_not_found", f"There is no pricing unit {code}.")
    return found


def charges(unit: PricingUnit) -> models.QuerySet[Charge]:
    """Return the charges of current plans that are priced in the unit, with their plans."""
    rows = Charge.objects.filter(
        pricing_unit=unit, plan_version__is_current=True, plan_version__plan__deleted_at__isnull=True
    )
    return rows.select_related("pricing_unit", "plan_version__plan").order_by("plan_version__plan__name", "position")


def is_priced(unit: PricingUnit) -> bool:
    """Say whether any price list was ever made in the unit, also of a retired plan: old invoices name it."""
    return Charge.objects.filter(pricing_unit=unit).exists()
