"""What is invoiced by hand in the sample's running month, and what of its invoices is put right: credits that are
bought, a one-off invoice, one that is voided and made anew, one of which a part is disputed.

Each is done once, through the API: a customer who has one already keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from config.demo import price_list, workspaces
from config.demo.api import Api
from config.demo.buyers import Buyer

ONE_OFF_RANK, BUYS_RANK, VOIDED_RANK, DISPUTED_RANK = 6, 11, 13, 16

_CREDITS = {"code": "prepaid", "name": "Prepaid credits", "currency": "GBP", "rate_amount": "1"}


def make(api: Api, people: Sequence[Buyer], *, month: date) -> None:
    """Do all that was not done yet; ``month`` is the running one. Raises Refused."""
    _set_up(api, people[ONE_OFF_RANK])
    _buy(api, people[BUYS_RANK])
    _make_anew(api, people[VOIDED_RANK], month)
    _dispute(api, people[DISPUTED_RANK], month)


def _set_up(api: Api, buyer: Buyer) -> None:
    """Invoice a day of setting up."""
    if next(api.rows("invoices", external_customer_id=buyer.external_id, invoice_type="one_off"), None) is None:
        fees = [
            {
                "add_on_code": workspaces.SUPPORT["code"],
                "invoice_display_name": "Setting up the gateway, on site",
                "description": "With an engineer, half a day.",
                "units": "4",
            },
            {"add_on_code": price_list.DEDICATED_IP["code"], "units": "2", "unit_amount_cents": 2_500},
        ]
        body = {"external_customer_id": buyer.external_id, "currency": "EUR", "fees": fees}
        api.send("invoices", {"invoice": body}, idempotency_key=f"sample-set-up-{buyer.external_id}")


def _buy(api: Api, buyer: Buyer) -> None:
    """Buy credits, get some on top, and pay for them."""
    if next(api.rows("wallets", external_customer_id=buyer.external_id), None) is not None:
        return
    body = _CREDITS | {"external_customer_id": buyer.external_id, "paid_credits": "200", "granted_credits": "20"}
    api.send("wallets", {"wallet": body})
    for row in api.rows("invoices", external_customer_id=buyer.external_id, invoice_type="credit"):
        payment = {"invoice_id": row["lago_id"], "amount_cents": row["total_due_amount_cents"], "reference": "Card"}
        api.send("payments", {"payment": payment}, idempotency_key=f"sample-credits-{row['lago_id']}")


def _make_anew(api: Api, buyer: Buyer, month: date) -> None:
    """Void the month's invoice and issue it anew with another name of its largest line."""
    invoice = _invoice(api, buyer, month)
    if invoice is None or _was_done(api, buyer, status="voided"):
        return
    path = f"invoices/{invoice['lago_id']}"
    api.send(f"{path}/void", {"reason": "The order names the project differently."})
    fee = _largest(invoice)
    edit = {"lago_fee_id": fee["lago_id"], "invoice_display_name": f"{fee['item']['name']}, project Seabird"}
    api.send(f"{path}/regenerate", {"fees": [edit]})


def _dispute(api: Api, buyer: Buyer, month: date) -> None:
    """Dispute the largest line of the month's invoice."""
    invoice = _invoice(api, buyer, month)
    if invoice is None:
        return
    path = f"invoices/{invoice['lago_id']}/disputes"
    if next(api.rows(path), None) is None:
        body = {"lago_fee_id": _largest(invoice)["lago_id"], "reason": "The customer counted fewer requests."}
        api.send(path, {"dispute": body})


def _invoice(api: Api, buyer: Buyer, month: date) -> dict[str, Any] | None:
    """Return the invoice that was issued to a customer in the running month with its fees, unless it was paid."""
    rows = api.rows("invoices", external_customer_id=buyer.external_id, status="finalized", invoice_type="subscription")
    found = [row for row in rows if row["issuing_date"] >= month.isoformat() and not row["total_paid_amount_cents"]]
    return dict(api.find("invoices", found[-1]["lago_id"])["invoice"]) if found else None


def _largest(invoice: dict[str, Any]) -> dict[str, Any]:
    return dict(max(invoice["fees"], key=lambda fee: fee["amount_cents"]))


def _was_done(api: Api, buyer: Buyer, *, status: str) -> bool:
    return next(api.rows("invoices", external_customer_id=buyer.external_id, status=status), None) is not None
