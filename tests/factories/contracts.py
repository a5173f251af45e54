"""Makers of contracts, through the services, and readers of what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from billing.models import Contract, Subscription
from billing.services import contract_activation, contract_days, contract_drafts, runs
from billing.services.contract_drafts import NewContract, NewItem, NewPhase
from config.kernel import dates
from customers.models import Customer
from tests.factories.billing import instant
from tests.factories.platform import ACTOR


def phase(plan_code: str, starts_on: str = "", *, units: Mapping[str, Any] | None = None, **overrides: Any) -> NewPhase:
    """Return a phase from a day on; the first one needs none."""
    first = date.fromisoformat(starts_on) if starts_on else None
    return NewPhase(plan_code=plan_code, starts_on=first, overrides=overrides, units=units or {})


def draft(customer: Customer, *phases: NewPhase, at: str = "2026-01-01", **values: Any) -> Contract:
    """Draft a contract of one product, "sub", for twelve months from 1 January 2026 unless told otherwise."""
    items: Sequence[NewItem] = values.pop("items", (NewItem(external_id="sub", phases=phases),))
    content: dict[str, Any] = {"starts_on": "2026-01-01", "term_months": 12, "name": "Platform", **values}
    new = NewContract(
        external_customer_id=customer.external_id,
        items=items,
        **{**content, "starts_on": date.fromisoformat(content["starts_on"])},
    )
    return contract_drafts.create(new=new, actor=ACTOR, at=instant(at))


def activate(contract: Contract, at: str = "2026-01-01") -> Contract:
    """Activate a contract."""
    return contract_activation.activate(contract_id=contract.pk, actor=ACTOR, at=instant(at))


def move(at: str) -> contract_days.Moved:
    """Do what the day brings to contracts."""
    moved = contract_days.run(as_of=instant(at))
    assert not moved.failed, moved.failed
    return moved


def pass_days(*days: str) -> None:
    """Let days come: contracts are moved on and what is due is billed, on each of them."""
    for day in days:
        move(day)
        run = runs.run(as_of=instant(day), trigger="test", actor=ACTOR)
        assert run.failures_count == 0, list(run.items.values_list("error", flat=True))
        move(day)


def months(first: str, count: int) -> list[str]:
    """Return the first days of so many months."""
    day = date.fromisoformat(first)
    return [dates.add_months(day, number).isoformat() for number in range(count)]


def chain(external_id: str = "sub") -> list[tuple[str, str, str]]:
    """Return the subscriptions under an id: status, fee, and the day of the start or of the change that waits."""
    rows = Subscription.objects.filter(external_id=external_id).select_related("plan_version").order_by("pk")
    return [
        (
            row.status,
            f"{row.plan_version.amount.amount.normalize():f}",
            (row.started_at.date() if row.started_at else row.change_date or row.subscription_at.date()).isoformat(),
        )
        for row in rows
    ]
