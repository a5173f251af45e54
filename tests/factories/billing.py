"""Makers of subscriptions and usage, through the services, and readers of what was billed. Deterministic and plain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from billing.models import Subscription
from billing.services import subscriptions
from billing.services.subscriptions import NewSubscription
from catalog.models import PlanVersion
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import usage
from tests.factories.platform import ACTOR


def instant(text: str) -> datetime:
    """Read an instant in UTC: "2026-05-01" or "2026-05-01T10:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_subscription(
    customer: Customer, version: PlanVersion, external_id: str = "sub", *, at: datetime, **values: Any
) -> Subscription:
    """Make a subscription that starts ``at`` unless told otherwise."""
    new = NewSubscription(
        external_customer_id=customer.external_id, plan_code=version.plan.code, external_id=external_id, **values
    )
    return subscriptions.create(new=new, actor=ACTOR, at=at)


def send(external_id: str, code: str, *moments: str, **properties: Any) -> None:
    """Store an event at each of the moments, all with the same properties."""
    usage.store(
        *(
            usage.make_event(moment, external_subscription_id=external_id, code=code, properties=properties)
            for moment in moments
        )
    )


def billed(customer: Customer) -> list[tuple[str, str, str]]:
    """Return the invoices of a customer in the order of their making: billing day, status and net amount."""
    rows = Invoice.objects.filter(customer=customer).order_by("pk")
    return [
        (
            row.billed_periods.order_by("pk").values_list("billing_date", flat=True)[0].isoformat(),
            row.status,
            f"{row.fees_amount.amount.normalize():f}",
        )
        for row in rows
    ]
