"""How invoice numbers read."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("customer_number", "shown"),
    [(202605, "0202605"), (202613, "202613"), (202600, "202600"), (99999, "99999"), (1202605, "1202605")],
)
def test_a_customer_is_never_read_as_a_month(customer_number: int, shown: str) -> None:
    found = Scheme(
        kind=numbering.PER_CUSTOMER, prefix="ACME", billing_entity_id=7, customer_id=42, customer_number=customer_number
    )

    assert found.number(sequential_id=1, issued_on=date(2026, 5, 31)) == f"ACME-{shown}-001"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([numbering.PER_CUSTOMER, numbering.PER_BILLING_ENTITY]),
            st.sampled_from(["A", "A-001", "B"]),
            st.sampled_from([1, 2, 1001, 202605, 202612]),
            st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        ),
        max_size=60,
    )
)
def test_changes_of_scheme_and_prefix_make_no_two_numbers_the_same(
    issued: list[tuple[str, str, int, date]],
) -> None:
    counters: Counter[str] = Counter()
    numbers = []
    for kind, prefix, customer, day in issued:
        of = Scheme(kind=kind, prefix=prefix, billing_entity_id=7, customer_id=customer, customer_number=customer)
        counters[of.scope] += 1
        numbers.append(of.number(sequential_id=counters[of.scope], issued_on=day))

    assert len(set(numbers)) == len(numbers)
