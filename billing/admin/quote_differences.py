"""What differs between two versions of a quote, term by term, named for people. Owns the names and the comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.models import QuoteVersion
from catalog.domain import decimals
from config.kernel import money
from config.platform.admin import cells

LISTS = {
    "items": "Product",
    "phases": "step",
    "changes": "Change",
    "one_offs": "One-off",
    "coupons": "Coupon",
    "credits": "Credits",
    "commitments": "Commitment",
    "charges": "price of usage",
    "fixed_charges": "fixed charge",
}
"""What a row of a list is called; rows are counted from 1."""

NAMES = {
    "starts_on": "first day",
    "term_months": "months",
    "plan_code": "plan",
    "plan_version": "version of the price list",
    "after_months": "after months",
    "discount_rate": "discount",
    "discount_scope": "discount off",
    "percentage_rate": "percent",
    "uplift_rate": "uplift",
    "amount_cents": "amount",
    "unit_amount_cents": "price of one",
    "overrides": "agreed otherwise",
    "payment_term_days": "payment term in days",
    "terms_text": "terms",
}
_RATES = ("discount_rate", "uplift_rate", "percentage_rate")
_AMOUNTS = ("amount_cents", "unit_amount_cents", "min_amount_cents")
_UNSAID = ("id", "code")


@dataclass(frozen=True)
class Difference:
    """A term of two versions: what it is called, and what each says; nothing where it does not say any."""

    name: str
    before: str
    after: str


def between(first: QuoteVersion, second: QuoteVersion) -> tuple[Difference, ...]:
    """Return what two versions say differently, in the order of the terms."""
    before, after = dict(_flat(_content(first), ())), dict(_flat(_content(second), ()))
    found = []
    for path in dict.fromkeys([*before, *after]):
        old, new = before.get(path), after.get(path)
        if old != new and not (path[-1] in _UNSAID and path in before and path in after):
            found.append(Difference(name(path), _text(path, old, first.currency), _text(path, new, second.currency)))
    return tuple(found)


def name(path: tuple[str, ...]) -> str:
    """What a term is called: "Product 1 › step 2 › discount"."""
    parts: list[str] = []
    for part in path:
        if part.isdecimal() and parts:
            parts[-1] = f"{parts[-1]} {int(part) + 1}"
        else:
            parts.append(LISTS.get(part) or NAMES.get(part) or part.replace("_", " "))
    text = " › ".join(parts)
    return text[:1].upper() + text[1:]


def _content(version: QuoteVersion) -> dict[str, Any]:
    day = version.valid_until
    return {
        **version.terms,
        "currency": version.currency,
        "valid_until": None if day is None else day.isoformat(),
        "introduction": version.introduction,
    }


def _flat(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _flat(inner, (*path, str(number)))
    elif value not in (None, ""):
        yield path, value


def _text(path: tuple[str, ...], value: Any, currency: str) -> str:
    if value is None:
        return ""
    if path[-1] in _RATES:
        return cells.percent_text(Decimal(str(value)))
    if path[-1] in _AMOUNTS and isinstance(value, int):
        return cells.money_text(money.from_minor(value, currency))
    if isinstance(value, bool):
        return "yes" if value else "no"
    found = decimals.read(value) if isinstance(value, str) else None
    return str(value) if found is None else cells.number_text(found)
