"""Numbers of invoices and receipts: which counter a document counts on, and how it reads. Takes no number itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

PER_CUSTOMER = "per_customer"
PER_BILLING_ENTITY = "per_billing_entity"
_MONTH_DIGITS, _MONTHS = 6, 12


@dataclass(frozen=True)
class Scheme:
    """How a seller numbers the invoices of a customer. ``customer_number`` is the customer's own sequential id."""

    kind: str
    prefix: str
    billing_entity_id: int
    customer_id: int
    customer_number: int

    def __post_init__(self) -> None:
        if self.kind not in {PER_CUSTOMER, PER_BILLING_ENTITY}:
            raise ValueError(f"{self.kind} is not a numbering scheme.")

    @property
    def scope(self) -> str:
        """The counter of the scheme: one for each customer of the seller, or one for the seller."""
        seller = f"invoice:{self.billing_entity_id}"
        return f"{seller}:{self.customer_id}" if self.kind == PER_CUSTOMER else seller

    def number(self, *, sequential_id: int, issued_on: date) -> str:
        """Write a number. At least three digits each; the seller's counter never starts anew with the month.

        No two numbers of a seller are the same, however often it changes its scheme or prefix: counters go on where
        they stopped, and the number of a customer is never one that could be read as a month.
        """
        if self.kind == PER_CUSTOMER:
            return f"{self.prefix}-{_apart(self.customer_number)}-{sequential_id:03}"
        return f"{self.prefix}-{issued_on:%Y%m}-{sequential_id:03}"


def _apart(customer_number: int) -> str:
    """Write a customer's number; a seventh digit keeps 202605 apart from May 2026."""
    text = f"{customer_number:03}"
    is_month = len(text) == _MONTH_DIGITS and 1 <= customer_number % 100 <= _MONTHS
    return f"0{text}" if is_month else text


def receipt_scope(billing_entity_id: int) -> str:
    """Return the counter of a seller's receipts."""
    return f"receipt:{billing_entity_id}"


def receipt(prefix: str, *, sequential_id: int) -> str:
    """Write the number of a receipt: ``ACME-RCPT-001``. No invoice reads like it, and none of a seller is the same."""
    return f"{prefix}-RCPT-{sequential_id:03}"


def draft(prefix: str) -> str:
    """Return what stands for the number of an invoice that has none."""
    return f"{prefix}-DRAFT"
