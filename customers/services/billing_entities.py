"""Billing entities: making and changing the companies that sell. There is always exactly one default after set-up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction

from catalog.queries import taxes
from catalog.services import vat_rates
from config.kernel import actors, db, errors, events
from config.kernel.actors import Actor
from config.platform.services import audit, installation, uniqueness, webhook_endpoints
from customers.domain import eu_vat, profiles
from customers.domain.facts import SellerMade, TermsChanged
from customers.models import BillingEntity
from customers.queries import billing_entities
from customers.services import changes, section_choices, tax_decisions

DEFAULT_CODE = "default"
EMAILS = ("invoice.finalized", "credit_note.created", "payment_receipt.created")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,15}")


class BillingEntityValues(TypedDict, total=False):
    """What a seller is made of. Terms are days; ``tax_codes`` are the taxes of customers without their own."""

    code: str
    name: str
    legal_name: str
    legal_number: str
    tax_identification_number: str
    address_line1: str
    address_line2: str
    zipcode: str
    city: str
    state: str
    country: str
    email: str
    phone: str
    url: str
    logo: str
    accent_color: str
    bank_name: str
    iban: str
    bic: str
    default_currency: str
    timezone: str
    document_locale: str
    invoice_footer: str
    net_payment_term: int
    invoice_grace_period: int
    document_numbering: str
    document_number_prefix: str
    finalize_zero_amount_invoice: bool
    email_settings: Sequence[str]
    tax_codes: Sequence[str]
    eu_tax_management: bool
    issuing_date_anchor: str
    issuing_date_adjustment: str
    invoice_custom_section_codes: Sequence[str]


@transaction.atomic
def ensure_default(*, at: datetime, actor: Actor = actors.SYSTEM) -> BillingEntity:
    """Return the default seller; make it, and the installation, where there is none yet. May be called any time."""
    found = installation.ensure(at=at)
    db.advisory_lock("billing_entities.default")
    existing = BillingEntity.objects.filter(is_default=True).first()
    if existing is not None:
        return existing
    return _make({"code": DEFAULT_CODE, "name": found.name}, is_default=True, actor=actor, at=at)


@transaction.atomic
def create(*, values: BillingEntityValues, actor: Actor, at: datetime) -> BillingEntity:
    """Make another seller; the first one ever is the default. Raises Invalid with codes per field, NotFound."""
    db.advisory_lock("billing_entities.default")
    is_first = not BillingEntity.objects.filter(is_default=True).exists()
    return _make(dict(values), is_default=is_first, actor=actor, at=at)


@transaction.atomic
def update(*, code: str, values: BillingEntityValues, actor: Actor, at: datetime) -> BillingEntity:
    """Change what ``values`` holds. Issued documents keep what they say. Raises NotFound, Invalid as `create`."""
    entity = db.lock_one(BillingEntity.objects.filter(pk=billing_entities.by_code(code=code).pk))
    content: dict[str, Any] = dict(values)
    tax_codes = content.pop("tax_codes", None)
    section_codes = content.pop(section_choices.FIELD, None)
    _demand(content)
    old, new = changes.assign(entity, content)
    if new:
        with uniqueness.told(customers_billingentity_code_key="code"):
            entity.save(update_fields=list(new))
    if {"eu_tax_management", "country"} & new.keys():
        _manage_taxes(entity, actor, at)
    if changes.DRAFT_TERMS & new.keys():
        takes_term = "net_payment_term" in new
        events.publish(TermsChanged(billing_entity_id=entity.pk, takes_term=takes_term, actor=actor, at=at))
    if tax_codes is not None:
        _set_taxes(entity, tax_codes, old, new)
    if section_codes is not None:
        section_choices.choose(owner=entity, codes=section_codes, old=old, new=new)
    if new:
        audit.record(actor=actor, at=at, verb="update", instance=entity, old=old, new=new)
    return billing_entities.by_code(code=entity.code)


@transaction.atomic
def update_default(*, values: BillingEntityValues, actor: Actor, at: datetime, webhook_url: str = "") -> BillingEntity:
    """Change the default seller, which is made where there is none yet. Raises as `update` does.

    ``webhook_url`` is the organization's: it becomes the address of its first webhook endpoint.
    """
    entity = update(code=ensure_default(at=at).code, values=values, actor=actor, at=at)
    if webhook_url:
        webhook_endpoints.name_first(webhook_url=webhook_url, actor=actor, at=at)
    return entity


def _make(content: dict[str, Any], *, is_default: bool, actor: Actor, at: datetime) -> BillingEntity:
    tax_codes = content.pop("tax_codes", None)
    section_codes = content.pop(section_choices.FIELD, None)
    _demand(content)
    entity = BillingEntity(**content, is_default=is_default, created_at=at)
    if not entity.document_number_prefix:
        entity.document_number_prefix = _prefix(entity)
    with uniqueness.told(customers_billingentity_code_key="code"):
        entity.save(force_insert=True)
    if tax_codes:
        entity.taxes.set(taxes.by_codes(codes=tax_codes))
    if section_codes:
        section_choices.choose(owner=entity, codes=section_codes, old={}, new={})
    if entity.eu_tax_management:
        _manage_taxes(entity, actor, at)
    audit.record(actor=actor, at=at, verb="create", instance=entity, new=content)
    events.publish(SellerMade(billing_entity_id=entity.pk, at=at))
    return billing_entities.by_code(code=entity.code)


def _manage_taxes(entity: BillingEntity, actor: Actor, at: datetime) -> None:
    if not entity.eu_tax_management:
        tax_decisions.release_all(billing_entity_id=entity.pk, at=at)
        return
    eu_vat.demand_in_eu(entity.country)
    vat_rates.ensure(actor=actor, at=at)
    tax_decisions.ask_for_all(billing_entity_id=entity.pk)


def _set_taxes(entity: BillingEntity, codes: Sequence[str], old: dict[str, Any], new: dict[str, Any]) -> None:
    before = {tax.pk: tax.code for tax in entity.taxes.all()}
    after = {tax.pk: tax.code for tax in taxes.by_codes(codes=codes)}
    if before.keys() != after.keys():
        entity.taxes.set(list(after))
        old["tax_codes"], new["tax_codes"] = sorted(before.values()), sorted(after.values())


def _demand(content: dict[str, Any]) -> None:
    details = profiles.check(content)
    prefix = content.get("document_number_prefix")
    if prefix and not _PREFIX.fullmatch(prefix):
        details["document_number_prefix"] = ["value_is_invalid"]
    if not set(content.get("email_settings", ())) <= set(EMAILS):
        details["email_settings"] = ["value_is_invalid"]
    for field in ("code", "name", "default_currency", "timezone", "document_locale", "document_number_prefix"):
        if field in content and not content[field]:
            details[field] = ["value_is_mandatory"]
    if details:
        raise errors.Invalid("validation_errors", f"Please check: {', '.join(details)}.", details)


def _prefix(entity: BillingEntity) -> str:
    """Return three letters of the name and the end of the public id, so that two sellers differ: "ACM-1F3B"."""
    letters = re.sub(r"[^A-Z]", "", entity.name.upper())[:3] or "INV"
    return f"{letters}-{entity.uuid.hex[-4:].upper()}"
