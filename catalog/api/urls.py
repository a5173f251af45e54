"""Routes of this app's part of the API, below ``/api/v1/``. Codes may hold any character, so longer routes go first."""

from django.urls import path

from catalog.api import (
    add_ons,
    charge_filters,
    charges,
    expressions,
    features,
    fixed_charges,
    metrics,
    plan_entitlements,
    plan_metadata,
    plan_versions,
    plans,
    pricing_units,
)

urlpatterns = [
    path("add_ons", add_ons.AddOns.as_view()),
    path("add_ons/<path:code>", add_ons.AddOn.as_view()),
    path("billable_metrics", metrics.Metrics.as_view()),
    path("billable_metrics/evaluate_expression", expressions.EvaluateExpression.as_view()),
    path("billable_metrics/<path:code>", metrics.Metric.as_view()),
    path("features", features.Features.as_view()),
    path("features/<path:code>/privileges/<path:privilege_code>", features.FeaturePrivilege.as_view()),
    path("features/<path:code>", features.Feature.as_view()),
    path("plans", plans.Plans.as_view()),
    path(
        "plans/<path:code>/entitlements/<path:feature_code>/privileges/<path:privilege_code>",
        plan_entitlements.PlanEntitlementPrivilege.as_view(),
    ),
    path("plans/<path:code>/entitlements/<path:feature_code>", plan_entitlements.PlanEntitlement.as_view()),
    path("plans/<path:code>/entitlements", plan_entitlements.PlanEntitlements.as_view()),
    path(
        "plans/<path:code>/charges/<path:charge_code>/filters/<str:lago_id>", charge_filters.OneChargeFilter.as_view()
    ),
    path("plans/<path:code>/charges/<path:charge_code>/filters", charge_filters.ChargeFilters.as_view()),
    path("plans/<path:code>/charges/<path:charge_code>", charges.Charge.as_view()),
    path("plans/<path:code>/charges", charges.Charges.as_view()),
    path("plans/<path:code>/fixed_charges/<path:fixed_charge_code>", fixed_charges.FixedCharge.as_view()),
    path("plans/<path:code>/fixed_charges", fixed_charges.FixedCharges.as_view()),
    path("plans/<path:code>/metadata/<path:key>", plan_metadata.PlanNote.as_view()),
    path("plans/<path:code>/metadata", plan_metadata.PlanMetadata.as_view()),
    path("plans/<path:code>/versions/<int:number>", plan_versions.OnePlanVersion.as_view()),
    path("plans/<path:code>/versions", plan_versions.PlanVersions.as_view()),
    path("plans/<path:code>", plans.Plan.as_view()),
    path("pricing_units", pricing_units.PricingUnits.as_view()),
    path("pricing_units/<path:code>", pricing_units.PricingUnit.as_view()),
]
