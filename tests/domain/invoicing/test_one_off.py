"""Lines of one-off invoices: units × price, rounded once, and what is refused."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import errors, money
from invoicing.domain import one_off
from invoicing.domain.one_off import Item, Sale

AT = datetime(2026, 5, 1, 0, 10, tzinfo=UTC)


def item(price: str = "25.00", currency: str = "EUR", **values: Any) -> Item:
    return Item(
        **{
            "uuid": uuid.UUID(int=7),
            "code": "setup",
            "name": "Set-up",
            "label": "",
            "description": "Once",
            "price": Money(price, currency),
            "tax_ids": (3,),
            **values,
        }
    )


@pytest.mark.parametrize(
    ("currency", "price", "units", "own", "amount"),
    [
        ("EUR", "25.00", "1", None, "25.00"),
        ("EUR", "25.00", "3", "20.00", "60.00"),
        ("EUR", "25.00", "0.5", "0.01", "0.01"),  # 0.005, half up
        ("EUR", "25.00", "0", None, "0"),
        ("JPY", "100", "1.005", None, "101"),  # 100.5, half up, no decimals
        ("BHD", "1.234", "1.5", None, "1.851"),
        ("EUR", "25.00", "1.333", "0.333", "0.44"),  # 0.443889
    ],
)
def test_an_amount_is_units_by_price_rounded_once(
    currency: str, price: str, units: str, own: str | None, amount: str
) -> None:
    sale = Sale(units=Decimal(units), unit_amount=None if own is None else Decimal(own))

    (line,) = one_off.lines(sold=[(item(price, currency), sale)], currency=currency, at=AT)

    assert line.amount == Money(amount, currency)
    assert line.precise_amount == Decimal(units) * Decimal(own or price)


def test_what_the_sale_does_not_say_is_the_add_ons() -> None:
    plain, named = one_off.lines(
        sold=[
            (item(label="Set-up fee"), Sale()),
            (
                item(),
                Sale(
                    label="Special",
                    description="",
                    tax_ids=(9,),
                    from_at=datetime(2026, 4, 1, tzinfo=UTC),
                    to_at=datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC),
                ),
            ),
        ],
        currency="EUR",
        at=AT,
    )

    assert (plain.label, plain.description, plain.tax_ids) == ("Set-up fee", "Once", (3,))
    assert (plain.from_at, plain.to_at) == (AT, AT)
    assert (named.label, named.description, named.tax_ids) == ("Special", "", (9,))
    assert (named.from_at, named.to_at) == (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
    assert (named.kind, named.item_code, named.item_uuid) == ("add_on", "setup", uuid.UUID(int=7))


@pytest.mark.parametrize(
    ("sale", "field", "code"),
    [
        (Sale(units=Decimal(-1), unit_amount=Decimal(1)), "units", "value_is_out_of_range"),
        (Sale(unit_amount=Decimal("-0.01")), "unit_amount_cents", "value_is_out_of_range"),
        (Sale(), "unit_amount_cents", "currencies_does_not_match"),
        (Sale(unit_amount=Decimal(1), from_at=AT), "to_datetime", "value_is_mandatory"),
        (Sale(unit_amount=Decimal(1), to_at=AT), "from_datetime", "value_is_mandatory"),
        (
            Sale(unit_amount=Decimal(1), from_at=AT, to_at=datetime(2026, 4, 30, tzinfo=UTC)),
            "to_datetime",
            "invalid_date_range",
        ),
    ],
)
def test_a_wrong_sale_is_refused_by_line_and_field(sale: Sale, field: str, code: str) -> None:
    fine = (item(currency="USD"), Sale(unit_amount=Decimal(1)))

    with pytest.raises(one_off.InvalidOneOff) as refusal:
        one_off.lines(sold=[fine, (item(currency="EUR"), sale)], currency="USD", at=AT)

    assert refusal.value.details == {f"fees.1.{field}": [code]}


def test_an_invoice_sells_something_and_not_too_much() -> None:
    one_off.demand_lines(1)
    one_off.demand_lines(one_off.MOST_LINES)
    with pytest.raises(errors.NotFound, match="needs something"):
        one_off.demand_lines(0)
    with pytest.raises(one_off.InvalidOneOff):
        one_off.demand_lines(one_off.MOST_LINES + 1)


@given(
    units=st.decimals(0, 10**6, places=4),
    price=st.decimals(0, 10**6, places=6),
    currency=st.sampled_from(["EUR", "JPY", "BHD"]),
)
def test_rounding_moves_an_amount_by_half_a_minor_unit_at_most(units: Decimal, price: Decimal, currency: str) -> None:
    sale = Sale(units=units, unit_amount=price)

    (line,) = one_off.lines(sold=[(item(currency=currency), sale)], currency=currency, at=AT)

    half = Decimal("0.5").scaleb(-money.exponent(currency))
    assert abs(line.amount.amount - line.precise_amount) <= half
    assert money.to_minor(line.amount) >= 0
