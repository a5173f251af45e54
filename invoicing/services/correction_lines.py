"""Lines that bill what a corrected line should have billed more. Owns what such a line says, and its taxes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from moneyed import Money

from config.kernel import registry
from invoicing.domain.specs import LineSpec
from invoicing.models import InvoiceLine
from invoicing.services import regenerating

_LABEL = 512


def taxes(lines: Sequence[InvoiceLine]) -> dict[int, tuple[int, ...]]:
    """Return by line the taxes of the price that it was billed by; none where those of the customer or seller apply.

    What was sold by itself keeps the taxes that were chosen for it.
    """
    known = registry.parts(regenerating.PRICE, lines)
    return {line.pk: _taxes(line, known[line.pk].get("tax_ids")) for line in lines}


def spec(
    *, line: InvoiceLine, number: str, units: Decimal, unit_amount: Decimal, amount: Money, tax_ids: tuple[int, ...]
) -> LineSpec:
    """Return the line of a difference: that of the corrected line's item and time, named after its invoice.

    Units and unit price come to the amount, which is in the terms of the corrected line's price.
    """
    tail = f" – correction of {number}"
    return LineSpec(
        kind=line.kind,
        item_code=line.item_code,
        item_name=line.item_name,
        item_uuid=line.item_uuid,
        plan_code=line.plan_code,
        label=f"{line.label[: _LABEL - len(tail)]}{tail}",
        units=units,
        unit_amount=unit_amount,
        precise_amount=amount.amount,
        amount=amount,
        from_at=line.from_at,
        to_at=line.to_at,
        group_key=line.group_key,
        group_label=line.group_label,
        tax_ids=tax_ids,
        is_tax_inclusive=line.tax_inclusive_amount is not None,
    )


def _taxes(line: InvoiceLine, of_price: Sequence[int] | None) -> tuple[int, ...]:
    if of_price is not None:
        return tuple(of_price)
    if line.kind == InvoiceLine.Kind.ADD_ON:
        return tuple(row.tax_id for row in line.applied_taxes.all())
    return ()
