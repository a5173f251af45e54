"""Which account a posting goes to, and amounts that are posted in parts: nothing is lost in the splitting."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from invoicing.domain import accounts, ledger
from invoicing.domain.accounts import Rule
from invoicing.domain.ledger import Dimensions
from invoicing.domain.totals import Taxed

USUAL, USAGE, ITEM, REDUCED, PLAN, DOLLARS, BANK, TAX = range(1, 9)
RULES = (
    Rule("revenue", USUAL),
    Rule("revenue", USAGE, line_kind="charge"),
    Rule("revenue", ITEM, item_code="requests"),
    Rule("revenue", REDUCED, tax_code="vat7"),
    Rule("revenue", PLAN, plan_code="pro", line_kind="charge"),
    Rule("revenue", DOLLARS, currency="USD"),
    Rule("cash", BANK),
    Rule("tax", TAX, tax_code="vat7"),
)


@pytest.mark.parametrize(
    ("dimensions", "currency", "account"),
    [
        (Dimensions(), "EUR", USUAL),
        (Dimensions(), "USD", DOLLARS),
        (Dimensions(line_kind="charge"), "EUR", USAGE),
        (Dimensions(line_kind="charge"), "USD", USAGE),  # a kind of line before a currency
        (Dimensions(line_kind="charge", plan_code="pro"), "EUR", PLAN),
        (Dimensions(line_kind="subscription", plan_code="pro"), "EUR", USUAL),
        (Dimensions(line_kind="charge", plan_code="pro", tax_code="vat7"), "EUR", REDUCED),  # a tax before a plan
        (Dimensions(line_kind="charge", item_code="requests", tax_code="vat7"), "USD", ITEM),  # an item before all
        (Dimensions(item_code="others"), "EUR", USUAL),
    ],
)
def test_the_most_specific_mapping_wins(dimensions: Dimensions, currency: str, account: int) -> None:
    for rules in (RULES, tuple(reversed(RULES))):
        assert accounts.resolve(rules=rules, role="revenue", dimensions=dimensions, currency=currency) == account


def test_a_posting_without_a_mapping_is_refused() -> None:
    with pytest.raises(accounts.NoAccount):
        accounts.resolve(rules=RULES, role="tax", dimensions=Dimensions(tax_code="vat19"), currency="EUR")


def test_documents_are_read_only_where_a_mapping_asks_for_it() -> None:
    assert not accounts.splits([Rule("revenue", USUAL), Rule("revenue", DOLLARS, currency="USD")])
    assert accounts.splits(RULES)


def test_the_chart_has_every_role_once_and_codes_of_their_own() -> None:
    assert len({one.role for one in accounts.CHART}) == len({one.code for one in accounts.CHART}) == len(accounts.CHART)


def test_an_amount_is_posted_in_parts() -> None:
    booking = ledger.finalized(Taxed.of(net=Money("10.00", "EUR"), tax=Money("1.90", "EUR")))
    usage, fee = Dimensions(line_kind="charge"), Dimensions(line_kind="subscription")

    # 10.00 by 1 : 2 is 3.33 and 6.67
    found = ledger.split(booking, parts={"revenue": [(usage, Decimal(1)), (fee, Decimal(2))]})

    assert [(one.role, one.dimensions, one.amount.amount) for one in found.postings] == [
        ("receivable", Dimensions(), Decimal("11.90")),
        ("revenue", usage, Decimal("-3.33")),
        ("revenue", fee, Decimal("-6.67")),
        ("tax", Dimensions(), Decimal("-1.90")),
    ]


def test_weights_that_cancel_out_leave_an_amount_whole() -> None:
    booking = ledger.paid(Money(5, "EUR"))
    cancelled = [(Dimensions(), Decimal(1)), (Dimensions("a"), Decimal(-1))]
    assert ledger.split(booking, parts={"cash": cancelled}) == booking
    assert ledger.split(booking, parts={"cash": []}) == booking


CENTS = st.integers(-(10**9), 10**9)


@given(net=CENTS, weights=st.lists(CENTS, max_size=8), currency=st.sampled_from(["EUR", "JPY", "BHD"]))
def test_parts_sum_to_the_whole(net: int, weights: list[int], currency: str) -> None:
    amount = Money(net, currency)
    booking = ledger.finalized(Taxed.of(net=amount, tax=amount * 0))
    parts = [(Dimensions(str(position)), Decimal(weight)) for position, weight in enumerate(weights)]

    found = ledger.split(booking, parts={"revenue": parts})

    assert sum((one.amount for one in found.postings if one.role == "revenue"), amount * 0) == -amount
    if weights and sum(weights) == net and net:  # weights that are the amounts are posted as they are
        posted = {one.dimensions.item_code: -one.amount.amount for one in found.postings if one.role == "revenue"}
        assert posted == {str(position): weight for position, weight in enumerate(weights) if weight}
