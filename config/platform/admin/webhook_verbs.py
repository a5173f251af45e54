"""What can be done with webhook endpoints and deliveries in the admin, each with its own right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone

from config.kernel import dates, errors
from config.kernel.actors import Actor
from config.platform.admin import cells, theme, webhook_cells
from config.platform.admin.blocks import Block, Fact, Facts, Figure, Figures, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from config.platform.models import WebhookDelivery, WebhookEndpoint
from config.platform.queries import webhooks
from config.platform.services import outbox, replays, signing, webhook_endpoints


class EndpointForm(VerbForm):
    """An address, how requests to it are signed, and what it is told of."""

    webhook_url = forms.CharField(
        label="Address", max_length=2048, help_text="Where requests are sent: https://… of a server of yours."
    )
    name = forms.CharField(max_length=255, required=False, help_text="By which people here know it.")
    signature_algo = forms.ChoiceField(
        label="Signed as",
        choices=WebhookEndpoint.SignatureAlgorithm.choices,
        help_text="A JWT puts the whole content into a header, which servers may refuse as too long. HMAC stays short.",
    )
    event_types = forms.MultipleChoiceField(
        label="Events",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Only of these it is told. None ticked: of all, those of later versions included.",
    )
    folded: ClassVar[frozenset[str]] = frozenset({"Only some events"})
    sections = (("Only some events", ("event_types",)),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["event_types"].choices = [(name, name) for name in outbox.event_types()]


class MakeEndpoint(ListVerb):
    """Make an endpoint."""

    name = "create"
    label = "New endpoint"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "platform.add_webhookendpoint"
    explanation = "It is told of what happens from now on. Test it afterwards to see whether it answers."
    confirm = "Make the endpoint"
    form_class = EndpointForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        made = webhook_endpoints.create(values=_values(values), actor=actor, at=at)
        return Outcome(f"{made} was made.", url=cells.page_url(made))


class ShowKeys(ListVerb):
    """Show the keys by which receivers check signatures."""

    name = "keys"
    label = "Keys"
    icon = "key"
    permission = "platform.show_webhookkeys"
    explanation = (
        "Receivers check by these keys that requests come from here. The HMAC key is a secret: whoever has it can make "
        "requests that look like ours. That you looked is kept in the audit trail."
    )
    confirm = "Show the keys"

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Show them, and note who looked."""
        webhook_endpoints.note_keys_shown(actor=actor, at=at)
        shown: tuple[Block, ...] = (
            Facts(
                "Keys",
                (
                    Fact("HMAC key", cells.code(signing.hmac_key())),
                    Fact("Public key of JWTs", cells.code(signing.public_key())),
                ),
            ),
        )
        return Outcome("Here they are.", blocks=shown)


class ChangeEndpoint(ObjectVerb):
    """Change an endpoint."""

    name = "change_endpoint"
    label = "Change"
    icon = "edit"
    permission = "platform.change_webhookendpoint"
    explanation = "What waits is sent to the new address."
    confirm = "Save"
    form_class = EndpointForm

    def check(self, *, instance: WebhookEndpoint, at: datetime) -> None:
        """A deleted one stays as it was."""
        _demand_there(instance)

    def initial(self, *, instance: WebhookEndpoint, at: datetime) -> Mapping[str, Any]:
        """As it is."""
        return {
            "webhook_url": instance.webhook_url,
            "name": instance.name,
            "signature_algo": instance.signature_algo,
            "event_types": instance.event_types or [],
        }

    def perform(self, *, instance: WebhookEndpoint, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        webhook_endpoints.update(endpoint_id=instance.pk, values=_values(values), actor=actor, at=at)
        return Outcome("The endpoint was changed.")


class TestEndpoint(ObjectVerb):
    """Send a ping and tell how it went."""

    name = "test"
    label = "Test"
    icon = "network_ping"
    permission = "platform.test_webhookendpoint"
    explanation = "Sends an event that means nothing and waits up to ten seconds for the answer."
    confirm = "Send a test"

    def check(self, *, instance: WebhookEndpoint, at: datetime) -> None:
        """A deleted one is told nothing."""
        _demand_there(instance)

    def perform(self, *, instance: WebhookEndpoint, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Send it."""
        attempt = replays.test(endpoint_id=instance.pk, actor=actor, at=at)
        said = "It arrived." if attempt.is_delivered else "It did not arrive."
        shown: tuple[Block, ...] = (
            Note(said, Tone.GOOD if attempt.is_delivered else Tone.BAD),
            Facts(
                "Answer",
                (
                    Fact("Status", webhook_cells.outcome(attempt.status, attempt.error)),
                    Fact("Took", f"{attempt.milliseconds:,} ms"),
                    Fact("It said", cells.code(attempt.answer)),
                ),
            ),
        )
        return Outcome(said, blocks=shown)


class SinceForm(VerbForm):
    """From which day on."""

    since = forms.DateField(label="Since", help_text="Events from this day on, in the installation's time zone.")


class SendAgain(ObjectVerb):
    """Send again what did not arrive."""

    name = "send_again"
    label = "Send again what failed"
    icon = "replay"
    permission = "platform.replay_webhookdelivery"
    explanation = "Sends what was given up or dropped, in its order, with the same content and the same unique keys."
    confirm = "Send again"
    form_class = SinceForm
    weighs = True
    weigh_label = "Count"

    def check(self, *, instance: WebhookEndpoint, at: datetime) -> None:
        """Only one that takes something."""
        webhook_endpoints.demand_active(instance)

    def initial(self, *, instance: WebhookEndpoint, at: datetime) -> Mapping[str, Any]:
        """Since it fails, or the last week."""
        return {"since": timezone.localtime(instance.failing_since or at - timedelta(days=7)).date()}

    def weigh(
        self, *, instance: WebhookEndpoint, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """How many they are."""
        found = webhooks.not_arrived(endpoint_id=instance.pk, since=_since(values))
        return (Figures((Figure("Deliveries that will be sent again", found.count()),)),)

    def perform(self, *, instance: WebhookEndpoint, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Send them."""
        count = replays.what_did_not_arrive(endpoint_id=instance.pk, since=_since(values), actor=actor, at=at)
        return Outcome(f"{count} deliveries are being sent again.")


class PauseEndpoint(ObjectVerb):
    """Tell an endpoint nothing for a while."""

    name = "pause"
    label = "Pause"
    icon = "pause"
    permission = "platform.change_webhookendpoint"
    explanation = "Nothing is sent to it. What waits and what happens meanwhile is kept, and sent when it is resumed."
    confirm = "Pause the endpoint"
    form_class = ReasonForm

    def check(self, *, instance: WebhookEndpoint, at: datetime) -> None:
        """One that is told something."""
        webhook_endpoints.demand_active(instance)

    def preview(self, *, instance: WebhookEndpoint, at: datetime) -> Sequence[Block]:
        """How many wait."""
        return _counted(instance, "Deliveries that wait")

    def perform(self, *, instance: WebhookEndpoint, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Pause it."""
        webhook_endpoints.pause(endpoint_id=instance.pk, actor=actor, at=at, reason=values["reason"])
        return Outcome("The endpoint is paused.")


class ResumeEndpoint(ObjectVerb):
    """Tell a paused endpoint again."""

    name = "resume"
    label = "Resume"
    icon = "play_arrow"
    permission = "platform.change_webhookendpoint"
    explanation = "What waits is sent in its order, and what happens from now on as it happens."
    confirm = "Resume"

    def check(self, *, instance: WebhookEndpoint, at: datetime) -> None:
        """One that is paused."""
        webhook_endpoints.demand_paused(instance)

    def preview(self, *, instance: WebhookEndpoint, at: datetime) -> Sequence[Block]:
        """How many are sent."""
        return _counted(instance, "Deliveries that will be sent")

    def perform(self, *, instance: WebhookEndpoint, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Resume it."""
        webhook_endpoints.resume(endpoint_id=instance.pk, actor=actor, at=at)
        return Outcome("The endpoint is told again of what happens.")


class DropWaiting(ObjectVerb):
    """Drop what waits for an endpoint."""

    name = "drop_waiting"
    label = "Drop what waits"
    icon = "delete_sweep"
    variant = theme.ActionVariant.DANGER
    permission = "platform.change_webhookendpoint"
    explanation = "It is not told of what waits for it now. That stays in the log, and can be sent again from there."
    confirm = "Drop what waits"
    form_class = ReasonForm

    def check(self, *, instance: WebhookEndpoint, at: datetime) -> None:
        """Of a deleted one nothing waits."""
        _demand_there(instance)

    def preview(self, *, instance: WebhookEndpoint, at: datetime) -> Sequence[Block]:
        """How many are dropped."""
        return _dropped(instance)

    def perform(self, *, instance: WebhookEndpoint, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Drop them."""
        count = webhook_endpoints.drop_waiting(endpoint_id=instance.pk, actor=actor, at=at, reason=values["reason"])
        return Outcome(f"{count} deliveries were dropped.")


class DeleteEndpoint(ObjectVerb):
    """Tell an endpoint nothing more."""

    name = "delete"
    label = "Delete"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "platform.delete_webhookendpoint"
    explanation = "What waits is dropped. What it was told stays in the log."
    confirm = "Delete the endpoint"
    form_class = ReasonForm

    def check(self, *, instance: WebhookEndpoint, at: datetime) -> None:
        """Deleted once."""
        _demand_there(instance)

    def preview(self, *, instance: WebhookEndpoint, at: datetime) -> Sequence[Block]:
        """How many are dropped."""
        return _dropped(instance)

    def perform(self, *, instance: WebhookEndpoint, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Delete it."""
        webhook_endpoints.delete(endpoint_id=instance.pk, actor=actor, at=at, reason=values["reason"])
        return Outcome("The endpoint was deleted.")


class Replay(ObjectVerb):
    """Send one delivery again."""

    name = "replay"
    label = "Send again"
    icon = "replay"
    variant = theme.ActionVariant.PRIMARY
    permission = "platform.replay_webhookdelivery"
    explanation = "The same content with the same unique key: a receiver that had it knows that it is a repeat."
    confirm = "Send again"

    def check(self, *, instance: WebhookDelivery, at: datetime) -> None:
        """Only to an endpoint that takes something."""
        webhook_endpoints.demand_active(instance.endpoint)

    def perform(self, *, instance: WebhookDelivery, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Send it."""
        replays.delivery(delivery_id=instance.pk, actor=actor, at=at)
        return Outcome("It is being sent again.")


def _values(values: Mapping[str, Any]) -> webhook_endpoints.EndpointValues:
    return {
        "webhook_url": values["webhook_url"],
        "name": values["name"],
        "signature_algo": values["signature_algo"],
        "event_types": values["event_types"] or None,
    }


def _since(values: Mapping[str, Any]) -> datetime:
    return dates.start_of_day(values["since"], dates.zone(timezone.get_current_timezone_name()))


def _demand_there(endpoint: WebhookEndpoint) -> None:
    if endpoint.deleted_at is not None:
        raise errors.NotAllowed("webhook_endpoint_deleted", "The endpoint was deleted.")


def _dropped(endpoint: WebhookEndpoint) -> Sequence[Block]:
    return _counted(endpoint, "Waiting deliveries that will be dropped")


def _counted(endpoint: WebhookEndpoint, label: str) -> Sequence[Block]:
    waiting = webhooks.waiting(endpoint_ids=[endpoint.pk]).get(endpoint.pk, 0)
    return (Figures((Figure(label, waiting),)),)
