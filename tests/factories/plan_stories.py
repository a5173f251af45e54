"""Steps of stories about subscriptions that begin, are billed and end, and readers of what came of them."""

from __future__ import annotations

from typing import Any

from billing.models import BillingRun, Subscription
from billing.services import runs, terminations
from catalog.models import PlanVersion
from customers.models import Customer
from invoicing.models import CreditNote, InvoiceLine
from tests.factories import billing as made
from tests.factories.billing import instant
from tests.factories.platform import ACTOR


def begin(customer: Customer, plan: PlanVersion, at: str, **values: Any) -> Subscription:
    """Begin the subscription "sub"."""
    return made.make_subscription(customer, plan, at=instant(at), **values)


def run(at: str) -> BillingRun:
    """Bill what is due."""
    return runs.run(as_of=instant(at), trigger="test", actor=ACTOR)


def end(subscription: Subscription, at: str, **options: Any) -> Subscription:
    """Terminate a subscription."""
    return terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant(at), **options)


def amounts(customer: Customer) -> list[str]:
    """Return the code and the net amount of each line of a customer, in the order of their making."""
    rows = InvoiceLine.objects.filter(customer=customer).order_by("pk")
    return [f"{line.item_code} {line.amount.amount.normalize():f}" for line in rows]


def credited(customer: Customer) -> list[str]:
    """Return the net amount of each credit note of a customer."""
    return [f"{note.sub_total_amount.amount.normalize():f}" for note in CreditNote.objects.filter(customer=customer)]
