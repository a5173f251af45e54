"""Tables of the catalogue."""

from catalog.models.add_ons import AddOn
from catalog.models.charges import Charge, ChargeFilter
from catalog.models.commitments import MinimumCommitment
from catalog.models.coupons import Coupon
from catalog.models.features import Feature, PlanEntitlement, PlanPrivilege, Privilege
from catalog.models.fixed_charges import FixedCharge
from catalog.models.metrics import BillableMetric, MetricFilter
from catalog.models.plans import Plan, PlanVersion
from catalog.models.pricing_units import PricingUnit
from catalog.models.taxes import Tax
from catalog.models.usage_thresholds import UsageThreshold
from catalog.models.vat_rates import VatRate

__all__ = [
    "AddOn",
    "BillableMetric",
    "Charge",
    "ChargeFilter",
    "Coupon",
    "Feature",
    "FixedCharge",
    "MetricFilter",
    "MinimumCommitment",
    "Plan",
    "PlanEntitlement",
    "PlanPrivilege",
    "PlanVersion",
    "PricingUnit",
    "Privilege",
    "Tax",
    "UsageThreshold",
    "VatRate",
]
