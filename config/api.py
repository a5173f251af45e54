"""The REST API below ``/api/v1/``: the routes of all apps, and the answer to unknown ones."""

from django.urls import include, path

urlpatterns = [
    path("", include("billing.api.urls")),
    path("", include("invoicing.api.urls")),
    path("", include("customers.api.urls")),
    path("", include("catalog.api.urls")),
    path("", include("config.platform.api.urls")),
]
