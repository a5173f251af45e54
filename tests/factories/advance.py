"""Makers of what is paid in advance, and readers of the fees. Deterministic and plain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.models import Subscription
from billing.services import advance_events
from catalog.models import BillableMetric, Charge, PlanVersion
from invoicing.models import InvoiceLine, LedgerPosting
from tests.factories import billing, catalog, customers


def make_plan(metric: BillableMetric, price: str = "3", *, cents: int = 0, **values: Any) -> PlanVersion:
    """Make a plan with one charge in advance, as a fee that stands alone unless told otherwise."""
    terms = {"pay_in_advance": True, "invoiceable": False, **values}
    flags = {name: terms.pop(name) for name in ("pay_in_advance", "invoiceable", "regroup_paid_fees") if name in terms}
    version = catalog.make_plan(
        terms.pop("code", "starter"), cents=cents, charges=[catalog.standard(metric, price, **terms)]
    )
    Charge.objects.filter(plan_version=version).update(**flags)
    return version


def make_subscription(version: PlanVersion, *, at: str = "2026-05-01", **values: Any) -> Subscription:
    """Begin the subscription "sub" of the customer "acme"."""
    return billing.make_subscription(customers.make_customer(), version, at=billing.instant(at), **values)


def bill(at: str | datetime) -> int:
    """Bill the queue at a moment; nothing may fail."""
    moment = billing.instant(at) if isinstance(at, str) else at
    outcome = advance_events.bill_waiting(as_of=moment)
    assert not outcome.failed
    return outcome.fees


def fees() -> list[tuple[str, str, bool]]:
    """Return units, net amount and whether it stands alone of each fee of usage, in the order of their making."""
    rows = InvoiceLine.objects.filter(kind="charge").order_by("pk")
    return [
        (f"{row.units.normalize():f}", f"{row.amount.amount.normalize():f}", row.invoice_id is None) for row in rows
    ]


def balances() -> dict[str, str]:
    """Return the balances of the books by role, those of nothing left out."""
    found: dict[str, Any] = {}
    for posting in LedgerPosting.objects.select_related("account"):
        found[posting.account.role] = found.get(posting.account.role, 0) + posting.amount.amount
    return {role: f"{amount.normalize():f}" for role, amount in sorted(found.items()) if amount}
