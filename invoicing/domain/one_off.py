"""Lines of one-off invoices: what is sold by the piece, at which price, for which time. Owns the amount of such a line.

What an add-on is and which taxes it has is read elsewhere; taxes are worked out like those of any other line.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from moneyed import Money

from config.kernel import errors, money
from invoicing.domain.specs import LineSpec

KIND = "one_off"
LINE_KIND = "add_on"
MOST_LINES = 1000
_LAST_SECOND = timedelta(seconds=1)


class InvalidOneOff(errors.Invalid):
    """A line of a one-off invoice cannot be sold like that."""


@dataclass(frozen=True)
class Item:
    """An add-on as the catalogue has it. ``price`` is that of one, in the add-on's currency."""

    uuid: UUID
    code: str
    name: str
    label: str
    description: str
    price: Money
    tax_ids: tuple[int, ...] = ()
    is_tax_inclusive: bool = False


@dataclass(frozen=True)
class Sale:
    """What is sold of an item. What is None is the item's own; ``unit_amount`` is in major units, ``to_at`` the last
    second of the service.
    """

    units: Decimal = Decimal(1)
    unit_amount: Decimal | None = None
    label: str = ""
    description: str | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    tax_ids: tuple[int, ...] = ()


def demand_lines(count: int) -> None:
    """Demand that something is sold, not more than a document can show. Raises NotFound (`fees_not_found`), Invalid."""
    if not count:
        raise errors.NotFound("fees_not_found", "A one-off invoice needs something that is sold.")
    if count > MOST_LINES:
        raise InvalidOneOff("invalid_count", f"At most {MOST_LINES} lines on one invoice.", {"fees": ["invalid_count"]})


def lines(*, sold: Sequence[tuple[Item, Sale]], currency: str, at: datetime) -> tuple[LineSpec, ...]:
    """Return the lines of an invoice in ``currency``, in order.

    An amount is units × unit price, rounded once, half up. Without a time of its own a line is of the instant ``at``.
    The item's own taxes apply where the sale names none. Raises InvalidOneOff with a code for each field of each line.
    """
    details: dict[str, list[str]] = {}
    for number, (item, sale) in enumerate(sold):
        for field, code in _wrong(item, sale, currency):
            details[f"fees.{number}.{field}"] = [code]
    if details:
        raise InvalidOneOff("validation_errors", f"Please check: {', '.join(details)}.", details)
    return tuple(_line(item, sale, currency, at) for item, sale in sold)


def _wrong(item: Item, sale: Sale, currency: str) -> list[tuple[str, str]]:
    found = []
    if sale.units < 0:
        found.append(("units", "value_is_out_of_range"))
    if sale.unit_amount is None and item.price.currency.code != currency:
        # The price of the catalogue means nothing in another currency.
        found.append(("unit_amount_cents", "currencies_does_not_match"))
    if sale.unit_amount is not None and sale.unit_amount < 0:
        found.append(("unit_amount_cents", "value_is_out_of_range"))
    if (sale.from_at is None) != (sale.to_at is None):
        found.append(("to_datetime" if sale.to_at is None else "from_datetime", "value_is_mandatory"))
    elif sale.from_at is not None and sale.to_at is not None and sale.to_at < sale.from_at:
        found.append(("to_datetime", "invalid_date_range"))
    return found


def _line(item: Item, sale: Sale, currency: str, at: datetime) -> LineSpec:
    price = item.price.amount if sale.unit_amount is None else sale.unit_amount
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        precise = sale.units * price
    from_at = at if sale.from_at is None else sale.from_at
    return LineSpec(
        kind=LINE_KIND,
        item_code=item.code,
        item_name=item.name,
        item_uuid=item.uuid,
        label=sale.label or item.label or item.name,
        description=item.description if sale.description is None else sale.description,
        units=sale.units,
        unit_amount=price,
        precise_amount=precise,
        amount=Money(money.quantize(precise, currency=currency), currency),
        from_at=from_at,
        to_at=from_at if sale.to_at is None else sale.to_at + _LAST_SECOND,
        tax_ids=sale.tax_ids or item.tax_ids,
        is_tax_inclusive=item.is_tax_inclusive,
    )
