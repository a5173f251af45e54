"""What a payment receipt says, ready to be read: frozen values of finished text, for templates.

Owns the shape only, like `document_view` for invoices: every figure is already written in the document's language.
"""

from __future__ import annotations

from dataclasses import dataclass

from invoicing.domain.document_view import Fact, Party


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice that was paid: what it comes to, and `paid` what of the payment it got."""

    number: str
    issued_on: str
    total: str
    paid: str


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A whole receipt. What the letterhead says is described at `InvoiceView`. `total` is what was received."""

    language: str
    paper: str
    accent: str
    title: str
    number: str
    logo: str
    logo_size: tuple[str, str]
    seller: Party
    seller_name: str
    buyer: Party
    facts: tuple[Fact, ...]
    invoices: tuple[PaidInvoice, ...]
    total: str
    received_on: str
    legal: tuple[str, ...]
    page_words: tuple[str, str, str]
