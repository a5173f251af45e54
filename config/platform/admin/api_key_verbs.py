"""What can be done with API keys: make one, change its rights, rotate it, revoke it. Secrets are shown once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, rights_fields, theme
from config.platform.admin.api_key_blocks import facts
from config.platform.admin.blocks import Block, Fact, Facts, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from config.platform.models import ApiKey
from config.platform.services import api_keys

_LIMIT_HELP = "How many requests a minute are let through. Empty: any number."
OVERLAPS = (
    ("0", "Stop at once: it has leaked"),
    ("1", "1 hour"),
    ("24", "24 hours"),
    ("168", "7 days"),
    ("720", "30 days"),
)


class KeyForm(VerbForm, rights_fields.RightsForm):
    """A name by which people know the key, how long it lives, what it may do and how often."""

    sections = (
        ("", ("name", "last_day", "rate_limit")),
        ("What it may do", rights_fields.SHOWN),
    )

    name = forms.CharField(max_length=255, help_text="Who or what will use it, for example “Production backend”.")
    last_day = forms.DateField(
        label="Last day",
        required=False,
        help_text="The key is refused after this day (UTC). Empty: it does not expire.",
    )
    rate_limit = forms.IntegerField(
        label="Requests a minute", required=False, min_value=1, max_value=api_keys.HIGHEST_LIMIT, help_text=_LIMIT_HELP
    )

    def clean_last_day(self) -> Any:
        """A key that expires must live for a while first."""
        day = self.cleaned_data["last_day"]
        if day is not None and day < timezone.localdate(timezone=UTC):
            raise forms.ValidationError("This day is over.")
        return day

    def clean(self) -> dict[str, Any]:
        """Read the rights."""
        cleaned: dict[str, Any] = super().clean() or {}
        rights_fields.check(self, cleaned)
        return cleaned


class ChangeForm(VerbForm, rights_fields.RightsForm):
    """What a key may do from now on, and how often."""

    sections = (("", ("rate_limit",)), ("What it may do", rights_fields.SHOWN))

    rate_limit = forms.IntegerField(
        label="Requests a minute", required=False, min_value=1, max_value=api_keys.HIGHEST_LIMIT, help_text=_LIMIT_HELP
    )

    def clean(self) -> dict[str, Any]:
        """Read the rights."""
        cleaned: dict[str, Any] = super().clean() or {}
        rights_fields.check(self, cleaned)
        return cleaned


class RotateForm(ReasonForm):
    """How long the secret that is replaced is still taken, and why."""

    sections = (("", ("overlap", "reason")),)

    overlap = forms.ChoiceField(
        label="The key of now is taken for", choices=OVERLAPS, initial="24", help_text="Change it everywhere by then."
    )


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
        made = api_keys.create(
            name=values["name"],
            actor=actor,
            at=at,
            expires_at=None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=1),
            rights=values["rights"],
            rate_limit=values["rate_limit"],
        )
        return Outcome("The key was made.", blocks=_secret(made))


class ChangeRights(ObjectVerb):
    """Give a key other rights or another limit."""

    name = "rights"
    label = "Change rights"
    icon = "tune"
    permission = "platform.change_apikey"
    explanation = "From the next request on. A request that a right is missing for is answered with 403."
    confirm = "Change the rights"
    form_class = ChangeForm

    def check(self, *, instance: ApiKey, at: datetime) -> None:
        """A revoked key is past."""
        _demand_usable(instance)

    def initial(self, *, instance: ApiKey, at: datetime) -> Mapping[str, Any]:
        """What the key may do now."""
        return {"rate_limit": instance.rate_limit, **rights_fields.initial(instance.rights)}

    def perform(self, *, instance: ApiKey, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change them."""
        api_keys.change(
            api_key_id=instance.pk, rights=values["rights"], rate_limit=values["rate_limit"], actor=actor, at=at
        )
        return Outcome(f"The rights of {instance} were changed.")


class RotateKey(ObjectVerb):
    """Give a key a new secret; the one of now is taken for a while."""

    name = "rotate"
    label = "Rotate"
    icon = "autorenew"
    permission = "platform.change_apikey"
    explanation = (
        "The key gets a new secret, shown once on the next page. Name, rights and limit stay. The secret of now is "
        "taken for the time chosen; one that was replaced before is refused at once."
    )
    confirm = "Rotate the key"
    form_class = RotateForm

    def check(self, *, instance: ApiKey, at: datetime) -> None:
        """A revoked key is past."""
        _demand_usable(instance)

    def preview(self, *, instance: ApiKey, at: datetime) -> Sequence[Block]:
        """The key, and who used it last."""
        return (facts(instance, at=at),)

    def perform(self, *, instance: ApiKey, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Rotate it and show the new secret."""
        overlap = timedelta(hours=int(values["overlap"]))
        made = api_keys.rotate(api_key_id=instance.pk, actor=actor, at=at, overlap=overlap, reason=values["reason"])
        return Outcome("The key was rotated.", blocks=_secret(made))


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
        _demand_usable(instance)

    def preview(self, *, instance: ApiKey, at: datetime) -> Sequence[Block]:
        """The key, and when it was last used."""
        return (facts(instance, at=at),)

    def perform(self, *, instance: ApiKey, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Revoke it."""
        api_keys.revoke(api_key_id=instance.pk, actor=actor, at=at, reason=values["reason"])
        return Outcome(f"{instance} was revoked.")


def _demand_usable(key: ApiKey) -> None:
    if key.revoked_at is not None:
        raise errors.NotAllowed("already_revoked", "The key was revoked already.")


def _secret(made: api_keys.MadeKey) -> tuple[Block, ...]:
    return (
        Note("Copy the key now. It cannot be shown again.", Tone.WARN),
        Facts(
            str(made.key),
            (
                Fact("Key", cells.code(made.secret)),
                Fact("Header", cells.code(f"Authorization: Bearer {made.secret}")),
            ),
        ),
    )
