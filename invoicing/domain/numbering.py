"""Invoice numbers: which counter a document counts on, and how its number reads. Takes no number itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

PER_CUSTOMER = "per_customer"
PER_BILLING_ENTITY = "per_billing_entity"


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
        """Write a number. At least three digits each; the seller's counter never starts anew with the month."""
        if self.kind == PER_CUSTOMER:
            return f"{self.prefix}-{self.customer_number:03}-{sequential_id:03}"
        return f"{self.prefix}-{issued_on:%Y%m}-{sequential_id:03}"


def draft(prefix: str) -> str:
    """Return what stands for the number of an invoice that has none."""
    return f"{prefix}-DRAFT"
