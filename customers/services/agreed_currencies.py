"""The currency of a customer that has none yet: the first thing sold in one decides it. Owns setting and noting it."""

from __future__ import annotations

from datetime import datetime

from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import Customer


def agree(*, customer: Customer, currency: str, actor: Actor, at: datetime) -> None:
    """Give a locked customer its currency. Does nothing where it has one: comparing them is the caller's."""
    if customer.currency:
        return
    customer.currency, customer.updated_at = currency, at
    customer.save(update_fields=["currency", "updated_at"])
    audit.record(actor=actor, at=at, verb="update", instance=customer, old={"currency": ""}, new={"currency": currency})
