"""Customers that pay no tax: granting and ending an exemption, with its evidence.

What it does to a line is the tax rules'.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypedDict

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings
from customers.models import Customer, TaxExemption
from customers.services import webhook_types

_FIELDS = ("reason", "legal_note", "certificate_number", "valid_until")
_LONGEST_NOTE = 2000


class ExemptionValues(TypedDict, total=False):
    """An exemption: the ``reason`` is mandatory, ``valid_until`` is the last local day, None for good."""

    reason: str
    legal_note: str
    certificate_number: str
    valid_until: date | None


def replace(*, customer: Customer, values: ExemptionValues | None, actor: Actor, at: datetime) -> TaxExemption | None:
    """Make this the exemption of a customer; None ends the one it has. Without a difference nothing is written.

    It counts for what is billed from now on; issued documents stay. The caller holds the lock of the customer. Raises
    Invalid with codes under `tax_exemption.<field>`.
    """
    found = TaxExemption.objects.filter(customer=customer).first()
    old = _shown(found)
    if values is None:
        if found is not None:
            found.delete()
            audit.record(actor=actor, at=at, verb="end_tax_exemption", instance=customer, old=old)
            tellings.tell(webhook_types.UPDATED, customer, at=at)
        return None
    _demand(values)
    row = found or TaxExemption(customer=customer, created_at=at)
    for field in _FIELDS:
        setattr(row, field, values.get(field, None if field == "valid_until" else ""))
    new = _shown(row)
    if old != new or found is None:
        row.save()
        audit.record(actor=actor, at=at, verb="exempt_from_tax", instance=customer, old=old, new=new)
        tellings.tell(webhook_types.UPDATED, customer, at=at)
    return row


def _demand(values: ExemptionValues) -> None:
    details: dict[str, list[str]] = {}
    if not values.get("reason"):
        details["tax_exemption.reason"] = ["value_is_mandatory"]
    elif values["reason"] not in TaxExemption.Reason.values:
        details["tax_exemption.reason"] = ["value_is_invalid"]
    if len(values.get("legal_note", "")) > _LONGEST_NOTE:
        details["tax_exemption.legal_note"] = ["value_is_too_long"]
    if details:
        raise errors.Invalid("validation_errors", f"Please check: {', '.join(details)}.", details)


def _shown(row: TaxExemption | None) -> dict[str, Any]:
    return {} if row is None else {field: getattr(row, field) for field in _FIELDS}
