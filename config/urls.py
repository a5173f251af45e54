"""All addresses of the installation: the admin, the API and the probes."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from config import api_description, faults, health
from config.platform.admin import refusals
from config.search import views

handler403 = refusals.forbidden
handler404 = refusals.missing
handler500 = faults.answer

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("favicon.ico", RedirectView.as_view(url=static("admin_theme/mark.svg"), permanent=True), name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/v1/", include("config.api")),
    path("api/schema/", api_description.description, name="schema"),
    path("api/docs/", api_description.Page.as_view(), name="docs"),
    path("portal/<str:token>/", include("billing.portal.urls")),
    path("portal/<str:token>/", include("invoicing.portal.urls")),
    path("portal/<str:token>/", include("customers.portal.urls")),  # the last one: it answers whatever is left
    path("admin/search/", admin.site.admin_view(views.search)),  # in the place of the theme's own
    path("admin/overview/", include("config.dashboard.urls")),
    path("admin/reports/", include("billing.admin.reports")),
    path("quote/<str:token>/", include("billing.portal.quote_urls")),
    path("admin/", admin.site.urls),
]
