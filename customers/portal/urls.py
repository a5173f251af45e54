"""Addresses of this app's pages, below ``/portal/<token>/``. The last one answers all that no page has."""

from django.urls import path

from customers.portal import base, details

urlpatterns = [
    path("details", details.Details.as_view(), name="portal-details"),
    path("theme.css", base.Theme.as_view(), name="portal-theme"),
    path("<path:rest>", base.Elsewhere.as_view(), name="portal-elsewhere"),
]
