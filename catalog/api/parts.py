"""What upper apps may show of the catalogue, by name. A plan is given as the version to be shown."""

from catalog.api.add_on_forms import AddOnAnswer
from catalog.api.charge_forms import ChargeAnswer, FilterAnswer
from catalog.api.fixed_charge_forms import FixedChargeAnswer
from catalog.api.metric_forms import MetricAnswer
from catalog.api.plan_forms import PlanAnswer, PlanSummaryAnswer
from catalog.api.tax_forms import TaxAnswer
from config.platform.api import representations

representations.register("catalog.add_on", AddOnAnswer)
representations.register("catalog.charge", ChargeAnswer)
representations.register("catalog.charge_filter", FilterAnswer)
representations.register("catalog.fixed_charge", FixedChargeAnswer)
representations.register("catalog.tax", TaxAnswer)
representations.register("catalog.billable_metric", MetricAnswer)
representations.register("catalog.plan", PlanAnswer)
representations.register("catalog.plan_summary", PlanSummaryAnswer)
