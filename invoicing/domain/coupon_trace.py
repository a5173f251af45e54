"""How a coupon was taken off an invoice, as it is stored: the coupon's terms of that moment and the share of each line.

Owns the form of the trace, reading it back, and computing it again. The arithmetic is next door in `coupons`.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from config.kernel import money
from invoicing.domain import coupons
from invoicing.domain.coupons import Billed, Coupon, Use


def written(*, coupon: Coupon, code: str, name: str, use: Use, positions: Sequence[int]) -> dict[str, Any]:
    """Return the trace of a use as plain JSON: figures are decimals in text, in major units.

    ``positions`` are those of the lines, in the order of the shares; lines without a share are left out.
    """
    return {
        "code": code,
        "name": name,
        "applied_at": coupon.applied_at.isoformat(),
        "amount": None if coupon.amount is None else str(coupon.amount.amount),
        "currency": "" if coupon.amount is None else coupon.amount.currency.code,
        "rate": None if coupon.rate is None else str(coupon.rate),
        "plans": sorted(coupon.plans),
        "metrics": sorted(coupon.metrics),
        "base": str(use.base),
        "shares": {str(place): str(share) for place, share in zip(positions, use.shares, strict=True) if share},
    }


def coupon(*, number: int, trace: Mapping[str, Any]) -> Coupon:
    """Return the coupon as it was used."""
    return Coupon(
        id=number,
        applied_at=datetime.fromisoformat(trace["applied_at"]),
        amount=None if trace["amount"] is None else Money(trace["amount"], trace["currency"]),
        rate=None if trace["rate"] is None else Decimal(trace["rate"]),
        plans=frozenset(trace["plans"]),
        metrics=frozenset(trace["metrics"]),
    )


def shares(traces: Sequence[Mapping[str, Any]]) -> dict[int, Decimal]:
    """Return the shares of lines in all coupons of an invoice, by the positions of the lines."""
    found: dict[int, Decimal] = {}
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for trace in traces:
            for place, share in trace["shares"].items():
                found[int(place)] = found.get(int(place), Decimal(0)) + Decimal(share)
    return found


def agrees(
    *, stored: Sequence[tuple[int, Money, Mapping[str, Any]]], lines: Mapping[int, Billed], currency: str
) -> bool:
    """Compute again what coupons took off an invoice, and say whether it is what is stored.

    ``stored`` are the positions of the uses with amounts and traces, ``lines`` the lines by their positions. Coupons
    that took nothing are not stored, and change nothing.
    """
    again = coupons.take(
        lines=list(lines.values()),
        coupons=[coupon(number=number, trace=trace) for number, _, trace in stored],
        currency=currency,
    )
    if len(again) != len(stored):
        return False
    found = {use.coupon_id: use for use in again}
    return all(number in found and _same(found[number], amount, trace, list(lines)) for number, amount, trace in stored)


def _same(use: Use, amount: Money, trace: Mapping[str, Any], positions: Sequence[int]) -> bool:
    computed = {place: share for place, share in zip(positions, use.shares, strict=True) if share}
    return use.amount == amount and use.base == Decimal(trace["base"]) and computed == shares([trace])
