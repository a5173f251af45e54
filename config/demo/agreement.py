"""The sample's contract: a year with a ramp, a renewal with an uplift, and a commitment over the term. Through the API.

What is there already stays as it is, also what staff changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from config.demo import price_list
from config.demo.api import Api
from config.demo.buyers import Buyer
from config.kernel import dates

_RANK = 3
_TARIFF = "growth"
_MONTHS = 12
_RAMP = ((0, 9_000), (3, 14_000), (6, None))
"""From which month on, and the fee in minor units; none is the plan's."""


def make(api: Api, people: Sequence[Buyer], *, month: date) -> None:
    """Draft and activate the contract, from the running month on, unless there is any contract. Raises Refused."""
    if any(True for _ in api.rows("contracts")):
        return
    body = contract(people[_RANK], month=month)
    number = api.send("contracts", {"contract": body}, idempotency_key=f"contract-{month}")["contract"]["number"]
    api.send(f"contracts/{number}/activate", {})


def contract(buyer: Buyer, *, month: date) -> dict[str, Any]:
    """Return the body of the contract."""
    code = price_list.plan_code(_TARIFF, buyer.seller.currency)
    phases = []
    for after, fee in _RAMP:
        phase: dict[str, Any] = {"plan_code": code, "starts_on": dates.add_months(month, after).isoformat()}
        phases.append(phase if fee is None else {**phase, "plan_overrides": {"amount_cents": fee}})
    return {
        "external_customer_id": buyer.external_id,
        "name": "Dedicated platform",
        "starts_on": month.isoformat(),
        "term_months": _MONTHS,
        "renewal": "automatic",
        "notice_days": 60,
        "uplift_rate": 4,
        "uplift_scope": "all",
        "purchase_order_number": "PO-48213",
        "items": [{"external_id": f"{buyer.external_id}-dedicated", "name": "Dedicated platform", "phases": phases}],
        "commitments": [{"amount_cents": 300_000, "invoice_display_name": "Yearly commitment"}],
    }
