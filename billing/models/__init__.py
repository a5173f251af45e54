"""Tables of subscriptions, usage and billing."""

from billing.models.advance import AdvanceEvent, AdvanceLevel, AdvanceValue
from billing.models.corrections import EventCorrection
from billing.models.events import EventKey, UsageEvent
from billing.models.fixed_units import FixedChargeUnits
from billing.models.late_usage import LateUsage, LateUsageCheck, LateUsageCursor
from billing.models.lifetime_usage import LifetimeUsage
from billing.models.rated import BilledPeriod, RatedCharge
from billing.models.runs import BillingRun, BillingRunItem
from billing.models.subscriptions import Subscription

__all__ = [
    "AdvanceEvent",
    "AdvanceLevel",
    "AdvanceValue",
    "BilledPeriod",
    "BillingRun",
    "BillingRunItem",
    "EventCorrection",
    "EventKey",
    "FixedChargeUnits",
    "LateUsage",
    "LateUsageCheck",
    "LateUsageCursor",
    "LifetimeUsage",
    "RatedCharge",
    "Subscription",
    "UsageEvent",
]
