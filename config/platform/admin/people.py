"""People and groups in the admin, with the theme's forms. Groups are the roles; the platform makes the usual ones."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from config.platform.admin import cells, theme
from config.platform.admin.audited import AuditedAdmin
from config.platform.admin.cells import Tone

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class PersonAdmin(UserAdmin, AuditedAdmin):
    """People who sign in."""

    form = theme.UserChangeForm
    add_form = theme.UserCreationForm
    change_password_form = theme.AdminPasswordChangeForm
    list_display = ("person", "email", "roles", "state", "seen")
    list_filter = (("groups", theme.RelatedDropdownFilter), ("is_active", theme.BooleanRadioFilter))
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)

    def get_queryset(self, request: HttpRequest):
        """People with their groups."""
        return super().get_queryset(request).prefetch_related("groups")

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
class RoleAdmin(GroupAdmin, AuditedAdmin):
    """Groups of rights."""

    list_display = ("name", "people")
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest):
        """Groups with their people."""
        return super().get_queryset(request).prefetch_related("user_set")

    @theme.display(description="People")
    def people(self, group: Group) -> str:
        """Who is in it."""
        return ", ".join(user.username for user in group.user_set.all()) or cells.EMPTY
