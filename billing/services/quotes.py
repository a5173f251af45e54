"""Quotes: making one with its first version, and changing what is said about the quote itself.

Owns the quote; what it offers is in its versions (`quote_versions`).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypedDict
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import models, transaction

from billing.domain import quote_terms
from billing.domain.quote_values import QuoteTerms
from billing.models import Contract, Quote, QuoteVersion
from billing.queries import sold_contracts
from billing.queries import subscriptions as known_subscriptions
from billing.services import quote_drafts, quote_rows, quote_trials, webhook_types
from config.kernel import dates, db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings
from customers.models import BillingEntity, Customer
from customers.queries import billing_entities
from customers.services import customers
from customers.services.customers import CustomerValues

PREFIX = "QT"
_OFFERED = (QuoteVersion.State.IN_APPROVAL, QuoteVersion.State.APPROVED, QuoteVersion.State.SENT)
_PROSPECT = frozenset(CustomerValues.__annotations__) - {"billing_entity_code", "metadata", "tax_exemption"}


class QuoteChanged(errors.Conflict):
    """Somebody else changed the quote since it was looked at."""


class InvalidQuote(errors.Invalid):
    """What is said about the quote does not fit together."""


@dataclass(frozen=True)
class NewQuote:
    """A quote for a customer, or for a ``prospect`` (values of a customer) who becomes one with the acceptance.

    One of kind amendment or renewal names its contract, from which customer, seller and currency follow. Without a
    seller it is the customer's, else the default one; without a currency the customer's, else the seller's. ``once`` is
    a key of whoever asks: twice the same key is one quote.
    """

    kind: str
    name: str
    external_customer_id: str = ""
    prospect: Mapping[str, Any] = field(default_factory=dict)
    billing_entity_code: str = ""
    contract_number: str = ""
    owner_id: int | None = None
    currency: str = ""
    terms: QuoteTerms = field(default_factory=QuoteTerms)
    introduction: str = ""
    valid_until: date | None = None
    once: UUID | None = None


class QuoteValues(TypedDict, total=False):
    """What may be changed of a quote; absent keys leave things as they are. A prospect is given as a whole."""

    name: str
    owner_id: int | None
    prospect: Mapping[str, Any]


def seen_of(quote: Quote) -> str:
    """Return what a person saw of a quote before changing it: another answer later is a conflict."""
    return str(quote.updated_at.isoformat())


@transaction.atomic
@tellings.gathered
def create(*, new: NewQuote, actor: Actor, at: datetime) -> Quote:
    """Make a quote with its first version, a draft. Numbers follow each other within a year.

    Idempotent with a key (``once``): the same quote again is the one that was made; Conflict (`quote_is_made`) where it
    says something else by now. Raises NotFound (customer, contract, billing entity), InvalidQuote with codes per field,
    and what a prospect as a customer would raise.
    """
    if new.once is not None:
        db.advisory_lock(f"billing.quote.{new.once}")
        known = Quote.objects.filter(uuid=new.once).first()
        if known is not None:
            return _made(known, new)
    kind = _kind(new.kind)
    if not new.name.strip() or len(new.name) > 255:
        raise _refused("name", "value_is_mandatory", "A quote has a name of up to 255 characters.")
    contract = _contract(new, kind)
    customer = _customer(new, contract)
    seller = _seller(new, customer, contract)
    prospect = {} if customer is not None else checked_prospect(values=new.prospect, seller=seller, actor=actor, at=at)
    quote = Quote(
        created_at=at,
        updated_at=at,
        kind=kind,
        name=new.name,
        customer=customer,
        prospect=prospect,
        billing_entity=seller,
        contract=contract,
        owner_id=_owner(new.owner_id, actor),
    )
    if new.once is not None:
        quote.uuid = new.once
    today = dates.local_date(at, dates.zone(seller.timezone))
    quote.number = quote_rows.number(prefix=PREFIX, quote_day=today)
    quote.save(force_insert=True)
    currency = _currency(new, customer, contract, prospect, seller)
    quote_drafts.add(
        quote=quote,
        currency=currency,
        terms=new.terms,
        introduction=new.introduction,
        valid_until=new.valid_until,
        behind=quote_rows.behind((), actor),
        at=at,
    )
    audit.record(
        actor=actor,
        at=at,
        verb="create",
        instance=quote,
        new={"number": quote.number, "kind": quote.kind, "name": quote.name, "customer": str(customer or "")},
    )
    tellings.tell(webhook_types.QUOTE_CREATED, quote, at=at)
    return quote


@transaction.atomic
@tellings.gathered
def update(*, quote_id: int, values: QuoteValues, seen: str | None = None, actor: Actor, at: datetime) -> Quote:
    """Change name, owner, or what is known of a prospect; without a difference nothing is written.

    Name and prospect stay while a version is submitted: they are in its document. ``seen`` is `seen_of` the quote when
    it was looked at. Raises QuoteNotFound, InvalidQuote, QuoteChanged, NotAllowed (`quote_is_accepted`) once it was
    accepted, NotAllowed (`quote_is_submitted`).
    """
    quote = quote_rows.locked(quote_id)
    is_stale = seen is not None and seen != seen_of(quote)
    if quote.versions.filter(state=QuoteVersion.State.ACCEPTED).exists():
        raise errors.NotAllowed("quote_is_accepted", "The quote was accepted: it stays as it is.")
    before = {"name": quote.name, "owner": quote.owner_id, "prospect": dict(quote.prospect)}
    if "name" in values:
        if not values["name"].strip() or len(values["name"]) > 255:
            raise _refused("name", "value_is_mandatory", "A quote has a name of up to 255 characters.")
        quote.name = values["name"]
    if "owner_id" in values:
        quote.owner_id = None if values["owner_id"] is None else _owner(values["owner_id"], actor)
    if "prospect" in values:
        if quote.customer_id is not None:
            raise _refused("prospect", "not_allowed_for_a_customer", "The quote is for a customer.")
        quote.prospect = checked_prospect(values=values["prospect"], seller=quote.billing_entity, actor=actor, at=at)
    after = {"name": quote.name, "owner": quote.owner_id, "prospect": dict(quote.prospect)}
    if before != after:
        if is_stale:
            raise QuoteChanged("quote_changed", f"{quote} was changed by somebody else. Look at it again.")
        if {**before, "owner": None} != {**after, "owner": None} and quote.versions.filter(state__in=_OFFERED).exists():
            raise errors.NotAllowed("quote_is_submitted", "What was submitted stays as it is: make another version.")
        quote.updated_at = at
        quote.save(update_fields=["name", "owner", "prospect", "updated_at"])
        changed = [name for name in after if before[name] != after[name]]
        audit.record(
            actor=actor,
            at=at,
            verb="update",
            instance=quote,
            old={name: before[name] for name in changed},
            new={name: after[name] for name in changed},
        )
        tellings.tell(webhook_types.QUOTE_UPDATED, quote, at=at)
    return quote


def _made(quote: Quote, new: NewQuote) -> Quote:
    """Return a quote that was made with the same key, as long as it says what is asked for now."""
    version = quote.versions.order_by("-number").first()
    says = None if version is None else (version.terms, version.introduction, version.valid_until)
    customer = "" if quote.customer is None else quote.customer.external_id
    contract = "" if quote.contract is None else quote.contract.number
    about = (quote.kind, quote.name, customer if not quote.contract_id else new.external_customer_id, contract)
    asked = (quote_terms.written(new.terms), new.introduction, new.valid_until)
    chosen = (
        (new.billing_entity_code, quote.billing_entity.code),
        (new.currency, "" if version is None else version.currency),
        (new.owner_id, quote.owner_id),
    )
    is_other = (
        says != asked
        or about != (new.kind, new.name, new.external_customer_id, new.contract_number)
        or (not contract and _kept_prospect(new.prospect) != quote.prospect)
        or any(wanted not in ("", None, had) for wanted, had in chosen)
    )
    if is_other:
        raise errors.Conflict("quote_is_made", f"This was saved already, as {quote.number}: change that quote.")
    return quote


def checked_prospect(*, values: Mapping[str, Any], seller: BillingEntity, actor: Actor, at: datetime) -> dict[str, Any]:
    """Return what is kept of a prospect: values that would make a customer, which is tried and undone.

    Raises InvalidQuote with paths below ``prospect``; an external id that a customer has is refused
    (`value_already_exist`).
    """
    unknown = sorted(set(values) - _PROSPECT)
    if unknown:
        raise InvalidQuote("validation_errors", "", {f"prospect.{name}": ["unsupported_value"] for name in unknown})
    if not any(str(values.get(name) or "").strip() for name in ("name", "legal_name", "firstname", "lastname")):
        raise _refused("prospect.name", "value_is_mandatory", "A prospect has a name.")
    external_id = str(values.get("external_id") or "")
    if external_id and Customer.objects.filter(external_id=external_id, deleted_at__isnull=True).exists():
        raise _refused("prospect.external_id", "value_already_exist", f"There is a customer {external_id} already.")
    kept = {name: value for name, value in values.items() if value not in (None, "", [], {})}
    tried: dict[str, Any] = {**kept, "external_id": external_id or "prospect", "billing_entity_code": seller.code}
    wanted = CustomerValues(**tried)  # type: ignore[typeddict-item]
    try:
        quote_trials.demand(verb=functools.partial(customers.upsert, values=wanted, actor=actor, at=at), at=at)
    except errors.Invalid as error:
        details = {f"prospect.{name}": codes for name, codes in error.details.items()}
        raise InvalidQuote(error.code, error.message, details) from error
    return _kept_prospect(kept)


def _kept_prospect(values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(audit.plain({name: value for name, value in values.items() if value not in (None, "", [], {})}))


def read_terms(data: object) -> QuoteTerms:
    """Return terms from JSON. Raises InvalidTerms."""
    return quote_terms.read(data)


def _kind(kind: str) -> str:
    if kind not in Quote.Kind.values:
        raise _refused("kind", "invalid_value", f"A quote is one of {', '.join(Quote.Kind.values)}.")
    return kind


def _contract(new: NewQuote, kind: str) -> Contract | None:
    about_one = kind in (Quote.Kind.AMENDMENT, Quote.Kind.RENEWAL)
    if not about_one:
        if new.contract_number:
            raise _refused("contract_number", "not_allowed_for_this_kind", "A new quote has no contract yet.")
        return None
    if not new.contract_number:
        raise _refused("contract_number", "value_is_mandatory", "Say which contract it is about.")
    contract = sold_contracts.find(key=new.contract_number)
    if contract.state != Contract.State.ACTIVE:
        raise errors.NotAllowed("contract_is_not_active", f"The contract {contract.number} is {contract.state}.")
    return contract


def _customer(new: NewQuote, contract: Contract | None) -> Customer | None:
    if contract is not None:
        if new.external_customer_id not in ("", contract.customer.external_id):
            raise _refused("external_customer_id", "invalid_value", "The contract is of another customer.")
        return contract.customer
    if new.external_customer_id:
        if new.prospect:
            raise _refused("prospect", "not_allowed_for_a_customer", "Name a customer or a prospect, not both.")
        return known_subscriptions.customer(new.external_customer_id)
    if not new.prospect:
        raise _refused("external_customer_id", "value_is_mandatory", "Name a customer or a prospect.")
    return None


def _seller(new: NewQuote, customer: Customer | None, contract: Contract | None) -> BillingEntity:
    """Return who offers: a customer buys from its own seller."""
    own = None if customer is None else customer.billing_entity
    if not new.billing_entity_code:
        return own or billing_entities.default()
    found = billing_entities.by_code(code=new.billing_entity_code)
    if own is not None and found.pk != own.pk:
        raise _refused("billing_entity_code", "modification_not_allowed", f"The customer is of {own.code}.")
    return found


def _currency(
    new: NewQuote,
    customer: Customer | None,
    contract: Contract | None,
    prospect: Mapping[str, Any],
    seller: BillingEntity,
) -> str:
    fixed = "" if contract is None else contract.currency
    fixed = fixed or ("" if customer is None else customer.currency) or str(prospect.get("currency") or "")
    if fixed and new.currency not in ("", fixed):
        raise _refused("currency", "currencies_does_not_match", f"The customer is billed in {fixed}.")
    return fixed or new.currency or seller.default_currency


def _owner(owner_id: int | None, actor: Actor) -> int | None:
    if owner_id is None:
        return quote_rows.person_of(actor)
    people: models.Manager[Any] = get_user_model()._default_manager
    if not people.filter(pk=owner_id, is_active=True).exists():
        raise _refused("owner_id", "user_not_found", "There is no such person.")
    return owner_id


def _refused(field_name: str, code: str, message: str) -> InvalidQuote:
    return InvalidQuote("validation_errors", message, {field_name: [code]})
