"""Links to the portal: making one for a customer, opening it, and revoking all that a customer was given.

A link is signed and needs no account: whoever has it sees the customer's documents, so it is over after some hours and
names nobody. Nothing is stored of it but the generation that it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction

from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import Customer

SALT = "customers.portal"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LinkInvalid(errors.Forbidden):
    """The link is none of ours, or was changed."""


class LinkOver(errors.Forbidden):
    """The link was good once: it is too old, was revoked, or its customer is retired."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its ``token`` is the part of the address that opens the portal, until ``expires_at``."""

    token: str
    expires_at: datetime


def make(*, customer: Customer, at: datetime) -> Link:
    """Make a link that works for the hours of the setting `PORTAL_LINK_HOURS`. Writes nothing.

    Raises NotAllowed (`retired`) for a retired customer.
    """
    if customer.deleted_at is not None:
        raise errors.NotAllowed("retired", f"{customer} is retired.")
    expires_at = at + timedelta(hours=settings.PORTAL_LINK_HOURS)
    content = {
        "c": customer.uuid.hex,
        "g": customer.portal_generation,
        "u": (expires_at - _EPOCH) // timedelta(seconds=1),
    }
    return Link(token=signing.Signer(salt=SALT).sign_object(content), expires_at=expires_at)


@transaction.atomic
def hand_out(*, customer: Customer, actor: Actor, at: datetime) -> Link:
    """Make a link for a person who gives it on, which the audit trail tells. Raises what `make` raises."""
    link = make(customer=customer, at=at)
    audit.record(actor=actor, at=at, verb="show_portal_link", instance=customer, new={"expires_at": link.expires_at})
    return link


def opened(*, token: str, at: datetime) -> Customer:
    """Return the customer whose link it is, with its seller.

    Raises LinkInvalid (`portal_link_invalid`) and LinkOver (`portal_link_expired`).
    """
    try:
        content = signing.Signer(salt=SALT).unsign_object(token)
        public_id, generation = UUID(content["c"]), int(content["g"])
        expires_at = _EPOCH + timedelta(seconds=int(content["u"]))
    except (signing.BadSignature, ValueError, KeyError, TypeError, AttributeError):
        raise LinkInvalid("portal_link_invalid", "This is no link to the portal.") from None
    customer = Customer.objects.select_related("billing_entity").filter(uuid=public_id).first()
    if (
        customer is None
        or customer.deleted_at is not None
        or customer.portal_generation != generation
        or expires_at <= at
    ):
        raise LinkOver("portal_link_expired", "This link to the portal is over.")
    return customer


@transaction.atomic
def revoke(*, customer_id: int, actor: Actor, at: datetime) -> Customer:
    """End all links that a customer was ever given. Calling it again ends those that were made since."""
    customer = db.lock_one(Customer.objects.filter(pk=customer_id))
    customer.portal_generation += 1
    customer.updated_at = at
    customer.save(update_fields=["portal_generation", "updated_at"])
    audit.record(actor=actor, at=at, verb="revoke_portal_links", instance=customer)
    return customer
