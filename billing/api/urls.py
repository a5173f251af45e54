"""Routes of this app's part of the API, below ``/api/v1/``."""

from django.urls import path

from billing.api import current_usage, event_streams, events, fee_traces, reconciliation, subscriptions

urlpatterns = [
    path("customers/<path:external_id>/current_usage", current_usage.CurrentUsage.as_view()),
    path("customers/<path:external_id>/subscriptions", subscriptions.CustomerSubscriptions.as_view()),
    path("events", events.Events.as_view()),
    path("events/batch", events.EventBatch.as_view()),
    path("events/reconcile", reconciliation.Reconciliation.as_view()),
    path("events/stream", event_streams.EventStream.as_view()),
    path("events/<path:transaction_id>", events.Event.as_view()),
    path("fees/<str:lago_id>/trace", fee_traces.FeeTrace.as_view()),
    path("subscriptions", subscriptions.Subscriptions.as_view()),
    path("subscriptions/<path:external_id>", subscriptions.OneSubscription.as_view()),
]
