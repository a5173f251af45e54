"""Reading billing entities."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import models

from catalog.models import Tax
from config.kernel import errors
from customers.models import BillingEntity

MOST_TAXES = 500
"""As many taxes are told of that nobody asked for."""


def listed() -> models.QuerySet[BillingEntity]:
    """Return all sellers with their taxes, the default one first."""
    return BillingEntity.objects.prefetch_related("taxes").order_by("-is_default", "id")


def by_code(*, code: str) -> BillingEntity:
    """Return a seller. Raises NotFound (`billing_entity_not_found`)."""
    return _one(listed().filter(code=code))


def by_uuid(*, uuid: UUID | None) -> BillingEntity:
    """Return a seller by its public id; nothing names none. Raises NotFound (`billing_entity_not_found`)."""
    return _one(listed().filter(uuid=uuid))


def ids(*, codes: Collection[str]) -> list[int] | None:
    """Return the keys of the sellers of some codes, for lists to be narrowed to; None where no code is given."""
    return list(BillingEntity.objects.filter(code__in=codes).values_list("pk", flat=True)) if codes else None


def default() -> BillingEntity:
    """Return the seller of customers that name none. Raises NotFound before the installation was set up."""
    return _one(listed().filter(is_default=True))


def _one(rows: models.QuerySet[BillingEntity]) -> BillingEntity:
    entity = rows.first()
    if entity is None:
        raise errors.NotFound("billing_entity_not_found", "There is no such billing entity.")
    return entity


def applied_by_default(*, tax_ids: Collection[int]) -> dict[int, bool]:
    """Say of taxes whether the default seller applies them, and of all others as far as there are not too many.

    Whoever asks for one after another asks once. Two queries at most.
    """
    through = BillingEntity.taxes.through.objects.filter(billingentity__is_default=True, tax=models.OuterRef("pk"))
    rows = Tax.objects.annotate(is_applied=models.Exists(through)).order_by("pk").values_list("pk", "is_applied")
    found = dict(rows[:MOST_TAXES])
    missing = set(tax_ids) - set(found)
    return found | dict(rows.filter(pk__in=missing)) if missing else found
