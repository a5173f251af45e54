"""The addresses of the pieces of the overview."""

from django.contrib import admin
from django.urls import path

from config.dashboard import overview, pieces

app_name = "overview"
urlpatterns = [
    path("money/", admin.site.admin_view(pieces.view(overview.money)), name="money"),
    path("recurring/", admin.site.admin_view(pieces.view(overview.recurring)), name="recurring"),
    path("running/", admin.site.admin_view(pieces.view(overview.running)), name="running"),
]
