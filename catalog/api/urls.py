"""Routes of this app's part of the API, below ``/api/v1/``. Codes may hold dots and most other characters, no slash."""

from django.urls import path

from catalog.api import charges, metrics, plans

urlpatterns = [
    path("billable_metrics", metrics.Metrics.as_view()),
    path("billable_metrics/<str:code>", metrics.Metric.as_view()),
    path("plans", plans.Plans.as_view()),
    path("plans/<str:code>", plans.Plan.as_view()),
    path("plans/<str:code>/charges", charges.Charges.as_view()),
    path("plans/<str:code>/charges/<str:charge_code>", charges.Charge.as_view()),
]
