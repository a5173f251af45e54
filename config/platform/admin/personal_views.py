"""Who looked at personal data, in the admin: the log and its switch. Noting the looks is the middleware's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.audit_filters import AddressFilter, ObjectTypeFilter
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Tab
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm
from config.platform.admin.verbs import ListVerb, Outcome
from config.platform.models import PersonalDataView
from config.platform.services import personal_views

_TONES = {
    PersonalDataView.Page.OBJECT: Tone.NEUTRAL,
    PersonalDataView.Page.LIST: Tone.NEUTRAL,
    PersonalDataView.Page.SEARCH: Tone.INFO,
    PersonalDataView.Page.FILE: Tone.WARN,
}


class Switch(ListVerb):
    """Switch the log on or off."""

    permission = "platform.change_installation"
    form_class = ReasonForm
    is_on = True

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """Whether it is kept now."""
        words = "Looks at personal data are noted now." if personal_views.is_on() else "Looks are not noted now."
        return (Note(words, Tone.INFO),)

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Switch it."""
        if personal_views.is_on() == self.is_on:
            raise errors.NotAllowed("already_set", "It is so already.")
        personal_views.switch(is_on=self.is_on, reason=values["reason"], actor=actor, at=at)
        return Outcome("Looks are noted from now on." if self.is_on else "Looks are not noted any more.")


class SwitchOn(Switch):
    """Begin."""

    name = "switch_on"
    label = "Note looks"
    icon = "visibility"
    explanation = (
        "From now on it is noted who opens pages, lists, searches and files of customers and their documents here, "
        "when, and from which address. Tell the people who work here before you switch it on."
    )
    confirm = "Note looks from now on"


class SwitchOff(Switch):
    """End."""

    name = "switch_off"
    label = "Stop noting"
    icon = "visibility_off"
    explanation = "What was noted stays. Nothing is noted from now on."
    confirm = "Stop noting looks"
    is_on = False


class PersonFilter(theme.TextFilter):
    """Looks of one person, by the name that was noted."""

    title = "person"
    parameter_name = "person"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow to the person."""
        value = str(self.value() or "").strip()
        return queryset.filter(user_label__iexact=value) if value else queryset


@pages.register(PersonalDataView)
class PersonalDataViewAdmin(pages.PageAdmin):
    """Who looked at what, and when."""

    list_display = ("moment", "who", "kind", "what", "origin")
    list_filter = (
        ("at", filters.DayRangeFilter),
        PersonFilter,
        ("page", theme.ChoicesDropdownFilter),
        ObjectTypeFilter,
        AddressFilter,
    )
    search_fields = ("object_label", "user_label", "term")
    search_help_text = "Object, person or what was searched for; narrow the days first"
    ordering = ("-at", "-id")
    list_verbs = (SwitchOn(), SwitchOff())
    rows_name = "looks"
    empty_title = "No looks are noted"
    empty_text = (
        "Who looked at personal data is noted only while that is switched on. It is off unless you switch it on."
    )

    @theme.display(description="When", ordering="at")
    def moment(self, row: PersonalDataView) -> str:
        """When it was."""
        return cells.instant(row.at)

    @theme.display(description="Who")
    def who(self, row: PersonalDataView) -> str:
        """Who looked."""
        return row.user_label

    @theme.display(description="Page")
    def kind(self, row: PersonalDataView) -> str:
        """Which kind of page."""
        return cells.badge(row.get_page_display(), _TONES[PersonalDataView.Page(row.page)])

    @theme.display(description="What")
    def what(self, row: PersonalDataView) -> str:
        """What was looked at."""
        return _what(row)

    @theme.display(description="From")
    def origin(self, row: PersonalDataView) -> str:
        """From where."""
        return cells.stack(row.address or cells.EMPTY, cells.hinted(row.client[:40], row.client))

    def page(self, request: HttpRequest, instance: PersonalDataView) -> Page:
        """One look in full."""
        facts = Facts(
            "Look",
            (
                Fact("When", cells.instant(instance.at)),
                Fact("Who", instance.user_label),
                Fact("Page", instance.get_page_display()),
                Fact("What", _what(instance)),
                Fact("Address of the page", cells.code(instance.path)),
                Fact("Searched for", instance.term or cells.EMPTY),
                Fact("From address", instance.address or cells.EMPTY),
                Fact("By", instance.client or cells.EMPTY),
            ),
        )
        return Page(tabs=(Tab("Look", (facts,)),))


def _what(row: PersonalDataView) -> str:
    if row.object_id is not None:
        return history.subject(row.object_type, row.object_id, row.object_label or f"no. {row.object_id}")
    words = f"searched for {row.term!r}" if row.term else "the list"
    kinds = {"search": "all of it", "report": "reports"}
    return cells.stack(words, kinds.get(row.object_type) or history.kind_of(row.object_type))
