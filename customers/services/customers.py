"""Customers: made or changed by their external id, and retired. What they bought and owe is not known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction

from catalog.queries import taxes
from config.kernel import db, errors, events
from config.kernel.actors import Actor
from config.platform.services import audit, numbers, outbox, tellings
from customers.domain import profiles, tax_ids
from customers.domain.facts import CustomerDeleted, SellerChanging, TermsChanged
from customers.models import BillingEntity, Customer, CustomerMetadata
from customers.queries import billing_entities
from customers.queries import customers as customer_queries
from customers.services import (
    applied_coupons,
    changes,
    section_choices,
    tax_decisions,
    tax_exemptions,
    webhook_types,
)
from customers.services.tax_exemptions import ExemptionValues

MAX_METADATA = 5
SEQUENCE = "customers.customer"
RELATIONS = ("metadata", "tax_codes", section_choices.FIELD)
ADDRESS = ("address_line1", "address_line2", "zipcode", "city", "state", "country")


class MetadataValues(TypedDict, total=False):
    """A note on a customer; ``id`` or else ``key`` names one that exists."""

    id: UUID
    key: str
    value: str
    display_in_invoice: bool


class CustomerValues(TypedDict, total=False):
    """What a customer is made of; the model says what each means. Absent keys leave things as they are.

    ``metadata`` and ``tax_codes`` are full lists. ``shipping_address`` has the keys of an address.
    """

    external_id: str
    billing_entity_code: str
    customer_type: str
    name: str
    firstname: str
    lastname: str
    legal_name: str
    legal_number: str
    tax_identification_number: str
    email: str
    phone: str
    url: str
    logo_url: str
    external_salesforce_id: str
    address_line1: str
    address_line2: str
    zipcode: str
    city: str
    state: str
    country: str
    currency: str
    timezone: str
    document_locale: str
    net_payment_term: int | None
    invoice_grace_period: int | None
    finalize_zero_amount_invoice: str
    shipping_address: Mapping[str, str]
    metadata: Sequence[MetadataValues]
    tax_codes: Sequence[str]
    tax_exemption: ExemptionValues | None
    issuing_date_anchor: str
    issuing_date_adjustment: str
    skip_invoice_custom_sections: bool
    invoice_custom_section_codes: Sequence[str]


@transaction.atomic
@tellings.gathered
def upsert(*, values: CustomerValues, actor: Actor, at: datetime, makes: bool = True) -> Customer:
    """Make the customer of this external id, or change it: sending the same again changes nothing.

    Unless it ``makes`` one, NotFound is raised where there is none.

    Two calls at once for one external id follow each other. Raises Invalid with codes per field, NotFound for an
    unknown billing entity (`billing_entity_not_found`) or tax (`tax_not_found`). A tax number of the wrong form is
    taken, with a warning on the audit trail. Where the seller has the VAT of the EU decided, so are the customer's
    taxes, unless ``tax_codes`` name others.
    """
    content: dict[str, Any] = dict(values)
    external_id = content.pop("external_id")
    _demand(external_id, content)
    entity_code = content.pop("billing_entity_code", "")
    if entity_code:
        content["billing_entity"] = billing_entities.by_code(code=entity_code)
    section_choices.demand(content)
    if content.get(section_choices.SKIP):
        content[section_choices.FIELD] = []
    elif content.get(section_choices.FIELD):
        content[section_choices.SKIP] = False
    exemption = {"exemption": content.pop("tax_exemption")} if "tax_exemption" in content else {}
    relations = {field: content.pop(field) for field in RELATIONS if content.get(field) is not None}
    db.advisory_lock(f"customer:{external_id}")
    found = Customer.objects.filter(external_id=external_id, deleted_at__isnull=True).first()
    if found is None and not makes:
        raise customer_queries.unknown(external_id)
    if found is None:
        customer = _make(external_id, content, relations, actor, at)
    else:
        customer = db.lock_one(Customer.objects.filter(pk=found.pk))
        _change(customer, content, relations, actor, at)
    if exemption:
        tax_exemptions.replace(customer=customer, values=exemption["exemption"], actor=actor, at=at)
    tax_decisions.decide(customer=customer, actor=actor, at=at)
    return customer_queries.by_external_id(external_id=external_id)


@transaction.atomic
def delete(*, external_id: str, actor: Actor, at: datetime) -> Customer:
    """Retire a customer and tell so, for whoever has contracts with it to end them. Its external id may be used again.

    Documents and payments stay. Raises NotFound, and what a listener refuses.
    """
    db.advisory_lock(f"customer:{external_id}")
    found = customer_queries.by_external_id(external_id=external_id)
    customer = db.lock_one(Customer.objects.filter(pk=found.pk))
    events.publish(CustomerDeleted(customer_id=customer.pk, at=at))
    applied_coupons.end_of_customer(customer_id=customer.pk, actor=actor, at=at)
    customer.deleted_at = customer.updated_at = at
    customer.save(update_fields=["deleted_at", "updated_at"])
    audit.record(actor=actor, at=at, verb="delete", instance=customer)
    outbox.record(webhook_types.DELETED, [customer], at=at)
    return found


def _demand(external_id: str, content: Mapping[str, Any]) -> None:
    details = profiles.check(content)
    if not external_id.strip():
        details["external_id"] = ["value_is_mandatory"]
    if (content.get("shipping_address") or {}).get("country", "") not in {"", *profiles.countries()}:
        details["shipping_address.country"] = ["not_a_valid_country_code"]
    rows = content.get("metadata") or ()
    if len(rows) > MAX_METADATA:
        details["metadata"] = ["invalid_count"]
    elif len({row.get("key") for row in rows}) < len(rows):
        details["metadata"] = ["value_is_duplicated"]
    if details:
        raise errors.Invalid("validation_errors", f"Please check: {', '.join(details)}.", details)


def _make(external_id: str, content: dict[str, Any], relations: dict[str, Any], actor: Actor, at: datetime) -> Customer:
    content.setdefault("billing_entity", None)
    content["billing_entity"] = content["billing_entity"] or billing_entities.default()
    number = numbers.take(scope=SEQUENCE)[0]
    slug = f"{content['billing_entity'].document_number_prefix}-{number:03}"
    customer = Customer.objects.create(
        **content, external_id=external_id, sequential_id=number, slug=slug, created_at=at, updated_at=at
    )
    _relate(customer, relations, {}, {}, at)
    audit.record(
        actor=actor, at=at, verb="create", instance=customer, new=_shown(content), reason=_doubt(customer, content)
    )
    tellings.tell(webhook_types.CREATED, customer, at=at)
    return customer


def _change(customer: Customer, content: dict[str, Any], relations: dict[str, Any], actor: Actor, at: datetime) -> None:
    if content.get("billing_entity") not in (None, customer.billing_entity):
        events.publish(SellerChanging(customer_id=customer.pk))
    old, new = changes.assign(customer, content)
    fields = list(new)
    _relate(customer, relations, old, new, at)
    if not new:
        return
    customer.updated_at = at
    customer.save(update_fields=[*fields, "updated_at"])
    if changes.DRAFT_TERMS & new.keys():
        takes_term = "net_payment_term" in new
        events.publish(TermsChanged(customer_id=customer.pk, takes_term=takes_term, actor=actor, at=at))
    audit.record(
        actor=actor,
        at=at,
        verb="update",
        instance=customer,
        old=_shown(old),
        new=_shown(new),
        reason=_doubt(customer, new),
    )
    tellings.tell(webhook_types.UPDATED, customer, at=at)


def _doubt(customer: Customer, changed: Mapping[str, Any]) -> str:
    """Return what looks wrong about a tax number that was just set: a note on the trail, for it refuses nothing."""
    if not changed.keys() & {"tax_identification_number", "country"}:
        return ""
    return tax_ids.warning(number=customer.tax_identification_number, country=customer.country)


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value.code if isinstance(value, BillingEntity) else value for field, value in values.items()}


def _relate(
    customer: Customer, relations: Mapping[str, Any], old: dict[str, Any], new: dict[str, Any], at: datetime
) -> None:
    if "metadata" in relations:
        _set_metadata(customer, relations["metadata"], old, new, at)
    if "tax_codes" in relations:
        before = {tax.pk: tax.code for tax in customer.taxes.all()}
        after = {tax.pk: tax.code for tax in taxes.by_codes(codes=relations["tax_codes"])}
        if before.keys() != after.keys():
            customer.taxes.set(list(after))
            old["tax_codes"], new["tax_codes"] = sorted(before.values()), sorted(after.values())
    if section_choices.FIELD in relations:
        section_choices.choose(owner=customer, codes=relations[section_choices.FIELD], old=old, new=new)


def _set_metadata(
    customer: Customer,
    rows: Sequence[MetadataValues],
    old: dict[str, Any],
    new: dict[str, Any],
    at: datetime,
) -> None:
    """Make the rows the customer's notes: matched by id, else by key; the others go."""
    existing = list(customer.metadata.all())
    before = {note.key: [note.value, note.display_in_invoice] for note in existing}
    after = {row["key"]: [row.get("value", ""), row.get("display_in_invoice", False)] for row in rows}
    if before == after:
        return
    by_id, by_key = {note.uuid: note for note in existing}, {note.key: note for note in existing}
    kept = []
    for row in rows:
        note = by_id.get(row.get("id")) or by_key.get(row["key"])
        kept.append((note, row))
    identities = [note.uuid if note else None for note, _ in kept]
    if len({key for key in identities if key}) < sum(1 for key in identities if key):
        raise errors.Invalid("validation_errors", "One note is named twice.", {"metadata": ["value_is_duplicated"]})
    # Rewritten with their ids kept: two notes may swap their keys, which row by row would break the unique key.
    customer.metadata.all().delete()
    CustomerMetadata.objects.bulk_create(
        CustomerMetadata(
            customer=customer,
            key=row["key"],
            value=row.get("value", ""),
            display_in_invoice=row.get("display_in_invoice", False),
            created_at=note.created_at if note else at,
            **({"uuid": note.uuid} if note else {}),
        )
        for note, row in kept
    )
    old["metadata"], new["metadata"] = before, after
