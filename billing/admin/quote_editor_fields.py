"""The fields of the rows in the editor of a quote: what each is called, what kind of text it holds, and where it goes.

Owns the list of fields and how a text of a kind is written and read. Which rows there are is `quote_editor_rows`', the
prices of a plan are `quote_editor_prices`'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django import forms
from moneyed import Money

from catalog.domain import decimals
from config.kernel import errors, money

HUNDRED = Decimal(100)
MAX_TEXT = 20_000


class Kind(StrEnum):
    """What a text means."""

    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    PERCENT = "percent"
    MONEY = "money"
    CHOICE = "choice"
    FLAG = "flag"
    DAY = "day"
    CODES = "codes"


class Wrong(ValueError):
    """A text is not what its field holds; the words say so to a person."""


@dataclass(frozen=True)
class Spec:
    """A field: its name in the form, its name in the terms, what it is called, and what an empty one means.

    ``needed`` ones cannot be empty. ``choices`` are fixed ones; those of the catalogue come with the page.
    ``only`` names another field and the choice of it for which this one is asked.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    term: str = ""
    empty: str = ""
    needed: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    wide: bool = False
    only: tuple[str, str] = ("", "")

    @property
    def key(self) -> str:
        """The name of the term."""
        return self.term or self.name


SCOPES = (("fee", "the fee"), ("all", "all prices"))
FREQUENCIES = (
    ("", "as the coupon"),
    ("once", "once"),
    ("recurring", "on some invoices"),
    ("forever", "on every invoice"),
)
COMMITMENT_KINDS = (("term", "over the term"), ("period", "for each period"), ("prepaid", "prepaid, drawn down"))
INSTALMENTS = (("whole", "in whole"), ("monthly", "monthly"), ("quarterly", "quarterly"), ("yearly", "yearly"))
GRANTS = (("payment", "once it is paid"), ("issue", "as soon as it is invoiced"))

ITEM = (
    Spec("name", "Name", empty="as the plan", wide=True),
    Spec("external_id", "Subscription id", empty="made when accepted"),
    Spec("starts_after_months", "Starts after months", Kind.WHOLE, empty="0"),
)
PHASE = (
    Spec("after_months", "After months", Kind.WHOLE, empty="0"),
    Spec("plan_code", "Plan", Kind.CHOICE, needed=True, wide=True),
    Spec("fee", "Fee", Kind.MONEY),
    Spec("discount", "Discount %", Kind.PERCENT, "discount_rate", empty="0"),
    Spec("discount_scope", "Off", Kind.CHOICE, choices=SCOPES),
)
ONE_OFF = (
    Spec("add_on_code", "Add-on", Kind.CHOICE, needed=True, wide=True),
    Spec("name", "Name on the quote", empty="as the add-on"),
    Spec("units", "Units", Kind.NUMBER, empty="1"),
    Spec("unit_amount", "Price of one", Kind.MONEY, "unit_amount_cents", empty="the add-on's"),
    Spec("discount", "Discount %", Kind.PERCENT, "discount_rate", empty="0"),
    Spec("tax_codes", "Taxes by code", Kind.CODES, empty="the customer's"),
)
COUPON = (
    Spec("coupon_code", "Coupon", Kind.CHOICE, needed=True, wide=True),
    Spec("amount", "Amount", Kind.MONEY, "amount_cents", empty="the coupon's"),
    Spec("percentage", "Percent", Kind.PERCENT, "percentage_rate", empty="the coupon's"),
    Spec("frequency", "How often", Kind.CHOICE, choices=FREQUENCIES),
    Spec("frequency_duration", "On how many", Kind.WHOLE, empty="the coupon's", only=("frequency", "recurring")),
)
CREDITS = (
    Spec("name", "Name of the wallet", empty="Credits", wide=True),
    Spec("paid_credits", "Credits paid for", Kind.NUMBER, empty="0"),
    Spec("granted_credits", "Credits given", Kind.NUMBER, empty="0"),
    Spec("rate_amount", "One is worth", Kind.NUMBER, empty="1"),
    Spec("expires_after_months", "Expire after months", Kind.WHOLE, empty="never"),
)
COMMITMENT = (
    Spec("kind", "Commitment", Kind.CHOICE, choices=COMMITMENT_KINDS),
    Spec("amount", "Amount", Kind.MONEY, "amount_cents", needed=True),
    Spec("external_id", "Of the product", empty="its subscription id", only=("kind", "period")),
    Spec("invoice_name", "Name on invoices", empty="Commitment", wide=True),
    Spec("instalments", "Invoiced", Kind.CHOICE, choices=INSTALMENTS, only=("kind", "prepaid")),
    Spec("grant_on", "May be used", Kind.CHOICE, choices=GRANTS, only=("kind", "prepaid")),
    Spec("tax_codes", "Taxes by code", Kind.CODES, empty="the customer's"),
    Spec("rolls_over", "What is left rolls over", Kind.FLAG, only=("kind", "prepaid")),
    Spec("renews", "For renewed terms too", Kind.FLAG),
)
_PRODUCT = Spec("external_id", "Product", Kind.CHOICE, needed=True, wide=True)
_FROM = Spec("effective_on", "From", Kind.DAY, empty="the day of acceptance")
CHANGES: dict[str, tuple[Spec, ...]] = {
    "change_terms": (_PRODUCT, _FROM, Spec("until", "Until", Kind.DAY, empty="its end")),
    "add_product": (
        Spec("name", "Name", empty="as the plan", wide=True),
        Spec("external_id", "Subscription id", empty="made when accepted"),
        _FROM,
    ),
    "remove_product": (_PRODUCT, Spec("effective_on", "First day without it", Kind.DAY, empty="the day of acceptance")),
    "extend_term": (Spec("ends_on", "New last day", Kind.DAY, needed=True),),
    "change_commitment": (
        Spec("commitment_id", "Which", Kind.CHOICE, wide=True),
        _FROM,
        Spec("commitment_kind", "Commitment", Kind.CHOICE, "kind", choices=COMMITMENT_KINDS),
        *(replace(one, only=("commitment_kind", one.only[1]) if one.only[0] else one.only) for one in COMMITMENT[1:]),
    ),
}
"""What is asked of each kind of change of a contract."""

CHANGE_TITLES = {
    "change_terms": "Other terms of a product",
    "add_product": "Another product",
    "remove_product": "A product ends",
    "extend_term": "A longer term",
    "change_commitment": "A commitment",
}
ROWS: dict[str, tuple[Spec, ...]] = {
    "items": ITEM,
    "one_offs": ONE_OFF,
    "coupons": COUPON,
    "credits": CREDITS,
    "commitments": COMMITMENT,
}


def specs(name: str, values: dict[str, str]) -> tuple[Spec, ...]:
    """The fields of a row of a list, those alone that its choices ask for."""
    return tuple(one for one in every(name, values) if not one.only[0] or values.get(one.only[0], "") == one.only[1])


def every(name: str, values: dict[str, str]) -> tuple[Spec, ...]:
    """All fields that a row of a list can have."""
    return CHANGES.get(values.get("kind", ""), ()) if name == "changes" else ROWS[name]


def read(spec: Spec, text: str, *, currency: str) -> Any:
    """Read what somebody typed: decimals as text, amounts in minor units, days in ISO form; None for an empty one.

    A flag is never empty. Raises Wrong with words for the person.
    """
    text = text.strip()
    if spec.kind is Kind.FLAG:
        return text == "on"
    if not text:
        return None
    if len(text) > MAX_TEXT:
        raise Wrong("This is too long.")
    match spec.kind:
        case Kind.WHOLE:
            return whole(text)
        case Kind.NUMBER:
            return decimals.text(number(text))
        case Kind.PERCENT:
            return decimals.text(number(text) / HUNDRED)
        case Kind.MONEY:
            return cents(text, currency)
        case Kind.DAY:
            return day(text).isoformat()
        case Kind.CODES:
            return [code.strip() for code in text.split(",") if code.strip()]
    return text


def write(spec: Spec, value: Any, *, currency: str) -> str:
    """Write a term as somebody would type it; `read` gives it back."""
    if spec.kind is Kind.FLAG:
        return "on" if value else ""
    if value is None:
        return ""
    match spec.kind:
        case Kind.PERCENT:
            return _unless_nothing(decimals.text(Decimal(value) * HUNDRED))
        case Kind.MONEY:
            return amount_text(int(value), currency)
        case Kind.CODES:
            return ", ".join(value)
        case Kind.NUMBER:
            return decimals.text(Decimal(value))
    return str(value)


def amount_text(minor: int, currency: str) -> str:
    """An amount in minor units as somebody would type it, with the digits of its currency."""
    found = money.from_minor(minor, currency).amount
    return f"{found:.{money.exponent(currency)}f}"


def whole(text: str) -> int:
    """Read a whole number of zero or more."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise Wrong("This is not a whole number.")
    return int(text)


def number(text: str) -> Decimal:
    """Read a plain number."""
    found = decimals.read(text)
    if found is None:
        raise Wrong("This is not a number: write 1234.56.")
    return found


def cents(text: str, currency: str) -> int:
    """Read an amount of money into minor units."""
    try:
        return money.to_minor(Money(number(text), currency))
    except errors.Invalid as refusal:
        raise Wrong(refusal.message) from refusal


def day(text: str) -> date:
    """Read a calendar day as the date fields of the admin take it."""
    try:
        found = forms.DateField().to_python(text)
    except forms.ValidationError as refusal:
        raise Wrong("This is not a day: write 2026-12-31.") from refusal
    if found is None:
        raise Wrong("This is not a day: write 2026-12-31.")
    return found


def _unless_nothing(text: str) -> str:
    return "" if text == "0" else text
