"""Which taxes apply to a line, and what they come to."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from invoicing.domain import tax
from invoicing.domain.tax import Basis, Resolved, TaxRate

VAT = TaxRate(id=1, code="vat", name="VAT", rate=Decimal("0.19"))
CITY = TaxRate(id=2, code="city", name="City", rate=Decimal("0.08875"))


@pytest.mark.parametrize(
    ("net", "rates", "rows", "whole"),
    [
        (Money("100.00", "EUR"), [VAT], ["19.00"], "19.00"),
        (Money("0.50", "EUR"), [VAT], ["0.10"], "0.10"),  # 0.095 rounds half up, not to even
        (Money("0.50", "EUR"), [VAT, CITY], ["0.10", "0.04"], "0.14"),  # 0.095 + 0.044375 = 0.139375
        (Money("0.66", "EUR"), [VAT, CITY], ["0.13", "0.06"], "0.18"),  # 0.1254 + 0.058575 = 0.183975, rows make 0.19
        (Money("-0.50", "EUR"), [VAT], ["-0.10"], "-0.10"),  # away from zero
        (Money("50", "JPY"), [VAT], ["10"], "10"),  # 9.5 yen
        (Money("0.050", "BHD"), [VAT], ["0.010"], "0.010"),  # 0.0095 dinars
        (Money("100.00", "EUR"), [], [], "0"),
    ],
)
def test_rounds_each_row_and_the_unrounded_sum_once(
    net: Money, rates: list[TaxRate], rows: list[str], whole: str
) -> None:
    found = tax.on_line(net=net, taxes=rates)

    assert [row.amount.amount for row in found.rows] == [Decimal(row) for row in rows]
    assert found.amount == Money(whole, net.currency)
    assert found.rate == sum((rate.rate for rate in rates), Decimal(0))
    assert found.precise == sum((net.amount * rate.rate for rate in rates), Decimal(0))


def test_the_first_level_that_has_taxes_wins() -> None:
    assert tax.resolve(own=[VAT], of_customer=[CITY], of_seller=[CITY]) == Resolved((VAT,), Basis.PRICE)
    assert tax.resolve(own=[], of_customer=[CITY], of_seller=[VAT]) == Resolved((CITY,), Basis.CUSTOMER)
    assert tax.resolve(own=[], of_customer=[], of_seller=[VAT, CITY]) == Resolved((VAT, CITY), Basis.SELLER)
    assert tax.resolve(own=[], of_customer=[], of_seller=[]) == Resolved((), Basis.NONE)


def test_an_exempt_customer_pays_no_tax_of_any_level() -> None:
    assert tax.resolve(own=[VAT], of_customer=[CITY], of_seller=[VAT], is_exempt=True) == Resolved((), Basis.EXEMPT)


@given(minor=st.integers(-(10**14), 10**14), rates=st.lists(st.integers(0, 10**8), max_size=4))
def test_rows_differ_from_the_sum_by_less_than_a_cent_each(minor: int, rates: list[int]) -> None:
    taxes = [
        TaxRate(id=position, code=str(position), name="", rate=Decimal(rate).scaleb(-8))
        for position, rate in enumerate(rates)
    ]

    found = tax.on_line(net=Money(Decimal(minor).scaleb(-2), "EUR"), taxes=taxes)

    assert abs(found.amount.amount - found.precise) <= Decimal("0.005")
    assert abs(sum((row.amount.amount for row in found.rows), Decimal(0)) - found.amount.amount) <= Decimal("0.005") * (
        len(rates) + 1
    )
