"""The facts that invoicing tells whoever listens, inside the transaction that made them true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.kernel.actors import Actor


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
    """An invoice, or a draft, was taken back: what it billed may be billed anew."""

    invoice_id: int


@dataclass(frozen=True)
class PaymentOverdue:
    """An invoice was not paid in time."""

    invoice_id: int
