"""API keys in the admin: the list and the page of a key. What can be done with keys is `api_key_verbs`'."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from config.platform.admin import api_key_blocks, cells, filters, history, pages, rights_fields, theme
from config.platform.admin.api_key_verbs import ChangeRights, MakeKey, RevokeKey, RotateKey
from config.platform.admin.blocks import Page, Tab
from config.platform.models import ApiKey


class KeyState(filters.ChoiceFilter):
    """In use, or revoked."""

    title = "state"
    parameter_name = "state"
    options = (
        ("usable", "In use", lambda rows: rows.filter(revoked_at__isnull=True)),
        ("revoked", "Revoked", lambda rows: rows.filter(revoked_at__isnull=False)),
    )


@pages.register(ApiKey)
class ApiKeyAdmin(pages.PageAdmin):
    """API keys."""

    list_display = ("name", "shown_key", "state", "may", "limit", "expires", "used")
    list_filter = (KeyState,)
    search_fields = ("name",)
    ordering = ("name", "id")
    list_verbs = (MakeKey(),)
    verbs = (ChangeRights(), RotateKey(), RevokeKey())
    empty_text = "An API client signs in with a key. Make one to send usage."

    @theme.display(description="Key")
    def shown_key(self, key: ApiKey) -> str:
        """The last characters, by which a key is recognised."""
        return cells.code(f"…{key.hint}")

    @theme.display(description="State")
    def state(self, key: ApiKey) -> str:
        """Whether it is taken."""
        return api_key_blocks.state(key, at=timezone.now())

    @theme.display(description="May")
    def may(self, key: ApiKey) -> str:
        """What it may do, in a few words."""
        return rights_fields.text(key.rights)

    @theme.display(description="A minute", ordering="rate_limit")
    def limit(self, key: ApiKey) -> str:
        """How many requests a minute it may send."""
        return cells.number(key.rate_limit)

    @theme.display(description="Expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        """When it expires by itself."""
        return cells.instant(key.expires_at)

    @theme.display(description="Last used", ordering="last_used_at")
    def used(self, key: ApiKey) -> str:
        """When it was last used, to the minute."""
        return cells.instant(key.last_used_at)

    def page(self, request: HttpRequest, instance: ApiKey) -> Page:
        """The key, what it may do, from where it was used, and its history."""
        shown = (
            api_key_blocks.facts(instance, at=timezone.now()),
            api_key_blocks.addresses(instance),
            history.recent(instance, self.url("history", instance.pk)),
        )
        return Page(tabs=(Tab("Key", shown), Tab("Rights", (rights_fields.table(instance.rights),))))
