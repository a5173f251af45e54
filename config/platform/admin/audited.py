"""Models of other packages that are edited by Django's own forms: people, groups, the schedule.

They have no services of ours, so their changes are noted in the audit trail here, in the transaction of the change, and
Django's own log of the admin is not kept beside it.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.platform.admin import acting, history, paginators, theme
from config.platform.services import audit


class AuditedAdmin(theme.ModelAdmin):
    """Base of admins whose forms are Django's."""

    paginator = paginators.BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True
    show_facets = admin.ShowFacets.NEVER  # they count everything, filter by filter
    list_fullwidth = True
    change_list_template = "admin/platform/list.html"
    compressed_fields = True
    warn_unsaved_form = True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[paginators.QuietChangeList]:
        """A list that does not count everything."""
        return paginators.QuietChangeList

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Note that it was made."""
        _note(request, obj, "create", message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Note which fields were changed; values are left out, because some are secret."""
        _note(request, obj, "update", message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Note that they were deleted."""
        for obj in queryset:
            _note(request, obj, "delete", [])

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Actions change things: only for those who may."""
        return super().get_actions(request) if self.has_change_permission(request) else {}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Everything that the audit trail has on the object."""
        instance = self.get_object(request, object_id)
        if instance is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, instance):
            raise PermissionDenied
        return history.view(self, request, instance)


def _note(request: HttpRequest, obj: Any, verb: str, message: Any) -> None:
    parts = message if isinstance(message, list) else []
    fields = [name for part in parts for name in next(iter(part.values())).get("fields", [])]
    audit.record(
        actor=acting.actor(request),
        at=timezone.now(),
        verb=verb,
        instance=obj,
        new={"fields": ", ".join(map(str, fields))} if fields else None,
    )
