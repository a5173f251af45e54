"""Reading billing entities."""

from __future__ import annotations

from uuid import UUID

from django.db import models

from config.kernel import errors
from customers.models import BillingEntity


def listed() -> models.QuerySet[BillingEntity]:
    """Return all sellers with their taxes, the default one first."""
    return BillingEntity.objects.prefetch_related("taxes").order_by("-is_default", "id")


def by_code(*, code: str) -> BillingEntity:
    """Return a seller. Raises NotFound (`billing_entity_not_found`)."""
    return _one(listed().filter(code=code))


def by_uuid(*, uuid: UUID | None) -> BillingEntity:
    """Return a seller by its public id; nothing names none. Raises NotFound (`billing_entity_not_found`)."""
    return _one(listed().filter(uuid=uuid))


def default() -> BillingEntity:
    """Return the seller of customers that name none. Raises NotFound before the installation was set up."""
    return _one(listed().filter(is_default=True))


def _one(rows: models.QuerySet[BillingEntity]) -> BillingEntity:
    entity = rows.first()
    if entity is None:
        raise errors.NotFound("billing_entity_not_found", "There is no such billing entity.")
    return entity


def default_tax_ids() -> set[int]:
    """Return the taxes that the default seller applies. One query."""
    through = BillingEntity.taxes.through.objects.filter(billingentity__is_default=True)
    return set(through.values_list("tax_id", flat=True))
