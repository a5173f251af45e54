"""How invoice numbers read."""

from datetime import date

import pytest

from invoicing.domain import numbering
from invoicing.domain.numbering import Scheme


def scheme(kind: str) -> Scheme:
    return Scheme(kind=kind, prefix="ACME", billing_entity_id=7, customer_id=42, customer_number=3)


@pytest.mark.parametrize(
    ("kind", "sequential_id", "number"),
    [
        (numbering.PER_CUSTOMER, 1, "ACME-003-001"),
        (numbering.PER_CUSTOMER, 1234, "ACME-003-1234"),
        (numbering.PER_BILLING_ENTITY, 1, "ACME-202605-001"),
        (numbering.PER_BILLING_ENTITY, 1000, "ACME-202605-1000"),
    ],
)
def test_numbers_have_three_digits_at_least(kind: str, sequential_id: int, number: str) -> None:
    assert scheme(kind).number(sequential_id=sequential_id, issued_on=date(2026, 5, 31)) == number


def test_each_customer_or_each_seller_has_a_counter() -> None:
    assert scheme(numbering.PER_CUSTOMER).scope == "invoice:7:42"
    assert scheme(numbering.PER_BILLING_ENTITY).scope == "invoice:7"


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="no_such"):
        scheme("no_such")


def test_drafts_show_no_number() -> None:
    assert numbering.draft("ACME") == "ACME-DRAFT"
