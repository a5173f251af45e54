"""The sample's engineers: API keys with few rights, servers that are told of what happens, and a payment that is asked
for through the API.

What is there already stays as it is; only the address of the sample's own receiver is new at each start.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from config.demo import mended
from config.demo.api import Api
from config.demo.buyers import Buyer
from config.kernel import actors
from config.platform.models import ApiKey
from config.platform.services import api_keys, rights

TAKES, GONE = "Data warehouse", "Old CRM"
UNREACHABLE = "http://127.0.0.1:9/crm/hooks"
"""Nobody listens on the discard port: its deliveries wait and are tried again."""

_ACTOR = actors.Actor(kind="system", label="sample company")
_TOLD = ["payment.succeeded", "credit_note.created", "invoice.voided", "wallet.created", "wallet_transaction.created"]
_CRM = ["customer.updated", "subscription.terminated", "wallet.created"]
_KEYS: tuple[tuple[str, rights.Rights, int | None], ...] = (
    ("Usage collector", rights.PRESETS[rights.USAGE], None),
    ("Reporting", rights.PRESETS[rights.READING], 600),
)


def listen(api: Api, *, url: str) -> None:
    """Make what is missing of two endpoints: one at ``url`` that takes everything, one that is gone. Raises Refused."""
    known = {row["name"]: row for row in api.rows("webhook_endpoints")}
    for name, address, types in ((TAKES, url, _TOLD), (GONE, UNREACHABLE, _CRM)):
        if name not in known:
            body = {"name": name, "webhook_url": address, "signature_algo": "hmac", "event_types": types}
            api.send("webhook_endpoints", {"webhook_endpoint": body})
        elif known[name]["webhook_url"] != address:
            api.change(f"webhook_endpoints/{known[name]['lago_id']}", {"webhook_endpoint": {"webhook_url": address}})


def keys(*, at: datetime) -> None:
    """Make the keys that are missing; the second one is being rotated: its old secret works for a day on."""
    for name, allowed, limit in _KEYS:
        if ApiKey.objects.filter(name=name).exists():
            continue
        made = api_keys.create(name=name, actor=_ACTOR, at=at, rights=allowed, rate_limit=limit)
        if limit is not None:
            api_keys.rotate(api_key_id=made.key.pk, actor=_ACTOR, at=at, reason="The sample shows a rotation.")


def ask_for_payment(api: Api, people: Sequence[Buyer]) -> None:
    """Ask one customer to pay what is overdue, all of it at once. Raises Refused."""
    if next(api.rows("payment_requests"), None) is not None:
        return
    ours = {buyer.external_id: buyer for buyer in people}
    overdue: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in api.rows("invoices", payment_overdue="true"):
        name = row["customer"]["external_id"]
        if name in ours and row["customer"]["email"] and not row["disputed_amount_cents"]:
            overdue[name].append(row)
    if overdue:
        name, rows = max(overdue.items(), key=lambda item: len(item[1]))
        body = {"external_customer_id": name, "lago_invoice_ids": [row["lago_id"] for row in rows]}
        api.send("payment_requests", {"payment_request": {**body, "email": rows[0]["customer"]["email"]}})


def portal(api: Api, people: Sequence[Buyer]) -> str:
    """Return a link to the own pages of the customer who bought credits. Raises Refused."""
    answer = api.find(f"customers/{people[mended.BUYS_RANK].external_id}", "portal_url")
    return str(answer["customer"]["portal_url"])
