"""Tables of subscriptions, usage and billing."""

from billing.models.activation import ActivationRule
from billing.models.adjusted import AdjustedLine
from billing.models.advance import AdvanceEvent, AdvanceLevel, AdvanceValue
from billing.models.alerts import (
    AlertCheck,
    AlertCursor,
    AlertThreshold,
    SpendCap,
    SubscriptionNotice,
    TriggeredAlert,
    UsageAlert,
)
from billing.models.contracts import (
    Contract,
    ContractAmendment,
    ContractCommitment,
    ContractItem,
    ContractNotice,
    ContractPhase,
    ContractTerm,
)
from billing.models.corrections import EventCorrection
from billing.models.entitlements import SubscriptionEntitlement, SubscriptionPrivilege
from billing.models.event_errors import EventErrorCursor
from billing.models.events import EventKey, UsageEvent
from billing.models.fixed_units import FixedChargeUnits
from billing.models.late_usage import LateUsage, LateUsageCheck, LateUsageCursor
from billing.models.lifetime_usage import LifetimeUsage
from billing.models.order_forms import Order, OrderForm
from billing.models.owed_lines import OwedLine
from billing.models.plan_migrations import PlanMigration, PlanMigrationItem
from billing.models.prepaid import PrepaidInstalment
from billing.models.quote_deliveries import QuoteDelivery
from billing.models.quotes import Quote, QuoteApproval, QuoteApprovalRule, QuoteVersion
from billing.models.rated import BilledPeriod, RatedCharge
from billing.models.rehearsals import OutlierRule, ParkedAccount, Rehearsal, RehearsedInvoice
from billing.models.runs import BillingRun, BillingRunItem
from billing.models.subscriptions import Subscription
from billing.models.usage_counts import UsageCount, UsageCountCursor
from billing.models.usage_thresholds import (
    AppliedUsageThreshold,
    SubscriptionThreshold,
    ThresholdCheck,
    ThresholdCursor,
)
from billing.models.wallets import (
    TopUpFiring,
    TriggeredWalletAlert,
    WalletAlert,
    WalletAlertThreshold,
    WalletCheck,
    WalletCursor,
    WalletDepletion,
)

__all__ = [
    "ActivationRule",
    "AdjustedLine",
    "AdvanceEvent",
    "AdvanceLevel",
    "AdvanceValue",
    "AlertCheck",
    "AlertCursor",
    "AlertThreshold",
    "AppliedUsageThreshold",
    "BilledPeriod",
    "BillingRun",
    "BillingRunItem",
    "Contract",
    "ContractAmendment",
    "ContractCommitment",
    "ContractItem",
    "ContractNotice",
    "ContractPhase",
    "ContractTerm",
    "EventCorrection",
    "EventErrorCursor",
    "EventKey",
    "FixedChargeUnits",
    "LateUsage",
    "LateUsageCheck",
    "LateUsageCursor",
    "LifetimeUsage",
    "Order",
    "OrderForm",
    "OutlierRule",
    "OwedLine",
    "ParkedAccount",
    "PlanMigration",
    "PlanMigrationItem",
    "PrepaidInstalment",
    "Quote",
    "QuoteApproval",
    "QuoteApprovalRule",
    "QuoteDelivery",
    "QuoteVersion",
    "RatedCharge",
    "Rehearsal",
    "RehearsedInvoice",
    "SpendCap",
    "Subscription",
    "SubscriptionEntitlement",
    "SubscriptionNotice",
    "SubscriptionPrivilege",
    "SubscriptionThreshold",
    "ThresholdCheck",
    "ThresholdCursor",
    "TopUpFiring",
    "TriggeredAlert",
    "TriggeredWalletAlert",
    "UsageAlert",
    "UsageCount",
    "UsageCountCursor",
    "UsageEvent",
    "WalletAlert",
    "WalletAlertThreshold",
    "WalletCheck",
    "WalletCursor",
    "WalletDepletion",
]
