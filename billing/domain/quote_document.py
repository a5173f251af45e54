"""What a quote says to the customer, ready to be read: frozen values of finished text, for the PDF and the web page.

Owns the shape only. Every figure is already written in the customer's language; a template sees no model, does no
arithmetic and takes no decision beyond showing what is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from invoicing.domain.document_view import Fact, Party


@dataclass(frozen=True, slots=True)
class UsagePrice:
    """One price: `when` it applies, such as from which unit on (empty: always), and what it is, finished text both."""

    price: str
    when: str = ""

    def __str__(self) -> str:
        return f"{self.when}: {self.price}" if self.when else self.price


@dataclass(frozen=True, slots=True)
class Usage:
    """What is billed by use: what it is called, its prices one below the other, and what else is said of them."""

    label: str
    prices: tuple[UsagePrice, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """What is paid in every period, or once. ``list_price`` and ``discount`` are empty where nothing is taken off.

    The list price of what is paid once is of one unit.
    """

    label: str
    price: str
    units: str = ""
    list_price: str = ""
    discount: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the term on one set of prices: `period` in words, what a month of it costs, and usage prices."""

    label: str
    period: str
    lines: tuple[Line, ...]
    a_month: str = ""
    in_all: str = ""
    usage: tuple[Usage, ...] = ()
    usage_note: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is subscribed to, in its phases; several of them are a ramp. ``note`` tells when it is billed."""

    name: str
    phases: tuple[Phase, ...]
    note: str = ""

    @property
    def is_ramp(self) -> bool:
        """Say whether prices or quantities change during the term."""
        return len(self.phases) > 1


@dataclass(frozen=True, slots=True)
class Item:
    """Something beside the products: a commitment, credits, a coupon. ``value`` is what stands at the right."""

    label: str
    value: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items:
    """Items of one kind under a heading."""

    heading: str
    rows: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What an amendment changes: before and after, line by line, and from which day. ``before_usage`` and
    ``after_usage`` are prices by use that are not the same on the other side.
    """

    label: str
    effective: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    before_usage: tuple[str, ...] = ()
    after_usage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """A sum at the end. ``note`` is said below it in small letters; the main one is emphasised."""

    label: str
    value: str
    note: str = ""
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class QuoteDocument:
    """A whole quote. What the letterhead says is described at `InvoiceView`.

    ``headline`` is the figure that people look for first, ``headline_note`` what it is for. ``terms`` are facts such as
    term, renewal and notice, in words; ``small_print`` the seller's own text.
    """

    language: str
    conventions: str
    paper: str
    accent: str
    title: str
    number: str
    name: str
    is_draft: bool
    logo: str
    logo_size: tuple[str, str]
    seller: Party
    seller_name: str
    seller_email: str
    buyer: Party
    buyer_name: str
    contact: str
    facts: tuple[Fact, ...]
    valid_until: str
    purchase_order_number: str
    headline: str
    headline_note: str
    introduction: tuple[str, ...]
    changes: tuple[Change, ...]
    products: tuple[Product, ...]
    has_usage: bool
    has_discounts: bool
    one_offs: tuple[Line, ...]
    one_offs_have_discounts: bool
    items: tuple[Items, ...]
    totals: tuple[Total, ...]
    totals_note: str
    terms: tuple[Fact, ...]
    small_print: tuple[str, ...]
    legal: tuple[str, ...]
    page_words: tuple[str, str, str]
