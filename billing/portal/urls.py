"""Addresses of this app's pages, below ``/portal/<token>/``."""

from django.urls import path

from billing.portal import contracts, overview

urlpatterns = [
    path("", overview.Overview.as_view(), name="portal-overview"),
    path("subscriptions", contracts.Subscriptions.as_view(), name="portal-subscriptions"),
]
