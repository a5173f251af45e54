"""Routes of this app's part of the API, below ``/api/v1/``. The last one answers what no other route knows."""

from django.urls import re_path

from config.platform.api import views

urlpatterns = [
    re_path(r"^.*$", views.UnknownRoute.as_view()),
]
