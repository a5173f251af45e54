"""The facts that the customers app tells whoever listens, inside the transaction that made them true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.kernel.actors import Actor


@dataclass(frozen=True)
class CustomerDeleted:
    """A customer was retired at that instant: what still runs for it has to end."""

    customer_id: int
    at: datetime


@dataclass(frozen=True)
class TermsChanged:
    """A customer or a seller has other terms for drafts: grace, issuing dates or payment term (``takes_term``).

    One of the ids is given. Terms of a seller count for customers that have none of their own.
    """

    takes_term: bool
    actor: Actor
    at: datetime
    customer_id: int | None = None
    billing_entity_id: int | None = None


@dataclass(frozen=True)
class TaxesDecided:
    """The taxes of a customer, which its invoices waited for, are decided at that instant."""

    customer_id: int
    at: datetime


@dataclass(frozen=True)
class SellerChanging:
    """A customer is about to be billed by another seller: whoever still has something open with the old one refuses."""

    customer_id: int


@dataclass(frozen=True)
class SellerMade:
    """There is another billing entity since that instant: what each one has is made for it."""

    billing_entity_id: int
    at: datetime
