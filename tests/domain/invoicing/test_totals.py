"""Totals of an invoice: exact amounts, tax by group, and a value that cannot be wrong."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import errors
from invoicing.domain import totals
from invoicing.domain.tax import TaxRate
from invoicing.domain.totals import Taxed

VAT = TaxRate(id=1, code="vat", name="VAT", rate=Decimal("0.19"))
LOW = TaxRate(id=2, code="low", name="Low", rate=Decimal("0.07"))


def euros(amount: str) -> Money:
    return Money(amount, "EUR")


def test_each_tax_group_is_rounded_once() -> None:
    # VAT: 3 × 0.03 = 0.09 × 0.19 = 0.0171 -> 0.02; line by line it would be 3 × 0.01 (0.0057) = 0.03
    found = totals.total(lines=[(euros("0.03"), [VAT])] * 3, currency="EUR")

    assert found.amount == Taxed(net=euros("0.09"), tax=euros("0.02"), gross=euros("0.11"))
    assert [(group.tax, group.base, group.amount) for group in found.groups] == [(VAT, euros("0.09"), euros("0.02"))]


def test_the_tax_is_the_unrounded_sum_so_rows_may_differ_by_a_cent() -> None:
    # VAT 0.50 × 0.19 = 0.095 -> 0.10; LOW 0.50 × 0.07 = 0.035 -> 0.04; together 0.13, not 0.14
    found = totals.total(lines=[(euros("0.50"), [VAT, LOW])], currency="EUR")

    assert [group.amount for group in found.groups] == [euros("0.10"), euros("0.04")]
    assert found.amount.tax == euros("0.13")
    assert found.amount.gross == euros("0.63")


def test_lines_without_a_tax_are_in_no_group() -> None:
    found = totals.total(lines=[(euros("10.00"), [VAT]), (euros("5.00"), []), (euros("1.00"), [LOW])], currency="EUR")

    assert [(group.tax.code, group.base) for group in found.groups] == [("vat", euros("10.00")), ("low", euros("1.00"))]
    assert found.amount == Taxed(net=euros("16.00"), tax=euros("1.97"), gross=euros("17.97"))


@pytest.mark.parametrize(
    ("currency", "net", "tax"),
    [
        ("JPY", "1005", "191"),  # 190.95
        ("JPY", "50", "10"),  # 9.5
        ("BHD", "1.005", "0.191"),  # 0.19095
        ("EUR", "10.05", "1.91"),  # 1.9095
    ],
)
def test_rounds_to_the_exponent_of_the_currency(currency: str, net: str, tax: str) -> None:
    found = totals.total(lines=[(Money(net, currency), [VAT])], currency=currency)

    assert found.amount.tax == Money(tax, currency)
    assert found.amount.gross == Money(Decimal(net) + Decimal(tax), currency)


def test_an_invoice_of_nothing_comes_to_nothing() -> None:
    found = totals.total(lines=[], currency="EUR")

    assert found.amount == Taxed(net=euros("0"), tax=euros("0"), gross=euros("0"))
    assert found.groups == ()


def test_refuses_what_is_finer_than_the_currency_or_in_another() -> None:
    with pytest.raises(errors.Invalid, match="finer"):
        totals.total(lines=[(euros("0.001"), [])], currency="EUR")
    with pytest.raises(totals.MixedCurrencies):
        totals.total(lines=[(Money("1", "USD"), [])], currency="EUR")


@pytest.mark.parametrize(
    ("net", "tax", "gross"),
    [(euros("1.00"), euros("0.19"), euros("1.20")), (euros("1.00"), Money("0.19", "USD"), euros("1.19"))],
)
def test_a_taxed_amount_cannot_be_wrong(net: Money, tax: Money, gross: Money) -> None:
    with pytest.raises(ValueError, match=r"do not make|one currency"):
        Taxed(net=net, tax=tax, gross=gross)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.sampled_from([(), (VAT,), (LOW,), (VAT, LOW)])), max_size=8))
def test_order_changes_no_amount_and_the_parts_make_the_whole(
    given_lines: list[tuple[int, tuple[TaxRate, ...]]],
) -> None:
    lines = [(Money(Decimal(minor).scaleb(-2), "EUR"), rates) for minor, rates in given_lines]

    found = totals.total(lines=lines, currency="EUR")
    turned = totals.total(lines=lines[::-1], currency="EUR")

    assert found.amount == turned.amount
    assert {group.tax: group for group in found.groups} == {group.tax: group for group in turned.groups}
    assert found.amount.gross == found.amount.net + found.amount.tax
    rows = sum((group.amount.amount for group in found.groups), Decimal(0))
    assert abs(rows - found.amount.tax.amount) <= Decimal("0.01")


def test_coupons_lower_what_is_taxed_before_it_is_rounded() -> None:
    # Three lines of 10.00 less 0.0333333 each: 29.9000001 × 0.19 = 5.68100002; net 30.00 − 0.10
    lines = [(euros("10.00"), [VAT])] * 3
    found = totals.total(
        lines=lines, currency="EUR", coupons=totals.Reduction(euros("0.10"), (Decimal("0.0333333"),) * 3)
    )

    assert found.amount == Taxed(net=euros("29.90"), tax=euros("5.68"), gross=euros("35.58"))
    assert [(group.base, group.amount) for group in found.groups] == [(euros("29.90"), euros("5.68"))]
