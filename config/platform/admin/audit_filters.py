"""The filters of the audit trail: what was done, to which kind of object and which one, by whom, and from where."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from config.platform.admin import theme
from config.platform.models import AuditEntry

_PEOPLE = 200


class ObjectTypeFilter(theme.DropdownFilter):
    """Entries on one kind of object. The index by object serves it."""

    title = "kind of object"
    parameter_name = "object_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The kinds that the admin knows."""
        kinds = {model._meta.label_lower: str(model._meta.verbose_name) for model in model_admin.admin_site._registry}
        return sorted(kinds.items(), key=lambda pair: pair[1].lower())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Narrow to the kind."""
        return queryset.filter(object_type=self.value()) if self.value() else queryset


class PersonFilter(theme.DropdownFilter):
    """Entries of one person who works here. The index by person serves it."""

    title = "person"
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The people, those that cannot sign in any more too."""
        rows = User.objects.order_by("username").values_list("pk", "username", "first_name", "last_name")[:_PEOPLE]
        return [(str(pk), f"{first} {last}".strip() or name) for pk, name, first, last in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Narrow to the person; what is no person narrows nothing."""
        value = str(self.value() or "")
        return queryset.filter(user_id=int(value)) if value.isdecimal() and len(value) < 10 else queryset


class VerbFilter(theme.TextFilter):
    """Entries of one verb, such as "void". The index by verb serves it."""

    title = "verb"
    parameter_name = "verb"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Narrow to the verb, written either way."""
        value = str(self.value() or "").strip().lower()
        if not value:
            return queryset
        return queryset.filter(verb__in={value, value.replace(" ", "_"), value.replace("_", " ")})


class AddressFilter(theme.TextFilter):
    """Entries from one network address. The index by address serves it."""

    title = "from address"
    parameter_name = "address"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Narrow to the address."""
        value = str(self.value() or "").strip()
        return queryset.filter(address=value) if value else queryset
