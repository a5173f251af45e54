"""The security log in the admin: keys, rights and sign-ins. Searchable, and only to be read."""

from __future__ import annotations

import json

from django.http import HttpRequest

from config.platform.admin import cells, filters, pages, theme
from config.platform.admin.blocks import Custom, Fact, Facts, Page, Tab
from config.platform.admin.cells import Tone
from config.platform.models import SecurityLog

_ALARMING = frozenset({"sign_in.failed", "api_key.deleted"})


@pages.register(SecurityLog)
class SecurityLogAdmin(pages.PageAdmin):
    """Who was let in, and who may do what since when."""

    list_display = ("moment", "what", "who", "about", "origin")
    list_filter = (("at", filters.DayRangeFilter), ("kind", theme.ChoicesDropdownFilter))
    list_select_related = ("api_key",)
    search_fields = ("actor_label", "user_email", "event", "=address")
    search_help_text = "Person, event or address"
    ordering = ("-at", "-id")
    rows_name = "entries"
    empty_text = "Sign-ins, API keys and changes of rights are listed here."

    @theme.display(description="When", ordering="at")
    def moment(self, entry: SecurityLog) -> str:
        """When it happened."""
        return cells.instant(entry.at)

    @theme.display(description="What")
    def what(self, entry: SecurityLog) -> str:
        """What happened."""
        return what(entry)

    @theme.display(description="Who")
    def who(self, entry: SecurityLog) -> str:
        """Who did it, or tried."""
        return cells.stack(entry.actor_label or "somebody", entry.user_email)

    @theme.display(description="About")
    def about(self, entry: SecurityLog) -> str:
        """What it was about."""
        return about(entry)

    @theme.display(description="From")
    def origin(self, entry: SecurityLog) -> str:
        """Where it came from."""
        return cells.stack(entry.address, entry.client)

    def page(self, request: HttpRequest, instance: SecurityLog) -> Page:
        """One entry in full."""
        facts = Facts(
            "Entry",
            (
                Fact("When", cells.instant(instance.at)),
                Fact("What", what(instance)),
                Fact("Who", cells.stack(instance.actor_label, instance.user_email)),
                Fact("About", about(instance)),
                Fact("Address", instance.address or cells.EMPTY),
                Fact("Client", instance.client or cells.EMPTY),
            ),
        )
        text = json.dumps(instance.resources, indent=2, ensure_ascii=False)
        details = Custom("Details", "admin/platform/code_text.html", {"text": text})
        return Page(tabs=(Tab("Entry", (facts, details)),))


def what(entry: SecurityLog) -> str:
    """What happened, in words and colour."""
    words = entry.event.replace(".", " ").replace("_", " ").replace("api ", "API ")
    return cells.badge(words, Tone.WARN if entry.event in _ALARMING else Tone.NEUTRAL)


def about(entry: SecurityLog) -> str:
    """What it was about."""
    if entry.api_key is not None:
        return str(cells.to(entry.api_key))
    return str(entry.resources.get("name") or cells.EMPTY)
