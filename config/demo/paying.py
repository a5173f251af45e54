"""The payment habits of the sample's customers, and recording them through the API.

Most invoices are paid some days after their issue, a few in part, a few not at all: there is something to chase. What
becomes of an invoice follows from its customer and month alone; a payment is recorded when its day has come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from config.demo.api import Api
from config.kernel import dates

_HABITS = 20
_NEVER = (0, 1)
_HALF = (2, 3)
_SLOW = range(4, 8)
OLD_MONTHS = 2
"""Invoices this many months older than the last one are paid by almost everybody in the end."""


@dataclass(frozen=True)
class Payment:
    """Money for one invoice, in minor units."""

    invoice_id: str
    number: str
    amount_cents: int
    paid_at: datetime


def due(invoice: dict[str, Any], *, payers: Collection[str], last_month: date, at: datetime) -> Payment | None:
    """Return the payment that came in for an invoice until now; nothing for one that is paid, or not yet.

    Only ``payers``, by external id, ever pay: nobody invents money for somebody's own customers.
    """
    if invoice["customer"]["external_id"] not in payers:
        return None
    total = invoice["total_due_amount_cents"]
    if invoice["status"] != "finalized" or not total or invoice["total_paid_amount_cents"]:
        return None
    issued = date.fromisoformat(invoice["issuing_date"])
    habit = _habit(invoice["customer"]["external_id"], issued)
    is_old = issued < dates.add_months(last_month, 1 - OLD_MONTHS)
    if habit in _NEVER and not (is_old and habit):
        return None
    days = 21 + 2 * habit if habit in _SLOW else 2 + habit % 9
    paid_at = datetime.combine(issued + timedelta(days=days), time(9, 30), UTC)
    if paid_at > at:
        return None
    amount = total // 2 if habit in _HALF and not (is_old and habit == _HALF[0]) else total
    return Payment(invoice["lago_id"], invoice["number"], amount, paid_at)


def record(api: Api, payments: Iterable[Payment], *, step: Callable[[], object]) -> int:
    """Record payments and return how many. Each has a key of its own, so none is recorded twice. Raises Refused."""
    recorded = 0
    for payment in payments:
        body = {
            "invoice_id": payment.invoice_id,
            "amount_cents": payment.amount_cents,
            "reference": f"Bank transfer {payment.number}",
            "paid_at": payment.paid_at.isoformat().replace("+00:00", "Z"),
        }
        api.send("payments", {"payment": body}, idempotency_key=f"sample-payment-{payment.invoice_id}")
        recorded += 1
        step()
    return recorded


def _habit(external_id: str, issued: date) -> int:
    digest = hashlib.blake2b(f"{external_id} {issued:%Y-%m}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % _HABITS
