"""What webhook endpoints are told of customers: each as a GET of it answers, retired ones too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config.platform.api import representations
from config.platform.api.serializers import instant_text
from customers.models import Customer, VatCheck


def customers(instances: Sequence[Customer]) -> list[dict[str, Any]]:
    """Return customers in their order."""
    return representations.represent("customers.customer_detail", _again(instances))


def checked_customers(instances: Sequence[Customer]) -> list[dict[str, Any]]:
    """Return customers with what is known of their VAT numbers."""
    found = _again(instances)
    shown = representations.represent("customers.customer_detail", found)
    return [
        {**content, "vies_check": _check(customer.vat_check)} for customer, content in zip(found, shown, strict=True)
    ]


def _again(instances: Sequence[Customer]) -> list[Customer]:
    rows = Customer.objects.filter(pk__in=[one.pk for one in instances])
    rows = rows.select_related("billing_entity", "tax_exemption", "vat_check")
    rows = rows.prefetch_related("metadata", "taxes", "tax_decisions")
    by_id = {row.pk: row for row in rows}
    return [by_id[one.pk] for one in instances]


def _check(check: VatCheck | None) -> dict[str, Any]:
    if check is None:
        return {"valid": False}
    return {
        "valid": check.status == VatCheck.Status.VALID,
        "country_code": check.number[:2],
        "vat_number": check.number,
        "name": check.name or None,
        "address": check.address or None,
        "request_identifier": check.reference or None,
        "told_by": check.told_by or None,
        "checked_at": None if check.checked_at is None else instant_text(check.checked_at),
    }
