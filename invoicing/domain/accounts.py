"""Accounts of the ledger: their types, the chart that a seller starts with, and which account a posting goes to.

A mapping names the account of a role, for all of its postings or for those of a tax, a kind of line, an item, a kind of
payment or a currency alone. Of the mappings that fit the most specific one wins. Owns that rule; the tables are in
`models`, the bookings next door in `ledger`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from config.kernel import errors
from invoicing.domain import ledger

ASSET = "asset"
LIABILITY = "liability"
REVENUE = "revenue"
CONTRA_REVENUE = "contra_revenue"
EXPENSE = "expense"

DEBIT_TYPES = frozenset({ASSET, EXPENSE, CONTRA_REVENUE})
"""Types whose balance is a debit as a rule."""


@dataclass(frozen=True)
class Opening:
    """An account of the chart that a seller starts with."""

    role: str
    code: str
    name: str
    type: str


CHART = (
    Opening(ledger.CASH, "1000", "Cash", ASSET),
    Opening(ledger.RECEIVABLE, "1200", "Receivables", ASSET),
    Opening(ledger.DISPUTED, "1210", "Disputed receivables", ASSET),
    Opening(ledger.CUSTOMER_CREDIT, "2100", "Customer credit", LIABILITY),
    Opening(ledger.REFUNDS, "2110", "Refunds to pay", LIABILITY),
    Opening(ledger.PREPAID, "2120", "Prepaid by customers", LIABILITY),
    Opening(ledger.TAX, "2200", "Tax payable", LIABILITY),
    Opening(ledger.REVENUE, "4000", "Revenue", REVENUE),
    Opening(ledger.PROMOTION, "4100", "Given credits used", CONTRA_REVENUE),
    Opening(ledger.WRITE_OFF, "6000", "Written off", EXPENSE),
)
"""Code and name may be changed later. An account is opened when its role is first needed, or with the whole chart."""

OPEN_ITEMS = (ledger.RECEIVABLE, ledger.DISPUTED)
"""Roles whose balance is what customers owe, invoice by invoice."""


class NoAccount(errors.Invalid):
    """No mapping names the account of a posting."""


@dataclass(frozen=True)
class Rule:
    """A mapping: the account of a role's postings that have these dimensions; an empty one means any."""

    role: str
    account_id: int
    item_code: str = ""
    tax_code: str = ""
    plan_code: str = ""
    payment_kind: str = ""
    line_kind: str = ""
    currency: str = ""

    @property
    def rank(self) -> tuple[bool, ...]:
        """How specific it is: an item before a tax, a plan, kinds of payments and lines, and the currency."""
        return tuple(bool(getattr(self, name)) for name in DIMENSIONS)

    def fits(self, *, role: str, dimensions: ledger.Dimensions, currency: str) -> bool:
        """Say whether it takes a posting."""
        if self.role != role or self.currency not in ("", currency):
            return False
        return all(getattr(self, name) in ("", getattr(dimensions, name)) for name in DIMENSIONS if name != "currency")


DIMENSIONS = tuple(field.name for field in fields(Rule) if field.name not in {"role", "account_id"})
"""What a mapping can be narrowed to, the most specific first."""

SPLITTING = frozenset(DIMENSIONS) - {"currency"}
"""Dimensions for which the parts of a document have to be known."""


def resolve(*, rules: Sequence[Rule], role: str, dimensions: ledger.Dimensions, currency: str) -> int:
    """Return the account of a posting: that of the most specific mapping that fits. Raises NoAccount.

    Two mappings that fit a posting never have the same dimensions, so the order of the rules does not matter.
    """
    fitting = [rule for rule in rules if rule.fits(role=role, dimensions=dimensions, currency=currency)]
    if not fitting:
        raise NoAccount("no_account", f"No account is mapped for {role}.", {"role": ["value_is_mandatory"]})
    return max(fitting, key=lambda rule: rule.rank).account_id


def splits(rules: Iterable[Rule]) -> bool:
    """Say whether any mapping asks for parts of documents: without one nobody has to read them."""
    return any(getattr(rule, name) for rule in rules for name in SPLITTING)


ALLOWED = {
    ledger.REVENUE: frozenset({"item_code", "tax_code", "plan_code", "line_kind", "currency"}),
    ledger.TAX: frozenset({"tax_code", "currency"}),
    ledger.CASH: frozenset({"payment_kind", "currency"}),
}
"""What the postings of a role can be told apart by; those of all others by their currency."""
