"""From counted usage to what a charge model prices. Owns what a model reads beside the units: the value of each event
where their order or size matters, and the amounts that events carried.

Rating and computing a trace again both come through here, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from billing.domain.held_trace import Timed
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import percentage, values
from catalog.domain.pricing.models import Properties
from catalog.domain.pricing.percentage import Percentage

NOT_TIMED = Timed()
_COUNTED = (Aggregation.COUNT, Aggregation.UNIQUE_COUNT)


def usage(
    *,
    terms: Properties,
    aggregation: Aggregation,
    units: Decimal,
    events_count: int,
    found: Sequence[Decimal] = (),
    given_amount: Decimal = values.ZERO,
    timed: Timed = NOT_TIMED,
) -> values.Usage:
    """Return the usage that a model prices. `found` are the values of events in their order, as far as they are known,
    `timed` is what days change.

    Where a metric counts, each event or unique value is worth one unit and is one transaction.
    """
    transactions = int(units) if aggregation is Aggregation.UNIQUE_COUNT else events_count
    return values.Usage(
        units=units,
        events_count=transactions,
        full_units=timed.full_units,
        movements=timed.movements,
        values=kept(terms=terms, aggregation=aggregation, transactions=transactions, found=found),
        given_amount=given_amount,
    )


def kept(
    *, terms: Properties, aggregation: Aggregation, transactions: int, found: Sequence[Decimal]
) -> tuple[Decimal, ...]:
    """Return the values of events that the price depends on, in their order."""
    if not isinstance(terms, Percentage) or not terms.needs_values:
        return ()
    if aggregation in _COUNTED:
        found = (values.ONE,) * transactions
    return percentage.needed(properties=terms, found=found)


def reads_values(*, terms: Properties, aggregation: Aggregation) -> bool:
    """Say whether the value of each event has to be read: it matters, and it is not one."""
    return isinstance(terms, Percentage) and terms.needs_values and aggregation not in _COUNTED
