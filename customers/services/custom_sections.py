"""Custom sections: making, changing, retiring them. Issued documents keep the text that they were issued with."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction

from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness
from customers.models import BillingEntity, Customer, InvoiceCustomSection
from customers.queries import custom_sections
from customers.services import changes


class SectionValues(TypedDict, total=False):
    """What a custom section is made of; the model says what each means."""

    code: str
    name: str
    description: str
    display_name: str
    details: str


@transaction.atomic
def create(*, values: SectionValues, actor: Actor, at: datetime) -> InvoiceCustomSection:
    """Make a custom section. Raises Invalid for a taken code, or without code or name."""
    _demand(values)
    section = InvoiceCustomSection(**values, created_at=at)
    with uniqueness.told(customers_section_code="code"):
        section.save(force_insert=True)
    audit.record(actor=actor, at=at, verb="create", instance=section, new=values)
    return section


@transaction.atomic
def update(*, code: str, values: SectionValues, actor: Actor, at: datetime) -> InvoiceCustomSection:
    """Change what ``values`` holds: drafts and later documents say it. Raises NotFound, Invalid as `create`."""
    section = _locked(code)
    _demand(values)
    old, new = changes.assign(section, dict(values))
    if not new:
        return section
    with uniqueness.told(customers_section_code="code"):
        section.save(update_fields=list(new))
    audit.record(actor=actor, at=at, verb="update", instance=section, old=old, new=new)
    return section


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> InvoiceCustomSection:
    """Retire a custom section and take it off every customer and seller; its code is free again. Raises NotFound."""
    section = _locked(code)
    for owner in (Customer, BillingEntity):
        owner.invoice_custom_sections.through.objects.filter(invoicecustomsection=section).delete()
    section.deleted_at = at
    section.save(update_fields=["deleted_at"])
    audit.record(actor=actor, at=at, verb="delete", instance=section)
    return section


def _locked(code: str) -> InvoiceCustomSection:
    found = custom_sections.by_code(code=code)
    rows = db.lock(InvoiceCustomSection.objects.filter(pk=found.pk, deleted_at__isnull=True))
    return rows[0] if rows else custom_sections.by_code(code=code)


def _demand(values: SectionValues) -> None:
    content: dict[str, Any] = dict(values)
    details = {
        field: ["value_is_mandatory"]
        for field in ("code", "name")
        if field in content and not str(content[field]).strip()
    }
    if details:
        raise errors.Invalid("validation_errors", f"Please check: {', '.join(details)}.", details)
