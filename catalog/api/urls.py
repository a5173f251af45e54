"""Routes of this app's part of the API, below ``/api/v1/``. Codes may hold any character, so longer routes go first."""

from django.urls import path

from catalog.api import charges, expressions, metrics, plans

urlpatterns = [
    path("billable_metrics", metrics.Metrics.as_view()),
    path("billable_metrics/evaluate_expression", expressions.EvaluateExpression.as_view()),
    path("billable_metrics/<path:code>", metrics.Metric.as_view()),
    path("plans", plans.Plans.as_view()),
    path("plans/<path:code>/charges/<path:charge_code>", charges.Charge.as_view()),
    path("plans/<path:code>/charges", charges.Charges.as_view()),
    path("plans/<path:code>", plans.Plan.as_view()),
]
