"""Models of other packages that are edited by Django's own forms: people, groups, the schedule.

They have no services of ours, so their changes are noted in the audit trail here, in the transaction of the change, and
Django's own log of the admin is not kept beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.platform.admin import acting, history, paginators, theme
from config.platform.services import audit

HIDDEN = "password"
"""Of a field with this in its name only the fact of a change is noted."""


@dataclass(frozen=True)
class Change:
    """The values that a form changed: what they were, and what they are."""

    old: Mapping[str, Any] = field(default_factory=dict)
    new: Mapping[str, Any] = field(default_factory=dict)


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

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: Any = None) -> Change:
        """What the form changed, for the audit trail; Django hands it to the two functions below."""
        return _changed(form, is_new=bool(add))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Note that it was made, and how."""
        self.note(request, obj, "create", message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Note the values before and after; of passwords only that they were changed."""
        self.note(request, obj, "update", message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Note that they were deleted."""
        for obj in queryset:
            self.note(request, obj, "delete", Change())

    def note(self, request: HttpRequest, obj: Any, verb: str, change: Change) -> None:
        """Write what was done to the audit trail."""
        audit.record(
            actor=acting.actor(request), at=timezone.now(), verb=verb, instance=obj, old=change.old, new=change.new
        )

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


def _changed(form: Any, *, is_new: bool) -> Change:
    """Read the changed fields of a form. Of lists of rows only what was added and taken away is told."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name in form.changed_data:
        if HIDDEN in name:
            new[HIDDEN] = "set" if is_new else "changed"
            continue
        before, after = form.initial.get(name), form.cleaned_data.get(name)
        if isinstance(form.fields.get(name), forms.ModelMultipleChoiceField):
            kept, wanted = _names(before or ()), _names(after or ())
            if added := [one for one in wanted if one not in kept]:
                new[f"{name}_added"] = added
            if removed := [one for one in kept if one not in wanted]:
                old[f"{name}_removed"] = removed
            continue
        if not is_new:
            old[name] = _value(form.fields.get(name), before)
        new[name] = _value(form.fields.get(name), after)
    return Change(old, new)


def _names(rows: Iterable[Any]) -> list[str]:
    return [str(row) for row in rows]


def _value(form_field: Any, value: Any) -> Any:
    """A plain value; a row that was chosen by its key is named."""
    if isinstance(form_field, forms.ModelChoiceField) and value is not None and not isinstance(value, models.Model):
        value = form_field.queryset.filter(pk=value).first()
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)
