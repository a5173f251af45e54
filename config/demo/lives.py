"""What lies ahead of the sample's subscriptions: a pause, a change of plan on a day, and two that are paid first.

Each is agreed once, through the API: what is there already, or was changed meanwhile by staff, stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from config.demo import builds, loading, workspaces
from config.demo.api import Api
from config.demo.builds import Holder
from config.demo.buyers import Buyer
from config.kernel import dates

WAITS_RANK, PAID_RANK = 33, 36
_RULE = {"type": "payment", "timeout_hours": 30 * 24}


def make(api: Api, people: Sequence[Buyer], *, month: date) -> None:
    """Agree on everything that was not agreed yet; ``month`` is the running one. Raises Refused."""
    _pause(api, people, resume_on=dates.add_months(month, 2))
    _change(api, people, day=dates.add_months(month, 1).replace(day=16))
    for rank in (WAITS_RANK, PAID_RANK):
        _begin_unpaid(api, people[rank])
    _pay(api, people[PAID_RANK])


def _pause(api: Api, people: Sequence[Buyer], *, resume_on: date) -> None:
    """Pause runners until a day: two months without builds."""
    external_id = builds.IS_PAUSED.external_id(people)
    if _is_untouched(api, external_id):
        body = {"fee": "prorated", "resume_on": resume_on.isoformat(), "reason": "No releases until then."}
        api.send(f"subscriptions/{external_id}/pause", body)


def _change(api: Api, people: Sequence[Buyer], *, day: date) -> None:
    """Let the dearer plan begin on a day within a period."""
    holder: Holder = builds.CHANGES
    external_id = holder.external_id(people)
    if _is_untouched(api, external_id):
        body = {
            "external_customer_id": people[holder.rank].external_id,
            "external_id": external_id,
            "plan_code": builds.COMMITTED,
            "name": builds.NAME,
            "change_at": day.isoformat(),
        }
        api.send("subscriptions", {"subscription": body})


def _begin_unpaid(api: Api, buyer: Buyer) -> None:
    """Begin a workspace, from now on, that runs once its first invoice is paid."""
    external_id = workspaces.subscription_id(buyer.external_id)
    if not _rows(api, external_id):
        body = {
            "external_customer_id": buyer.external_id,
            "external_id": external_id,
            "plan_code": workspaces.plan_code(workspaces.BASIC, buyer.seller.currency),
            "name": workspaces.NAME,
            "activation_rules": [_RULE],
        }
        api.send("subscriptions", {"subscription": body})


def _pay(api: Api, buyer: Buyer) -> None:
    """Pay the first invoice of a workspace, if it waits for that."""
    for row in api.rows("invoices", external_customer_id=buyer.external_id, **{"status[]": ["open"]}):
        body = {"invoice_id": row["lago_id"], "amount_cents": row["total_due_amount_cents"], "reference": "Card"}
        api.send("payments", {"payment": body}, idempotency_key=f"sample-first-payment-{row['lago_id']}")


def _is_untouched(api: Api, external_id: str) -> bool:
    """Say whether nothing has happened to an active subscription: no pause, no change, no end."""
    rows = _rows(api, external_id)
    return [row["status"] for row in rows] == ["active"]


def _rows(api: Api, external_id: str) -> list[dict[str, Any]]:
    return list(api.rows("subscriptions", external_id=external_id, **{"status[]": loading.ANY_STATUS}))
