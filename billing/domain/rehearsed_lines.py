"""How the lines of a rehearsed invoice are kept: as plain JSON values that any later version can read.

Owns writing and reading them, and pairing what was kept. Decimals are text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from billing.domain import bill_differences
from billing.domain.bill_differences import BilledLine, BilledSums, PairedLine
from catalog.domain import decimals


def written(line: BilledLine, *, is_continuing: bool) -> dict[str, Any]:
    """Return a line as plain values. ``is_continuing`` says that its subscription is there in both periods."""
    return {
        "is_continuing": is_continuing,
        "subscription": line.subscription,
        "key": line.key,
        "kind": line.kind,
        "item_code": line.item_code,
        "label": line.label,
        "units": decimals.text(line.units),
        "unit_amount": decimals.text(line.unit_amount),
        "amount_minor": line.amount_minor,
        "price": line.price,
        "days": line.days,
        "of_days": line.of_days,
        "is_other_currency": line.is_other_currency,
    }


def read(values: Mapping[str, Any]) -> BilledLine:
    """Return a line from its plain values. Raises KeyError for values that are none."""
    return BilledLine(
        subscription=values["subscription"],
        key=values["key"],
        kind=values["kind"],
        item_code=values["item_code"],
        label=values["label"],
        units=Decimal(values["units"]),
        unit_amount=Decimal(values["unit_amount"]),
        amount_minor=values["amount_minor"],
        price=values["price"],
        days=values["days"],
        of_days=values["of_days"],
        is_other_currency=values["is_other_currency"],
    )


def paired(*, now: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> tuple[PairedLine, ...]:
    """Pair what was kept of two periods, with the causes of each line's difference."""
    return bill_differences.compare(
        now=[read(line) for line in now],
        before=[read(line) for line in before],
        sums_now=BilledSums(),
        sums_before=BilledSums(),
        continuing={line["subscription"] for line in [*now, *before] if line["is_continuing"]},
    ).lines
