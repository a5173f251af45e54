"""The facts that invoicing tells whoever listens, inside the transaction that made them true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from config.kernel.actors import Actor


@dataclass(frozen=True)
class BalancesMoved:
    """Invoices or wallets of these customers changed: what wallets hold for current usage is to be worked out anew."""

    customer_ids: tuple[int, ...]
    at: datetime


@dataclass(frozen=True)
class DraftsOutdated:
    """Drafts are to be issued, or shown as they are now: whoever asked for their lines computes them anew."""

    invoice_ids: tuple[int, ...]
    actor: Actor
    at: datetime


@dataclass(frozen=True)
class InvoiceFinalized:
    """An invoice was issued."""

    invoice_id: int


@dataclass(frozen=True)
class InvoicePaid:
    """Nothing of an invoice is due any more."""

    invoice_id: int


@dataclass(frozen=True)
class InvoiceUnpaid:
    """An invoice that was only declared paid is not, after all: who acted on it and cannot take that back refuses."""

    invoice_id: int


@dataclass(frozen=True)
class InvoiceVoided:
    """A draft, or with ``was_issued`` a document, was taken back.

    What a draft billed may be billed anew. What a document billed stays billed, unless it is regenerated; who acted on
    it and cannot take that back refuses.
    """

    invoice_id: int
    was_issued: bool = False


@dataclass(frozen=True)
class InvoiceRegenerated:
    """An invoice is about to be issued in the place of a voided one. ``lines`` are its lines by those of the old one.

    ``edited`` are the old lines whose amounts were changed.
    """

    voided_id: int
    invoice_id: int
    lines: Mapping[int, int]
    edited: frozenset[int]
    actor: Actor
    at: datetime


@dataclass(frozen=True)
class PaymentOverdue:
    """An invoice was not paid in time."""

    invoice_id: int
