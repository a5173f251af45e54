"""Prices that include their taxes: net and tax add up to them, line by line and on the whole invoice."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import money
from invoicing.domain import tax, taxed_lines, totals
from invoicing.domain.specs import LineSpec
from invoicing.domain.tax import Basis, Resolved, TaxRate
from invoicing.domain.totals import Reduction

AT = datetime(2026, 1, 1, tzinfo=UTC)


def _rate(key: int, rate: str) -> TaxRate:
    return TaxRate(id=key, code=f"t{key}", name=f"Tax {key}", rate=Decimal(rate))


def _spec(amount: str, currency: str = "EUR", *, inclusive: bool = True) -> LineSpec:
    figure = Decimal(amount)
    return LineSpec(
        kind="subscription",
        item_code="p",
        item_name="P",
        label="P",
        units=Decimal(1),
        unit_amount=figure,
        precise_amount=figure,
        amount=Money(figure, currency),
        from_at=AT,
        to_at=AT,
        is_tax_inclusive=inclusive,
    )


@pytest.mark.parametrize(
    ("gross", "currency", "rates", "net", "tax_amount", "rows"),
    [
        ("119.00", "EUR", ["0.19"], "100.00", "19.00", ["19.00"]),
        # 9.99 / 1.2 = 8.325 → 8.33; 9.99 − 8.33
        ("9.99", "EUR", ["0.20"], "8.33", "1.66", ["1.66"]),
        # 10 / 1.213 = 8.24402… ; 1.76 split 9.3 : 12
        ("10.00", "EUR", ["0.093", "0.12"], "8.24", "1.76", ["0.77", "0.99"]),
        # 1000 / 1.1 = 909.09…
        ("1000", "JPY", ["0.10"], "909", "91", ["91"]),
        # 1.000 / 1.1 = 0.90909…
        ("1.000", "BHD", ["0.10"], "0.909", "0.091", ["0.091"]),
        # Without a rate all of it is net: reverse charge, exemption.
        ("119.00", "EUR", ["0"], "119.00", "0.00", ["0.00"]),
        ("119.00", "EUR", [], "119.00", "0.00", []),
        ("0.00", "EUR", ["0.19"], "0.00", "0.00", ["0.00"]),
        ("-119.00", "EUR", ["0.19"], "-100.00", "-19.00", ["-19.00"]),
    ],
)
def test_a_price_that_includes_its_taxes(
    gross: str, currency: str, rates: list[str], net: str, tax_amount: str, rows: list[str]
) -> None:
    found = Resolved(tuple(_rate(number, rate) for number, rate in enumerate(rates)), Basis.SELLER)
    line = taxed_lines.taxed(spec=_spec(gross, currency), found=found)
    assert line.spec.amount == Money(net, currency)
    assert line.taxes.amount == Money(tax_amount, currency)
    assert [row.amount.amount for row in line.taxes.rows] == [Decimal(row) for row in rows]
    assert line.spec.amount + line.taxes.amount == Money(gross, currency)


def test_a_net_price_stays_as_it_is() -> None:
    line = taxed_lines.taxed(spec=_spec("100", inclusive=False), found=Resolved((_rate(1, "0.19"),), Basis.PRICE))
    assert (line.gross, line.spec.amount, line.taxes.amount) == (None, Money("100", "EUR"), Money("19", "EUR"))


def test_three_lines_of_one_price_come_to_three_prices() -> None:
    # 3 × 9.99 = 29.97; 3 × 8.33 = 24.99; the tax of 24.99 × 20 % would be 5.00 and the invoice 29.99.
    found = Resolved((_rate(1, "0.20"),), Basis.SELLER)
    lines = [taxed_lines.taxed(spec=_spec("9.99"), found=found) for _ in range(3)]
    whole = taxed_lines.total(lines=lines, currency="EUR")
    assert (whole.amount.net, whole.amount.tax, whole.amount.gross) == (
        Money("24.99", "EUR"),
        Money("4.98", "EUR"),
        Money("29.97", "EUR"),
    )
    assert [(group.base, group.amount) for group in whole.groups] == [(Money("24.99", "EUR"), Money("4.98", "EUR"))]


def test_a_net_line_beside_a_gross_one() -> None:
    # 100.00 net + 19.00; 119.00 gross.
    found = Resolved((_rate(1, "0.19"),), Basis.SELLER)
    lines = [
        taxed_lines.taxed(spec=_spec(price, inclusive=gross), found=found)
        for price, gross in (("100", False), ("119", True))
    ]
    whole = taxed_lines.total(lines=lines, currency="EUR")
    assert (whole.amount.net.amount, whole.amount.tax.amount) == (Decimal(200), Decimal(38))


@pytest.mark.parametrize(
    ("share", "tax_amount", "total"),
    [
        # Half of the net, half of the price.
        ("50", "9.50", "59.50"),
        # All of it leaves nothing to pay.
        ("100", "0.00", "0.00"),
        # 119 × 99.99 / 100 = 118.9881 → 118.99; less the net 99.99
        ("0.01", "19.00", "118.99"),
    ],
)
def test_a_coupon_takes_off_net_and_its_tax(share: str, tax_amount: str, total: str) -> None:
    rates = (_rate(1, "0.19"),)
    cut = Reduction(amount=Money(share, "EUR"), shares=(Decimal(share),))
    whole = totals.total(lines=[(Money("100", "EUR"), rates)], currency="EUR", coupons=cut, gross=[Money("119", "EUR")])
    assert (whole.amount.tax.amount, whole.amount.gross.amount) == (Decimal(tax_amount), Decimal(total))


_PRICES = st.lists(st.integers(0, 10**7), min_size=1, max_size=6)
_RATES = st.lists(st.sampled_from(["0", "0.05", "0.07", "0.093", "0.19", "0.255", "1"]), max_size=3)


@given(prices=_PRICES, rates=st.lists(_RATES, min_size=6, max_size=6), currency=st.sampled_from(["EUR", "JPY", "BHD"]))
def test_gross_prices_add_up(prices: list[int], rates: list[list[str]], currency: str) -> None:
    gross = [money.from_minor(price, currency) for price in prices]
    lines = [
        taxed_lines.taxed(
            spec=_spec(str(price.amount), currency),
            found=Resolved(tuple(_rate(int(Decimal(rate) * 1000), rate) for rate in sorted(set(own))), Basis.SELLER),
        )
        for price, own in zip(gross, rates, strict=False)
    ]
    whole = taxed_lines.total(lines=lines, currency=currency)
    nothing = money.zero(currency)
    assert whole.amount.gross == sum(gross, nothing)
    assert sum((group.amount for group in whole.groups), nothing) == whole.amount.tax
    for line, price in zip(lines, gross, strict=True):
        assert line.spec.amount + line.taxes.amount == price
        assert sum((row.amount for row in line.taxes.rows), nothing) == line.taxes.amount


@given(
    prices=st.lists(st.integers(1, 10**6), min_size=1, max_size=4),
    percent=st.integers(0, 100),
    rate=st.sampled_from(["0.07", "0.19", "0.255"]),
)
def test_coupons_on_gross_prices_never_leave_less_than_nothing(prices: list[int], percent: int, rate: str) -> None:
    rates = (_rate(1, rate),)
    gross = [money.from_minor(price, "EUR") for price in prices]
    nets = [money.rounded(Money(tax.net_of(gross=one.amount, taxes=rates), "EUR")) for one in gross]
    shares = tuple(money.round_half_up(net.amount * percent / 100, 7) for net in nets)
    cut = Reduction(amount=Money(money.quantize(sum(shares, Decimal(0)), currency="EUR"), "EUR"), shares=shares)
    whole = totals.total(lines=[(net, rates) for net in nets], currency="EUR", coupons=cut, gross=gross)
    plain = totals.total(lines=[(net, rates) for net in nets], currency="EUR", gross=gross)
    assert plain.amount.gross == sum(gross, money.zero("EUR"))
    assert whole.amount.gross <= plain.amount.gross
    assert whole.amount.gross.amount >= 0
    # Of each price its own rest is paid, to the cent.
    lefts = [
        tax.gross_left(gross=price, net=net, left=net - Money(share, "EUR"))
        for price, net, share in zip(gross, nets, shares, strict=True)
    ]
    assert whole.amount.gross == sum(lefts, money.zero("EUR"))
    if percent == 100:
        assert whole.amount.gross.amount == 0
