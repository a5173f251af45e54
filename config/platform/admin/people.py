"""People and roles in the admin, with the theme's forms. Groups are the roles; the platform makes the usual ones.

Whoever is given a role may sign in here: a role without the right to come in would be a puzzle. Passwords are never
shown, not even as digests. Owns no right; those are the platform's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.platform.admin import acting, cells, theme
from config.platform.admin.audited import AuditedAdmin, Change
from config.platform.admin.cells import Tone
from config.platform.models import SecurityLog
from config.platform.services import audit, roles, security_logs

_PAST = {"create": "created", "update": "updated", "delete": "deleted"}

SIGN_IN = "May sign in to this back office"
SIGN_IN_HELP = "Switched on by itself when a role is given. Without it the person's roles wait."

admin.site.unregister(User)
admin.site.unregister(Group)


class WatchedAdmin(AuditedAdmin):
    """Of what says who may do what: the security log has its changes too."""

    kind = SecurityLog.Kind.USER

    def note(self, request: HttpRequest, obj: Any, verb: str, change: Change) -> None:
        """Write what was done to both logs."""
        super().note(request, obj, verb, change)
        resources = {"name": str(obj), "old": audit.plain(change.old), "new": audit.plain(change.new)}
        security_logs.record(
            kind=self.kind, event=_PAST[verb], actor=acting.actor(request), at=timezone.now(), resources=resources
        )


@admin.register(User)
class PersonAdmin(UserAdmin, WatchedAdmin):
    """People who sign in."""

    form = theme.UserChangeForm
    add_form = theme.UserCreationForm
    add_form_template = None  # one page takes everything: there is no second step to announce
    change_password_form = theme.AdminPasswordChangeForm
    rows_name = "people"
    list_display = ("person", "email", "roles", "state", "seen")
    list_filter = (("groups", theme.RelatedDropdownFilter), ("is_active", theme.BooleanRadioFilter))
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = "Name or e-mail"
    ordering = ("username",)
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Roles", {"fields": ("groups",)}),
    )
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Roles", {"fields": ("groups", "is_staff", "is_active", "is_superuser")}),
        ("Single rights", {"fields": ("user_permissions",), "classes": ("collapse",)}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ("user_permissions",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """People with their groups."""
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """The form's parts; whoever may only look gets no password field, which would show the stored digest."""
        found = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return found
        return [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name != "password")})
            for title, options in found
        ]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Roles are few: all of them are seen at once."""
        if db_field.name == "groups":
            kwargs["widget"] = theme.CheckboxesWidget()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The fields in the words of this place."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "is_staff":
            field.label, field.help_text = SIGN_IN, SIGN_IN_HELP
        if field is not None and db_field.name == "groups":
            field.label, field.help_text = "Roles", _explained(roles.ROLES)
        return field

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Save; a role that is given now opens the door too, unless the door itself was just closed by hand."""
        is_given = "groups" in form.changed_data and form.cleaned_data.get("groups")
        if is_given and "is_staff" not in form.changed_data:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new person."""
        return super().add_view(request, form_url, {"title": "New person", **(extra_context or {})})

    @theme.display(description="Person", ordering="username")
    def person(self, user: User) -> str:
        """User name and full name."""
        return cells.stack(user.username, user.get_full_name())

    @theme.display(description="Roles")
    def roles(self, user: User) -> str:
        """The groups; a superuser may everything."""
        names = [group.name for group in user.groups.all()]
        return ", ".join(["Superuser", *names] if user.is_superuser else names) or cells.EMPTY

    @theme.display(description="State", ordering="is_active")
    def state(self, user: User) -> str:
        """Whether the person can sign in here."""
        if user.is_active and user.is_staff:
            return cells.badge("can sign in", Tone.GOOD)
        return cells.badge("no access" if user.is_active else "inactive", Tone.NEUTRAL)

    @theme.display(description="Last sign-in", ordering="last_login")
    def seen(self, user: User) -> str:
        """When the person last signed in."""
        return cells.instant(user.last_login)


@admin.register(Group)
class RoleAdmin(GroupAdmin, WatchedAdmin):
    """Groups of rights."""

    kind = SecurityLog.Kind.ROLE
    rows_name = "roles"
    list_display = ("role", "people")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Groups with their people."""
        return super().get_queryset(request).prefetch_related("user_set")

    def get_fieldsets(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """The form, headed by what the role is for."""
        about = roles.about(obj.name) if obj is not None else ""
        return [(None, {"fields": ("name", "permissions"), "description": about})]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new role."""
        return super().add_view(request, form_url, {"title": "New role", **(extra_context or {})})

    @theme.display(description="Role", ordering="name")
    def role(self, group: Group) -> str:
        """Its name and what it was made for."""
        return cells.stack(group.name, roles.about(group.name))

    @theme.display(description="People")
    def people(self, group: Group) -> str:
        """Who is in it."""
        return ", ".join(user.username for user in group.user_set.all()) or cells.EMPTY


def _explained(known: Iterable[roles.Role]) -> SafeString:
    lines = format_html_join("", "<li><b>{}</b>: {}</li>", ((role.name, role.about) for role in known))
    return format_html('<ul class="q-roles">{}</ul>', lines)
