"""Routes of this app's part of the API, below ``/api/v1/``. The last one answers what no other route knows."""

from django.urls import path, re_path

from config.platform.api import approvals, logs, views, webhook_endpoints, webhook_events

urlpatterns = [
    path("activity_logs", logs.ActivityLogs.as_view()),
    path("activity_logs/<str:activity_id>", logs.ActivityLog.as_view()),
    path("approvals", approvals.Approvals.as_view()),
    path("approvals/<str:lago_id>", approvals.OneApproval.as_view()),
    path("api_logs", logs.ApiLogs.as_view()),
    path("api_logs/<str:request_id>", logs.ApiLog.as_view()),
    path("security_logs", logs.SecurityLogs.as_view()),
    path("security_logs/<str:log_id>", logs.OneSecurityLog.as_view()),
    path("webhook_endpoints", webhook_endpoints.WebhookEndpoints.as_view()),
    path("webhook_endpoints/<str:lago_id>", webhook_endpoints.OneWebhookEndpoint.as_view()),
    path("webhook_endpoints/<str:lago_id>/test", webhook_endpoints.WebhookEndpointTest.as_view()),
    path("webhooks/public_key", webhook_endpoints.PublicKey.as_view()),
    path("webhooks/json_public_key", webhook_endpoints.JsonPublicKey.as_view()),
    path("webhook_events", webhook_events.WebhookEvents.as_view()),
    path("webhook_events/<str:lago_id>", webhook_events.OneWebhookEvent.as_view()),
    path("webhook_events/<str:lago_id>/replay", webhook_events.WebhookEventReplay.as_view()),
    re_path(r"^", views.UnknownRoute.as_view()),  # any text, line breaks too
]
