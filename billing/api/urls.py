"""Routes of this app's part of the API, below ``/api/v1/``."""

from django.urls import path

from billing.api import (
    current_usage,
    estimates,
    event_corrections,
    event_streams,
    events,
    fee_traces,
    fixed_charges,
    late_usage,
    lifetime_usage,
    past_usage,
    projected_usage,
    reconciliation,
    simulations,
    subscriptions,
)

urlpatterns = [
    path("customers/<path:external_id>/current_usage", current_usage.CurrentUsage.as_view()),
    path("customers/<path:external_id>/past_usage", past_usage.PastUsage.as_view()),
    path("customers/<path:external_id>/projected_usage", projected_usage.ProjectedUsage.as_view()),
    path("customers/<path:external_id>/subscriptions", subscriptions.CustomerSubscriptions.as_view()),
    path("events", events.Events.as_view()),
    path("events/batch", events.EventBatch.as_view()),
    path("events/batch_estimate_instant_fees", estimates.BatchEstimateInstantFees.as_view()),
    path("events/estimate_fees", estimates.EstimateFees.as_view()),
    path("events/estimate_instant_fees", estimates.EstimateInstantFees.as_view()),
    path("events/corrections", event_corrections.EventCorrections.as_view()),
    path("events/reconcile", reconciliation.Reconciliation.as_view()),
    path("events/stream", event_streams.EventStream.as_view()),
    path("events/<path:transaction_id>", events.Event.as_view()),
    path("late_usage", late_usage.LateUsageEntries.as_view()),
    path("late_usage/<str:lago_id>/decide", late_usage.LateUsageDecision.as_view()),
    path("subscriptions/<path:external_id>/late_usage_policy", late_usage.LateUsagePolicy.as_view()),
    path("fees/<str:lago_id>/trace", fee_traces.FeeTrace.as_view()),
    path("simulations", simulations.Simulations.as_view()),
    path("subscriptions", subscriptions.Subscriptions.as_view()),
    path("subscriptions/<path:external_id>/lifetime_usage", lifetime_usage.LifetimeUsage.as_view()),
    path("subscriptions/<path:external_id>/fixed_charges", fixed_charges.FixedCharges.as_view()),
    path("subscriptions/<path:external_id>/fixed_charges/<path:code>", fixed_charges.OneFixedCharge.as_view()),
    path("subscriptions/<path:external_id>", subscriptions.OneSubscription.as_view()),
]
