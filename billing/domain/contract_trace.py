"""The trace of what a customer lacks to a commitment over a term: what was committed to, for which days, what was
billed towards it, invoice by invoice, and the difference. Owns its inputs and computing it again from them.
"""

from __future__ import annotations

import decimal
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.domain import term_commitments
from billing.domain.term_commitments import Committed
from catalog.domain import decimals
from config.kernel import money
from config.kernel.dates import Period

KIND = "term_commitment"
COMMITTED = "committed"
COUNTED = "counted"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class CountedInvoice:
    """What one invoice, or fees that stand alone, of one subscription count towards a commitment, unrounded."""

    subscription: str
    invoice: str
    lines: int
    amount: Decimal


def written(
    *,
    subscription_id: str,
    contract_id: str,
    contract_number: str,
    currency: str,
    committed: Committed,
    period: Period,
    timezone: str,
    counted: Sequence[CountedInvoice],
    line_ids: Sequence[str],
) -> dict[str, Any]:
    """Return the trace. Amounts are in major units; ``line_ids`` are those of all lines counted, in any order."""
    inputs: dict[str, Any] = {
        "subscription": subscription_id,
        "contract": {"id": contract_id, "number": contract_number},
        "currency": currency,
        "amount": decimals.text(committed.amount),
        "days": committed.days,
        "of_days": committed.of.days,
        "period": {"from": _instant(period.start), "to": _instant(period.end), "timezone": timezone},
        "counted": [
            {
                "subscription": one.subscription,
                "invoice": one.invoice,
                "lines": one.lines,
                "amount": decimals.text(one.amount),
            }
            for one in counted
        ],
        "lines_digest": hashlib.sha256("\n".join(sorted(line_ids)).encode()).hexdigest(),
    }
    precise = recomputed(inputs)
    return {
        "version": _VERSION,
        "kind": KIND,
        "inputs": inputs,
        "steps": [
            {
                "kind": COMMITTED,
                "amount": inputs["amount"],
                "days": inputs["days"],
                "of_days": inputs["of_days"],
                "total": decimals.text(_due(inputs)),
            },
            {"kind": COUNTED, "total": decimals.text(-_billed(inputs))},
        ],
        "unrounded": decimals.text(precise),
        "rounding": {
            "mode": "half_up",
            "digits": money.exponent(currency),
            "result": decimals.text(money.quantize(precise, currency=currency)),
        },
    }


def recomputed(inputs: Mapping[str, Any]) -> Decimal:
    """Return what is missing, unrounded, from the inputs alone."""
    return term_commitments.missing(due=_due(inputs), billed=_billed(inputs))


def _due(inputs: Mapping[str, Any]) -> Decimal:
    return term_commitments.by_days(amount=Decimal(inputs["amount"]), days=inputs["days"], of_days=inputs["of_days"])


def _billed(inputs: Mapping[str, Any]) -> Decimal:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return sum((Decimal(row["amount"]) for row in inputs["counted"]), Decimal(0))


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
