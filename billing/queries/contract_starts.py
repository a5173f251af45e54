"""When the service of a subscription begins: by its own start, or with the product of a contract that it serves, whose
periods may count from an earlier day. Never writes.
"""

from __future__ import annotations

from datetime import datetime

from billing.domain import contract_terms
from billing.models import Subscription
from config.kernel import dates


def service_starts_at(subscription: Subscription) -> datetime:
    """Return the instant at which the service of a subscription was agreed to begin, of one that waits for it too."""
    item = subscription.contract_item
    if item is None:
        return subscription.subscription_at
    zone = dates.zone(subscription.customer.applicable_timezone)
    return max(subscription.subscription_at, contract_terms.starts_at(item.starts_on, zone))
