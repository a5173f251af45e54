"""Which billing entity bills a subscription: its own, or its customer's. Owns naming another one, and when that may be.

What it bills from then on is of that seller: number, taxes, terms and accounts. Its days stay the customer's, so that
all that a customer has is counted in one time zone. What was made before stays with the seller that made it.
"""

from __future__ import annotations

from billing.models import Subscription
from billing.queries import contracts, progressive_invoices
from billing.services import plan_changes
from config.kernel import errors
from customers.queries import billing_entities

_FIELD = "billing_entity_code"


def chosen(*, code: str | None) -> int | None:
    """Return the key of a billing entity by its code; none, for the customer's own, without one. Raises NotFound."""
    return billing_entities.by_code(code=code).pk if code else None


def demand_changeable(subscription: Subscription) -> None:
    """Demand that another seller may bill what comes, for one that its customer's lock is held for.

    Raises NotAllowed where a contract sells it, and Invalid (`modification_not_allowed`) while usage of a period that
    is not billed in whole was billed progressively: the old seller's invoice is taken off the one of the period.
    """
    plan_changes.demand_no_contract(subscription)
    until = contracts.charges_billed_until(subscription)
    for invoice in progressive_invoices.of_subscriptions(subscription_ids=[subscription.pk]).get(subscription.pk, ()):
        if invoice.left.amount > 0 and (until is None or invoice.period.end > until):
            raise errors.Invalid(
                "modification_not_allowed",
                "Usage of a period that is still to be billed was billed progressively by its billing entity.",
                {_FIELD: ["modification_not_allowed"]},
            )


def demand_same(existing: Subscription, *, code: str) -> None:
    """Demand of who asks for a subscription again that it names its seller, or none: a repeat moves nothing.

    Raises Invalid (`billing_entity_code`), NotFound.
    """
    if code and chosen(code=code) != existing.seller_id:
        raise errors.Invalid(
            "validation_errors",
            "The subscription has another billing entity. Change it by an update.",
            {_FIELD: ["modification_not_allowed"]},
        )
