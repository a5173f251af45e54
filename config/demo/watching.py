"""What the sample keeps an eye on: alerts on a customer's usage, and spend caps, one of them reached. Through the API.

What is there already stays as it is, also what staff changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config.demo import usage
from config.demo.api import Api, Refused
from config.demo.buyers import Buyer

CAPS = (10_000_000, 100)
"""In minor units: one that is far away, and one that is reached soon."""

ALERTS: tuple[dict[str, Any], ...] = (
    {
        "alert_type": "current_usage_amount",
        "code": "month",
        "name": "Usage of the month",
        "thresholds": [{"code": "first", "value": "1000"}, {"value": "5000", "recurring": True}],
    },
    {
        "alert_type": "lifetime_usage_amount",
        "code": "lifetime",
        "name": "All usage",
        "thresholds": [{"code": "large", "value": "100000"}],
    },
)


def make(api: Api, people: Sequence[Buyer]) -> None:
    """Watch and cap the first of those who run, unless they are watched and capped already. Raises Refused."""
    active = {row["external_id"] for row in api.rows("subscriptions")}
    wanted = [name for buyer in people if (name := usage.subscription_id(buyer.external_id)) in active]
    for watched in wanted[:1]:
        if not any(True for _ in api.rows(f"subscriptions/{watched}/alerts")):
            api.send(f"subscriptions/{watched}/alerts", {"alerts": list(ALERTS)})
    for external_id, cents in zip(wanted, CAPS, strict=False):
        _cap(api, external_id, cents)


def _cap(api: Api, external_id: str, cents: int) -> None:
    try:
        api.find(f"subscriptions/{external_id}", "spend")
    except Refused as refusal:
        if refusal.status != 404:
            raise
        api.change(f"subscriptions/{external_id}/spend", {"spend_cap": {"amount_cents": cents}})
