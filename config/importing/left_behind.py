"""What stays on the other side and is worth money: credit of credit notes that customers still have, and what they owe.

Owns these remarks. Documents are not brought over, so a person has to carry the money: a wallet with granted credits
for the one, and collecting to the end over there for the other.
"""

from __future__ import annotations

from collections import defaultdict

from config.importing.source import Lago, Unreadable
from config.kernel import errors, money


def remarks(lago: Lago) -> list[str]:
    """Tell the open credit of each customer and the open invoices of each currency; or that they cannot be read."""
    try:
        return [*_credit(lago), *_owed(lago)]
    except (Unreadable, errors.DomainError, KeyError, TypeError, ValueError) as error:
        return [f"open credit and open invoices could not be read, so look for them there: {error}"]


def _credit(lago: Lago) -> list[str]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in lago.rows("credit_notes", credit_status="available"):
        found[str(row["customer"]["external_id"]), str(row["currency"])] += int(row["balance_amount_cents"])
    return [
        f"{holder}: credit notes of {_amount(cents, currency)} are not used up and stay there"
        for (holder, currency), cents in sorted(found.items())
        if cents
    ]


def _owed(lago: Lago) -> list[str]:
    found: dict[str, list[int]] = defaultdict(list)
    for row in lago.rows("invoices", status="finalized", payment_status="pending"):
        if due := int(row["total_due_amount_cents"]):
            found[str(row["currency"])].append(due)
    return [
        f"open invoices: {len(dues)} of {_amount(sum(dues), currency)} in all stay there to be collected"
        for currency, dues in sorted(found.items())
    ]


def _amount(cents: int, currency: str) -> str:
    return f"{money.from_minor(cents, currency).amount:,f} {currency}"
