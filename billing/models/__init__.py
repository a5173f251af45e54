"""Tables of subscriptions, usage and billing."""

from billing.models.events import EventKey, UsageEvent
from billing.models.rated import BilledPeriod, RatedCharge
from billing.models.runs import BillingRun, BillingRunItem
from billing.models.subscriptions import Subscription

__all__ = [
    "BilledPeriod",
    "BillingRun",
    "BillingRunItem",
    "EventKey",
    "RatedCharge",
    "Subscription",
    "UsageEvent",
]
