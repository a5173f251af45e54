"""Tables of the catalogue."""

from catalog.models.add_ons import AddOn
from catalog.models.charges import Charge, ChargeFilter
from catalog.models.fixed_charges import FixedCharge
from catalog.models.metrics import BillableMetric, MetricFilter
from catalog.models.plans import Plan, PlanVersion
from catalog.models.pricing_units import PricingUnit
from catalog.models.taxes import Tax

__all__ = [
    "AddOn",
    "BillableMetric",
    "Charge",
    "ChargeFilter",
    "FixedCharge",
    "MetricFilter",
    "Plan",
    "PlanVersion",
    "PricingUnit",
    "Tax",
]
