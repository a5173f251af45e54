"""Tables of the catalogue."""

from catalog.models.charges import Charge, ChargeFilter
from catalog.models.metrics import BillableMetric, MetricFilter
from catalog.models.plans import Plan, PlanVersion
from catalog.models.taxes import Tax

__all__ = ["BillableMetric", "Charge", "ChargeFilter", "MetricFilter", "Plan", "PlanVersion", "Tax"]
