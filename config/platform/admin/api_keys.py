"""API keys in the admin: the list, a page, making a key (shown once) and revoking it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Tab
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from config.platform.models import ApiKey
from config.platform.services import api_keys


class KeyForm(VerbForm):
    """A name by which people know the key, and how long it lives."""

    name = forms.CharField(max_length=255, help_text="Who or what will use it, for example “Production backend”.")
    last_day = forms.DateField(
        label="Last day",
        required=False,
        help_text="The key is refused after this day (UTC). Empty: it does not expire.",
    )

    def clean_last_day(self) -> Any:
        """A key that expires must live for a while first."""
        day = self.cleaned_data["last_day"]
        if day is not None and day < timezone.localdate():
            raise forms.ValidationError("This day is over.")
        return day


class MakeKey(ListVerb):
    """Make a key and show its secret, once."""

    name = "create"
    label = "New API key"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "platform.add_apikey"
    explanation = "The key is shown once, on the next page. Only a digest of it is stored, so nobody can read it again."
    confirm = "Make the key"
    form_class = KeyForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make the key; it expires when its last day is over."""
        day = values["last_day"]
        expires_at = None if day is None else timezone.make_aware(datetime.combine(day, time.max))
        made = api_keys.create(name=values["name"], actor=actor, at=at, expires_at=expires_at)
        shown: tuple[Block, ...] = (
            Note("Copy the key now. It cannot be shown again.", Tone.WARN),
            Facts(str(made.key), (Fact("Key", cells.code(made.secret)), Fact("Header", _header(made.secret)))),
        )
        return Outcome("The key was made.", blocks=shown)


class RevokeKey(ObjectVerb):
    """Refuse a key from now on."""

    name = "revoke"
    label = "Revoke"
    icon = "key_off"
    variant = theme.ActionVariant.DANGER
    permission = "platform.change_apikey"
    explanation = "Requests with this key are refused at once and for good. Make another key before, if it is in use."
    confirm = "Revoke the key"
    form_class = ReasonForm

    def check(self, *, instance: ApiKey, at: datetime) -> None:
        """A key is revoked once."""
        if instance.revoked_at is not None:
            raise errors.NotAllowed("already_revoked", "The key was revoked already.")

    def preview(self, *, instance: ApiKey, at: datetime) -> Sequence[Block]:
        """The key, and when it was last used."""
        return (facts(instance, at=at),)

    def perform(self, *, instance: ApiKey, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Revoke it."""
        api_keys.revoke(api_key_id=instance.pk, actor=actor, at=at, reason=values["reason"])
        return Outcome(f"{instance} was revoked.")


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

    list_display = ("name", "shown_key", "state", "created", "expires", "used")
    list_filter = (KeyState,)
    search_fields = ("name",)
    ordering = ("name", "id")
    list_verbs = (MakeKey(),)
    verbs = (RevokeKey(),)
    empty_text = "An API client signs in with a key. Make one to send usage."

    @theme.display(description="Key")
    def shown_key(self, key: ApiKey) -> str:
        """The last characters, by which a key is recognised."""
        return cells.code(f"…{key.hint}")

    @theme.display(description="State")
    def state(self, key: ApiKey) -> str:
        """Whether it is taken."""
        return state(key, at=timezone.now())

    @theme.display(description="Made", ordering="created_at")
    def created(self, key: ApiKey) -> str:
        """When it was made."""
        return cells.instant(key.created_at)

    @theme.display(description="Expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        """When it expires by itself."""
        return cells.instant(key.expires_at)

    @theme.display(description="Last used", ordering="last_used_at")
    def used(self, key: ApiKey) -> str:
        """When it was last used, to the minute."""
        return cells.instant(key.last_used_at)

    def page(self, request: HttpRequest, instance: ApiKey) -> Page:
        """The key and its history."""
        shown = (facts(instance, at=timezone.now()), history.recent(instance, self.url("history", instance.pk)))
        return Page(tabs=(Tab("Key", shown),))


def facts(key: ApiKey, *, at: datetime) -> Facts:
    """What is known of a key."""
    return Facts(
        "API key",
        (
            Fact("Name", key.name),
            Fact("Key", cells.code(f"…{key.hint}")),
            Fact("State", state(key, at=at)),
            Fact("Made", cells.instant(key.created_at)),
            Fact("Last used", cells.instant(key.last_used_at)),
            Fact("Expires", cells.instant(key.expires_at)),
        ),
    )


def state(key: ApiKey, *, at: datetime) -> str:
    """Whether requests with the key are taken."""
    if key.revoked_at is not None:
        return cells.badge("revoked", Tone.BAD)
    if key.expires_at is not None and key.expires_at <= at:
        return cells.badge("expired", Tone.WARN)
    return cells.badge("in use", Tone.GOOD)


def _header(secret: str) -> str:
    return cells.code(f"Authorization: Bearer {secret}")
