"""Saved filters in the admin: saving what a list shows, and looking after one's own. The bar above lists is beside it.

Everybody has filters of their own, as everybody has a password of their own; sharing one with a role is a right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from django import forms
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, filter_bar, pages, theme, verbs
from config.platform.admin.blocks import Block, Fact, Facts, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from config.platform.models import SavedFilter
from config.platform.queries import saved_filters as known
from config.platform.services import saved_filters


class SaveForm(VerbForm):
    """The name; the list and its filter come from the address."""

    list_of = forms.CharField(widget=forms.HiddenInput, max_length=64)
    query = forms.CharField(widget=forms.HiddenInput, max_length=4000)
    name = forms.CharField(max_length=64, help_text="A name that is taken by a filter of yours replaces it.")
    is_standard = forms.BooleanField(label="Open the list with it", required=False)


class Save(ListVerb):
    """Keep what a list shows now under a name."""

    name = "save"
    label = "Save this filter"
    icon = "bookmark_add"
    variant = theme.ActionVariant.PRIMARY
    explanation = "Filters, search and order of the list are kept under a name, for you alone until you share it."
    confirm = "Save"
    form_class = SaveForm

    def may(self, request: HttpRequest) -> bool:
        """Everybody has filters of their own."""
        return True

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Save it."""
        address = filter_bar.list_url(values["list_of"])
        if not address:
            raise errors.Invalid("no_list", "Open a list, filter it, and save the filter there.")
        row = saved_filters.save(
            list_of=values["list_of"],
            name=values["name"],
            query=values["query"],
            is_standard=values["is_standard"],
            actor=actor,
            at=at,
        )
        return Outcome(f"Saved as “{row.name}”.", f"{address}?{row.query}")


class OwnVerb(ObjectVerb):
    """What is done with a filter of one's own."""

    def may(self, request: HttpRequest) -> bool:
        """Everybody has filters of their own."""
        return True

    def check(self, *, instance: SavedFilter, at: datetime) -> None:
        """Only one's own."""
        if not instance.is_mine:
            raise errors.NotAllowed("not_yours", f"{instance.person} made this filter, and only they may change it.")


class ShareForm(VerbForm):
    """With whom."""

    role = forms.ModelChoiceField(
        Group.objects.order_by("name"), required=False, empty_label="nobody", help_text="Everybody who has the role."
    )


class Share(OwnVerb):
    """Show it to everybody of a role."""

    name = "share"
    label = "Share"
    icon = "group"
    permission = "platform.share_savedfilter"
    explanation = "Whoever has the role finds it above the list. What they see behind it stays what their role may see."
    confirm = "Save"
    form_class = ShareForm

    def may(self, request: HttpRequest) -> bool:
        """A right of its own."""
        return request.user.has_perm(self.permission)

    def initial(self, *, instance: SavedFilter, at: datetime) -> Mapping[str, Any]:
        """As it is."""
        return {"role": instance.role}

    def perform(self, *, instance: SavedFilter, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Share it."""
        row = saved_filters.share(saved_id=instance.pk, role=values["role"], actor=actor, at=at)
        return Outcome(f"Shared with {row.role}." if row.role else "Only you see it now.")


class OpenWith(ObjectVerb):
    """Open the list with it."""

    name = "open_with"
    label = "Open the list with it"
    icon = "home"
    explanation = "The list opens with this filter from now on, for you alone. “All” above the list shows the rest."
    confirm = "Open the list with it"

    def may(self, request: HttpRequest) -> bool:
        """It is about one's own lists."""
        return True

    def check(self, *, instance: SavedFilter, at: datetime) -> None:
        """Not twice."""
        if instance.is_standard:
            raise errors.NotAllowed("is_standard", "The list opens with it already.")

    def perform(self, *, instance: SavedFilter, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Remember it."""
        saved_filters.open_with(saved_id=instance.pk, actor=actor, at=at)
        return Outcome(f"The list opens with “{instance.name}” from now on.", filter_bar.list_url(instance.list_of))


class OpenPlain(ObjectVerb):
    """Open the list without it again."""

    name = "open_plain"
    label = "Do not open the list with it"
    icon = "home_work"
    explanation = "The list opens with everything again. The filter stays."
    confirm = "Open the list with everything"

    def may(self, request: HttpRequest) -> bool:
        """It is about one's own lists."""
        return True

    def check(self, *, instance: SavedFilter, at: datetime) -> None:
        """Only where it does."""
        if not instance.is_standard:
            raise errors.NotAllowed("is_not_standard", "The list does not open with it.")

    def perform(self, *, instance: SavedFilter, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Forget it."""
        saved_filters.open_plain(list_of=instance.list_of, actor=actor)
        return Outcome("The list opens with everything again.", filter_bar.list_url(instance.list_of))


class Delete(OwnVerb):
    """Delete it."""

    name = "delete"
    label = "Delete"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    explanation = "The filter is gone, for those too whom it was shared with. Nothing that it found changes."
    confirm = "Delete the filter"

    def perform(self, *, instance: SavedFilter, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Delete it."""
        saved_filters.delete(saved_id=instance.pk, actor=actor, at=at)
        return Outcome(f"“{instance.name}” is deleted.", reverse("admin:platform_savedfilter_changelist"))


@pages.register(SavedFilter)
class SavedFilterAdmin(pages.PageAdmin):
    """Filters of one's own, and those shared with one's roles."""

    list_display = ("title", "about", "owner", "shared", "standard")
    ordering = ("list_of", "name", "id")
    list_verbs = (Save(),)
    verbs = (Share(), OpenWith(), OpenPlain(), Delete())
    rows_name = "saved filters"
    empty_title = "No filter is saved"
    empty_text = "Filter, search or sort a list; a button above it saves that under a name."

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Everybody sees their own."""
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedFilter]:
        """Their own, and what is shared with a role of theirs."""
        return known.seen_by(request.user.pk)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Without the button: what is saved is the filter of another list."""
        response = super().changelist_view(request, extra_context)
        if getattr(response, "context_data", None) is not None:
            response.context_data["actions_list"] = []
        return response

    @theme.display(description="Name", ordering="name")
    def title(self, row: SavedFilter) -> str:
        """What it is called."""
        return row.name

    @theme.display(description="List", ordering="list_of")
    def about(self, row: SavedFilter) -> str:
        """The list, narrowed to it."""
        url = filter_bar.list_url(row.list_of)
        return cells.link(filter_bar.list_name(row.list_of), f"{url}?{row.query}") if url else row.list_of

    @theme.display(description="Made by")
    def owner(self, row: SavedFilter) -> str:
        """Whose it is."""
        return "you" if row.is_mine else row.person.get_full_name() or row.person.get_username()

    @theme.display(description="Shown to")
    def shared(self, row: SavedFilter) -> str:
        """Who sees it."""
        return cells.badge(row.role.name, Tone.INFO) if row.role else cells.badge("only you")

    @theme.display(description="List opens with it")
    def standard(self, row: SavedFilter) -> str:
        """Whether their list opens with it."""
        return cells.badge("yes", Tone.ACCENT) if row.is_standard else cells.EMPTY

    def links(self, request: HttpRequest, instance: SavedFilter) -> Sequence[dict[str, Any]]:
        """The list itself."""
        url = filter_bar.list_url(instance.list_of)
        return [verbs.link("Open the list", f"{url}?{instance.query}", "filter_list")] if url else ()

    def page(self, request: HttpRequest, instance: SavedFilter) -> Page:
        """Whose it is, who sees it, and what it narrows to."""
        facts = (
            Fact("List", self.about(instance)),
            Fact("Made by", self.owner(instance)),
            Fact("Shown to", self.shared(instance)),
            Fact("Your list opens with it", "yes" if instance.is_standard else "no"),
        )
        found: tuple[Block, ...] = (Facts("", facts), _narrowing(instance.query))
        return Page(tabs=(Tab("Filter", found),))


def _narrowing(query: str) -> Table:
    rows = tuple(Row((name.replace("__", " ").replace("_", " "), cells.code(text))) for name, text in parse_qsl(query))
    return Table("What it narrows to", columns("Of the address", ""), rows, empty="Nothing.")
