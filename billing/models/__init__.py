"""Tables of subscriptions, usage and billing."""

from billing.models.events import EventKey, UsageEvent
from billing.models.fixed_units import FixedChargeUnits
from billing.models.rated import BilledPeriod, RatedCharge
from billing.models.runs import BillingRun, BillingRunItem
from billing.models.subscriptions import Subscription

__all__ = [
    "BilledPeriod",
    "BillingRun",
    "BillingRunItem",
    "EventKey",
    "FixedChargeUnits",
    "RatedCharge",
    "Subscription",
    "UsageEvent",
]
