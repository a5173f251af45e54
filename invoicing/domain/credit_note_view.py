"""What a credit note says, ready to be read: frozen values of finished text, for templates.

Owns the shape only, like `document_view` for invoices: every figure is already written in the document's language.
"""

from __future__ import annotations

from dataclasses import dataclass

from invoicing.domain.document_view import Fact, Party, TaxRow


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """What is given back of one line: `billed` is what the line came to, `amount` what is given back of it, net."""

    label: str
    billed: str
    amount: str
    group: str = ""
    period: str = ""
    tax_rate: str = ""


@dataclass(frozen=True, slots=True)
class CreditNoteView:
    """A whole credit note. What the letterhead says is described at `InvoiceView`.

    `subtotal` is the sum of the lines, `coupons` what is taken off it because coupons lowered the invoice (empty where
    none did), `ways` where the `total` goes: credit, refund, off the invoice. `invoice_number` is the invoice that it
    corrects, `tax_note` what that says of taxes that are not charged, `explanation` what was said about the correction.
    """

    language: str
    paper: str
    accent: str
    title: str
    number: str
    is_draft: bool
    logo: str
    logo_size: tuple[str, str]
    seller: Party
    seller_name: str
    buyer: Party
    ship_to: tuple[str, ...]
    facts: tuple[Fact, ...]
    invoice_number: str
    lines: tuple[CreditedLine, ...]
    is_compact: bool
    has_tax_column: bool
    subtotal: str
    coupons: str
    taxes: tuple[TaxRow, ...]
    tax_note: str
    total: str
    ways: tuple[Fact, ...]
    issued_on: str
    explanation: str
    notes: tuple[str, ...]
    legal: tuple[str, ...]
    page_words: tuple[str, str, str]
