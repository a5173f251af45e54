"""What the sample's people decide in the running month: units, plans, fees that are paid, a credit. Through the API.

Each decision is made once: what is there already, or was changed meanwhile by staff, stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from config.demo import loading, price_list, usage, workspaces
from config.demo.api import Api
from config.demo.buyers import Buyer

_CREDITED_RANK = 7
_CREDITED_SHARE = 4
"""A quarter of the fee is given back."""


def make(api: Api, people: Sequence[Buyer], *, month: date) -> None:
    """Make all decisions that were not made yet, about subscriptions that run. Raises Refused."""
    active = frozenset(row["external_id"] for row in api.rows("subscriptions"))
    _units(api, people, active)
    _plans(api, people, active)
    _seats_paid(api, people)
    _goodwill(api, people[_CREDITED_RANK], month)


def _units(api: Api, people: Sequence[Buyer], active: Collection[str]) -> None:
    """Agree on other numbers: more addresses now and fewer from the next month on, and an hour more at once."""
    first, second = (usage.subscription_id(people[rank].external_id) for rank in (0, 1))
    hours = workspaces.subscription_id(people[0].external_id)
    agree = (
        (first, price_list.DEDICATED_IP["code"], "6", True),
        (second, price_list.DEDICATED_IP["code"], "3", False),
        (hours, workspaces.SUPPORT["code"], "3", True),
    )
    for subscription, code, units, immediately in agree:
        if subscription not in active:
            continue
        path = f"subscriptions/{subscription}/fixed_charges"
        plan = api.find("subscriptions", subscription)["subscription"]["plan"]
        planned = {row["units"] for row in plan["fixed_charges"] if row["code"] == code}
        if planned and api.find(path, code)["fixed_charge"]["units"] in planned:
            change = {"units": units, "apply_units_immediately": immediately}
            api.change(f"{path}/{code}", {"fixed_charge": change})


def _plans(api: Api, people: Sequence[Buyer], active: Collection[str]) -> None:
    """Move workspaces to their other plan: dearer ones begin now, cheaper ones with the next month."""
    for holder in workspaces.HOLDERS:
        buyer = people[holder.rank]
        external_id = workspaces.subscription_id(buyer.external_id)
        if not holder.moves_to or external_id not in active:
            continue
        target = workspaces.plan_code(holder.moves_to, buyer.seller.currency)
        known = api.rows("subscriptions", external_id=external_id, **{"status[]": loading.ANY_STATUS})
        if target not in {row["plan_code"] for row in known}:
            body = {"external_customer_id": buyer.external_id, "external_id": external_id, "plan_code": target}
            api.send("subscriptions", {"subscription": {**body, "name": workspaces.NAME}})


def _seats_paid(api: Api, people: Sequence[Buyer]) -> None:
    """Tell that the seats of who pays them one by one were paid."""
    for holder in workspaces.HOLDERS:
        if holder.pays_seats:
            external_id = workspaces.subscription_id(people[holder.rank].external_id)
            wanted = {"external_subscription_id": external_id, "billable_metric_code": workspaces.SEATS}
            for fee in list(api.rows("fees", payment_status="pending", **wanted)):
                if fee["lago_invoice_id"] is None and fee["amount_cents"]:
                    api.change(f"fees/{fee['lago_id']}", {"fee": {"payment_status": "succeeded"}})


def _goodwill(api: Api, buyer: Buyer, month: date) -> None:
    """Give a quarter of the last month's fee back, as credit for later invoices, to a customer without credit notes."""
    if next(api.rows("credit_notes", external_customer_id=buyer.external_id), None) is not None:
        return
    invoices = api.rows("invoices", external_customer_id=buyer.external_id, status="finalized")
    wanted = next((row for row in invoices if row["issuing_date"] >= month.isoformat()), None)
    if wanted is None:
        return
    invoice: dict[str, Any] = api.find("invoices", wanted["lago_id"])["invoice"]
    fee = max(invoice["fees"], key=lambda row: row["amount_cents"])
    items = [{"fee_id": fee["lago_id"], "amount_cents": fee["amount_cents"] // _CREDITED_SHARE}]
    note = {"invoice_id": invoice["lago_id"], "items": items}
    worth = api.send("credit_notes/estimate", {"credit_note": note})["estimated_credit_note"]
    reason = {"reason": "product_unsatisfactory", "description": "The gateway answered slowly for two days."}
    amount = {"credit_amount_cents": worth["max_creditable_amount_cents"]}
    api.send("credit_notes", {"credit_note": note | reason | amount})
