"""What the e-mail of a payment request says, ready to be read: frozen values of finished text, for templates."""

from __future__ import annotations

from dataclasses import dataclass

from invoicing.domain.document_view import Fact, Party


@dataclass(frozen=True, slots=True)
class AskedInvoice:
    """An invoice that is asked for: `amount` is what is due of it."""

    number: str
    due_on: str
    amount: str


@dataclass(frozen=True, slots=True)
class PaymentRequestView:
    """A whole payment request. `payment` is the account to pay to, with the numbers to name."""

    language: str
    accent: str
    seller: Party
    seller_name: str
    total: str
    invoices: tuple[AskedInvoice, ...]
    payment: tuple[Fact, ...]
    legal: tuple[str, ...]
