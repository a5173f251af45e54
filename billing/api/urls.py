"""Routes of this app's part of the API, below ``/api/v1/``."""

from django.urls import path

from billing.api import current_usage, events, subscriptions

urlpatterns = [
    path("customers/<path:external_id>/current_usage", current_usage.CurrentUsage.as_view()),
    path("customers/<path:external_id>/subscriptions", subscriptions.CustomerSubscriptions.as_view()),
    path("events", events.Events.as_view()),
    path("events/batch", events.EventBatch.as_view()),
    path("events/<path:transaction_id>", events.Event.as_view()),
    path("subscriptions", subscriptions.Subscriptions.as_view()),
    path("subscriptions/<path:external_id>", subscriptions.OneSubscription.as_view()),
]
