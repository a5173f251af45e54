"""What an invoice says, ready to be read: frozen values of finished text, for templates.

Owns the shape only. Every figure is already written in the document's language; a template sees no model, does no
arithmetic and takes no decision beyond showing what is there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what it says."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Party:
    """A seller or buyer: `address` in the order of its country with the country last, `ids` such as a VAT id."""

    name: str
    address: tuple[str, ...] = ()
    ids: tuple[Fact, ...] = ()
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a line: of its amount (a tier, free units, packages, a flat fee), or of its units alone."""

    label: str
    amount: str = ""
    units: str = ""
    price: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `period` is empty where it is the group's; `price` is empty where the parts say it. `notes` are what
    else the amount depends on: days of the period, a price in the seller's own unit.
    """

    label: str
    units: str
    amount: str
    description: str = ""
    period: str = ""
    price: str = ""
    tax_rate: str = ""
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one contract; `subtotal` is empty where the document has one group only."""

    label: str
    period: str
    lines: tuple[Line, ...]
    subtotal: str = ""


@dataclass(frozen=True, slots=True)
class TaxRow:
    """One tax: its name and rate, the net amount it is on, and the tax."""

    label: str
    rate: str
    base: str
    amount: str


@dataclass(frozen=True, slots=True)
class Section:
    """A text of the seller's own under a heading, which may be empty."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """A whole invoice; a compact one has many lines, without their parts. ``annex`` tells of the file that has them.

    `paper` is "A4" or "letter", `logo` harmless SVG to be shown at `logo_size` (CSS lengths of width and height),
    `accent` a colour such as "#4f46e5". `seller_name` is the name that customers know, `seller.name` the legal one.
    `billed_before` and `coupons` are taken off `subtotal` before taxes. `total` is before `credits`, `amount_due` after
    them; `credits` tell of a payment too, where it was paid when it was issued (`is_paid`). `legal` is the foot of
    every page, and `page_words` stand before, between and after the two page numbers there.
    """

    language: str
    paper: str
    accent: str
    title: str
    number: str
    is_draft: bool
    is_compact: bool
    logo: str
    logo_size: tuple[str, str]
    seller: Party
    seller_name: str
    buyer: Party
    ship_to: tuple[str, ...]
    facts: tuple[Fact, ...]
    groups: tuple[Group, ...]
    has_tax_column: bool
    subtotal: str
    taxes: tuple[TaxRow, ...]
    tax_note: str
    total: str
    credits: tuple[Fact, ...]
    amount_due: str
    is_nothing_due: bool
    is_paid: bool
    issued_on: str
    due_on: str
    period: str
    payment: tuple[Fact, ...]
    notes: tuple[str, ...]
    legal: tuple[str, ...]
    page_words: tuple[str, str, str]
    billed_before: tuple[Fact, ...] = ()
    coupons: tuple[Fact, ...] = ()
    sections: tuple[Section, ...] = ()
    annex: str = ""
