"""What a correction does, in figures: its documents, tax by rate, balances before and after, postings by account.

Owns the values and how they are written down; reading them from the tables is `invoicing.queries.correction_effects`'.
The numbers of documents are no part of comparing two effects: they are given out when the correction is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from moneyed import Money

from config.kernel import money

CREDIT_NOTE = "credit_note"
INVOICE = "invoice"
DRAFT = "draft"
VOIDED = "voided_invoice"
WAITING = "next_invoice_line"


@dataclass(frozen=True)
class TaxPart:
    """The tax of one rate: a fraction. Below nothing where it is taken back."""

    code: str
    name: str
    rate: Decimal
    base: Money
    amount: Money


@dataclass(frozen=True)
class MadeLine:
    """A line of a document."""

    label: str
    units: Decimal
    unit_amount: Decimal
    amount: Money


@dataclass(frozen=True)
class Made:
    """A document that a correction makes or changes, and how it is settled at once.

    ``used`` is what credits and prepaid credit pay of it, ``due`` what is left to be paid.
    """

    kind: str
    net: Money
    tax: Money
    total: Money
    due: Money
    used: Money
    credit: Money
    refund: Money
    offset: Money
    lines: tuple[MadeLine, ...] = ()
    taxes: tuple[TaxPart, ...] = ()
    number: str = field(default="", compare=False)
    public_id: str = field(default="", compare=False)


@dataclass(frozen=True)
class Moved:
    """What is posted on an account in all; a debit is positive."""

    role: str
    code: str
    name: str
    amount: Money


@dataclass(frozen=True)
class Balance:
    """A balance before and after. Those of what is owed to somebody, and of what is earned, are positive too."""

    name: str
    before: Money
    after: Money


@dataclass(frozen=True)
class Effect:
    """All that a correction does."""

    documents: tuple[Made, ...]
    taxes: tuple[TaxPart, ...]
    accounts: tuple[Moved, ...]
    balances: tuple[Balance, ...]


def by_rate(parts: Iterable[TaxPart]) -> tuple[TaxPart, ...]:
    """Add up taxes by code and rate, in the order of these; what comes to nothing is left out."""
    sums: dict[tuple[str, Decimal], TaxPart] = {}
    for part in parts:
        known = sums.get((part.code, part.rate))
        if known is None:
            sums[part.code, part.rate] = part
        else:
            sums[part.code, part.rate] = TaxPart(
                part.code, known.name, part.rate, known.base + part.base, known.amount + part.amount
            )
    return tuple(sums[key] for key in sorted(sums) if sums[key].base or sums[key].amount)


def negated(parts: Iterable[TaxPart]) -> list[TaxPart]:
    """Return taxes that are taken back."""
    return [TaxPart(part.code, part.name, part.rate, -part.base, -part.amount) for part in parts]


def told(effect: Effect) -> dict[str, Any]:
    """Write an effect down: amounts in minor units, rates in percent as text, decimals as text."""
    return {
        "documents": [_document(made) for made in effect.documents],
        "taxes": _taxes(effect.taxes),
        "accounts": [
            {"role": moved.role, "code": moved.code, "name": moved.name, "amount_cents": money.to_minor(moved.amount)}
            for moved in effect.accounts
        ],
        "balances": [
            {
                "name": balance.name,
                "before_cents": money.to_minor(balance.before),
                "after_cents": money.to_minor(balance.after),
            }
            for balance in effect.balances
        ],
    }


def _document(made: Made) -> dict[str, Any]:
    return {
        "kind": made.kind,
        "lago_id": made.public_id or None,
        "number": made.number or None,
        "fees": [
            {
                "invoice_display_name": line.label,
                "units": format(line.units.normalize(), "f"),
                "unit_precise_amount": format(line.unit_amount.normalize(), "f"),
                "amount_cents": money.to_minor(line.amount),
            }
            for line in made.lines
        ],
        "taxes": _taxes(made.taxes),
        "net_amount_cents": money.to_minor(made.net),
        "taxes_amount_cents": money.to_minor(made.tax),
        "total_amount_cents": money.to_minor(made.total),
        "used_credit_amount_cents": money.to_minor(made.used),
        "total_due_amount_cents": money.to_minor(made.due),
        "credit_amount_cents": money.to_minor(made.credit),
        "refund_amount_cents": money.to_minor(made.refund),
        "offset_amount_cents": money.to_minor(made.offset),
    }


def _taxes(parts: Sequence[TaxPart]) -> list[dict[str, Any]]:
    return [
        {
            "tax_code": part.code,
            "tax_name": part.name,
            "tax_rate": format((part.rate * 100).normalize(), "f"),
            "base_amount_cents": money.to_minor(part.base),
            "amount_cents": money.to_minor(part.amount),
        }
        for part in parts
    ]
