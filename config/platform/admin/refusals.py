"""Pages for what somebody may not see and for what is not there, in the house style, with a way back.

Programs get an answer of their own. The log tells of both; these pages tell nothing that the person may not know.
"""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse

TEMPLATE = "admin/platform/refusal.html"
API = "/api/"


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return _page(
        request,
        403,
        "Forbidden",
        "You may not do this",
        "Your roles do not have this right. Whoever looks after the people of this installation can give it to you.",
        "lock",
    )


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return _page(
        request,
        404,
        "Not Found",
        "There is nothing here",
        "The address is wrong, or what it led to is gone.",
        "explore_off",
    )


def _page(request: HttpRequest, status: int, error: str, title: str, text: str, icon: str) -> HttpResponse:
    if request.path.startswith(API):
        return JsonResponse({"status": status, "error": error}, status=status)
    is_known = request.user.is_active and request.user.is_staff if hasattr(request, "user") else False
    context = {
        **(admin.site.each_context(request) if is_known else {}),
        "title": title,
        "text": text,
        "icon": icon,
        "status": status,
        "home": reverse("admin:index"),
        "is_known": is_known,
    }
    template = TEMPLATE if is_known else "admin/platform/refusal_bare.html"
    return TemplateResponse(request, template, context, status=status).render()
