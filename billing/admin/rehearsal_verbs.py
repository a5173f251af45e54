"""Verbs of rehearsals in the admin: rehearse, sign off as a second person, bill what was signed off, drop, repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import Any

from django import forms
from django.db.models import Min
from django.http import HttpRequest
from django.utils import timezone

from billing.admin import due_blocks, rehearsal_blocks, rehearsal_forms, rehearsal_outlook
from billing.domain import rehearsal_states
from billing.models import Rehearsal, Subscription
from billing.queries import rehearsal_outlook as outlook
from billing.queries import rehearsals as known
from billing.services import rehearsal_billing, rehearsals
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from config.platform.queries import installation as installations
from config.platform.services import installation

State = Rehearsal.State
SHOWN_FLAGS = 50
NOTHING = "Nothing is due by then: there would be nothing to rehearse."


class Rehearse(ListVerb):
    """See what a run would make, at any moment."""

    name = "rehearse"
    label = "Rehearse a run"
    icon = "theater_comedy"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.start_rehearsal"
    explanation = (
        "Every invoice that a billing run would make at that moment is computed and compared with last period. Nothing "
        "is written, numbered or sent, and usage goes on being taken in."
    )
    confirm = "Rehearse it"
    weighs = True
    weigh_label = "Show what is due then"
    form_class = rehearsal_forms.RehearseForm

    def initial(self, *, at: datetime) -> Mapping[str, Any]:
        """The next moment at which something is due: now, or noon of the next billing day."""
        local = timezone.localtime(at)
        day, clock = local.date(), local.time()
        upcoming = Subscription.objects.filter(status=Subscription.Status.ACTIVE, next_billing_date__isnull=False)
        first = upcoming.aggregate(day=Min("next_billing_date"))["day"]
        if first is not None and first > day:
            day, clock = first, rehearsal_forms.NOON
        zone = timezone.get_current_timezone_name()
        return {"day": day, "clock": time(clock.hour, clock.minute).strftime("%H:%M"), "zone": zone}

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """What waits already."""
        waiting = known.waiting_one()
        if waiting is None:
            return ()
        text = f"{waiting} for {cells.instant_text(waiting.as_of)} is {waiting.get_state_display()}."
        return (Note(cells.link(text, cells.page_url(waiting)), Tone.WARN),)

    def weigh(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """How much is due by then."""
        as_of = rehearsal_forms.moment(values)
        return (*due_blocks.of(as_of=as_of, nothing=NOTHING), *due_blocks.later(as_of=as_of, day=values["day"]))

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Ask for it: a worker computes."""
        as_of = rehearsal_forms.moment(values)
        row = rehearsals.request(as_of=as_of, reason=values["reason"], actor=actor, at=at)
        due = due_blocks.counted(as_of=as_of, shown=values["shown"])
        return Outcome(f"{row} was handed to a worker: {due}.", cells.page_url(row))


class SignOffSettingForm(VerbForm):
    """Whether runs need a sign-off."""

    billing_needs_sign_off = forms.BooleanField(
        label="Billing runs bill only what was signed off",
        required=False,
        help_text="The scheduler rehearses what is due instead of billing it, and waits for a second person.",
    )


class SetSignOff(ListVerb):
    """Whether runs need a sign-off."""

    name = "setting"
    label = "Sign-off policy"
    icon = "policy"
    permission = "platform.change_installation"
    explanation = (
        "It goes for billing runs. Invoices of a subscription's start, of usage thresholds and of usage paid in "
        "advance are made at once, as before."
    )
    confirm = "Save"
    form_class = SignOffSettingForm

    def initial(self, *, at: datetime) -> Mapping[str, Any]:
        """What goes now."""
        return {"billing_needs_sign_off": installations.billing_needs_sign_off()}

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Set it."""
        needed = values["billing_needs_sign_off"]
        installation.set_billing_needs_sign_off(needed=needed, actor=actor, at=at)
        return Outcome("Runs bill only what was signed off." if needed else "Runs bill what is due.")


class RehearsalVerb(ObjectVerb):
    """What verbs of a rehearsal share: the state has to allow it."""

    verb: rehearsal_states.Verb

    def check(self, *, instance: Rehearsal, at: datetime) -> None:
        """Ask the table of states. Raises InvalidRehearsalState."""
        rehearsal_states.after(state=instance.state, verb=self.verb)
        if instance.bill_asked_at is not None:
            raise rehearsal_states.InvalidRehearsalState("rehearsal_state_not_allowed", "It is being billed.")


class SignOff(RehearsalVerb):
    """Agree to it, as a second person."""

    verb = rehearsal_states.Verb.SIGN_OFF
    name = "sign_off"
    label = "Sign off"
    icon = "verified"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.sign_off_rehearsal"
    explanation = (
        "You agree to exactly these invoices. The run leaves out accounts that are parked by then, and refuses each "
        "invoice whose inputs changed since, and says which. Whoever asked for the rehearsal cannot sign it off."
    )
    confirm = "Sign off"
    form_class = rehearsal_forms.SignOffForm

    def offered(self, request: HttpRequest, instance: Rehearsal, *, at: datetime) -> bool:
        """Not to whoever asked for it, nor to whoever is behind the key that did."""
        is_own = request.user.pk == instance.requested_by_id or request.user.pk in instance.behind
        return not is_own and self.possible(instance=instance, at=at)

    def form(self, *, data: Any, instance: Rehearsal, at: datetime) -> VerbForm:
        """The form, which names how many flags there are."""
        form = rehearsal_forms.SignOffForm(data, initial={"seen": instance.flagged_count})
        form.ask(flagged=instance.flagged_count, failures=instance.failures_count, other=_other(instance))
        return form

    def preview(self, *, instance: Rehearsal, at: datetime) -> Sequence[Block]:
        """What is agreed to, and what was flagged."""
        return (*_agreed(instance), *_flagged(instance))

    def perform(self, *, instance: Rehearsal, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Sign it off."""
        row = rehearsals.sign_off(
            rehearsal_id=instance.pk,
            remark=values["remark"],
            acknowledged=values["seen"] or 0,
            supersedes=bool(values.get("supersedes")),
            actor=actor,
            at=at,
        )
        return Outcome(f"{row} is signed off: it can be billed.")


class Bill(RehearsalVerb):
    """The run."""

    verb = rehearsal_states.Verb.BILL
    name = "bill"
    label = "Bill"
    icon = "play_arrow"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.start_billingrun"
    explanation = (
        "The run makes the invoices that were signed off. One whose inputs changed since is refused, with what changed "
        "and by how much; rehearse those again. Parked accounts are left out."
    )
    confirm = "Bill what was signed off"

    def preview(self, *, instance: Rehearsal, at: datetime) -> Sequence[Block]:
        """What is billed, and who agreed to it."""
        early = ()
        if instance.as_of > at:
            early = (Note(f"It is due from {cells.instant_text(instance.as_of)} on, and refused before.", Tone.WARN),)
        return (*early, *_agreed(instance), rehearsal_blocks.facts(instance))

    def perform(self, *, instance: Rehearsal, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Hand it to a worker."""
        row = rehearsal_billing.ask(rehearsal_id=instance.pk, actor=actor, at=at)
        return Outcome("A worker bills it. This page follows it.", cells.page_url(row))


class Drop(RehearsalVerb):
    """Nobody bills it."""

    verb = rehearsal_states.Verb.DROP
    name = "drop"
    label = "Drop"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "billing.start_rehearsal"
    explanation = "It stays to be read, and nobody can sign it off or bill it any more. No invoice is touched."
    confirm = "Drop it"
    form_class = ReasonForm

    def perform(self, *, instance: Rehearsal, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Drop it."""
        row = rehearsals.drop(rehearsal_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome(f"{row} was dropped.")


class Retake(RehearsalVerb):
    """Go on with one that was broken off."""

    verb = rehearsal_states.Verb.RETAKE
    name = "retake"
    label = "Go on"
    icon = "resume"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.start_rehearsal"
    explanation = (
        "It was broken off, and is computed further after the customers that are done. To see those too as they are by "
        "now, rehearse again."
    )
    confirm = "Go on"

    def preview(self, *, instance: Rehearsal, at: datetime) -> Sequence[Block]:
        """What broke it off."""
        return (Note(instance.error, Tone.BAD),) if instance.error else ()

    def perform(self, *, instance: Rehearsal, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Hand it to a worker."""
        row = rehearsals.retake(rehearsal_id=instance.pk, actor=actor, at=at)
        return Outcome("A worker goes on with it. This page follows it.", cells.page_url(row))


class Again(ObjectVerb):
    """The same moment, with what is known by now."""

    name = "again"
    label = "Rehearse again"
    icon = "replay"
    permission = "billing.start_rehearsal"
    explanation = (
        "Another rehearsal of the same moment, with the usage, prices and customers as they are by now. This one stays "
        "as it is."
    )
    confirm = "Rehearse again"

    def check(self, *, instance: Rehearsal, at: datetime) -> None:
        """Not while this one is computed. Raises NotAllowed."""
        if instance.state in (State.WAITING, State.RUNNING):
            raise errors.NotAllowed("rehearsal_state_not_allowed", "This rehearsal is still being computed.")

    def preview(self, *, instance: Rehearsal, at: datetime) -> Sequence[Block]:
        """What is due by then, as far as it was not billed."""
        day = timezone.localtime(instance.as_of).date()
        _, *later = due_blocks.later(as_of=instance.as_of, day=day)
        return (*due_blocks.of(as_of=instance.as_of, nothing=NOTHING), *later)

    def perform(self, *, instance: Rehearsal, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Ask for it."""
        row = rehearsals.request(as_of=instance.as_of, reason=instance.reason, actor=actor, at=at)
        return Outcome(f"{row} was handed to a worker.", cells.page_url(row))


def _other(row: Rehearsal) -> Rehearsal | None:
    signed = Rehearsal.objects.filter(as_of=row.as_of, state=State.SIGNED_OFF).exclude(pk=row.pk)
    return signed.order_by("-pk").first()


def _agreed(row: Rehearsal) -> Iterator[Block]:
    """The invoices as they were rehearsed, and what of them the run will bill: accounts parked since are left out."""
    sums, since = known.sums(rehearsal_id=row.pk), outlook.parked_since(rehearsal_id=row.pk)
    yield rehearsal_blocks.figures(row, since=since)
    yield from rehearsal_outlook.table(sums, since)
    if sums:
        yield Table(
            "What it comes to",
            columns(
                "Currency", "Invoices#", "Before tax#", "Tax#", "Credits#", "Total#", "Last period#", "Difference#"
            ),
            tuple(
                Row(
                    (
                        one.currency,
                        cells.number(one.invoices_count),
                        cells.money(one.subtotal),
                        cells.money(one.tax),
                        cells.money(one.credits),
                        cells.money(one.total),
                        cells.money(one.previous),
                        rehearsal_blocks.words.signed(one.difference),
                    )
                )
                for one in sums
            ),
            note="Credits are credit notes and prepaid money; coupons are off before tax.",
        )


def _flagged(row: Rehearsal) -> Iterator[Block]:
    if not row.flagged_count:
        return
    rows = rehearsal_blocks.by_size(known.invoices(rehearsal_id=row.pk).filter(is_flagged=True))[:SHOWN_FLAGS]
    note = "" if row.flagged_count <= SHOWN_FLAGS else f"The first {SHOWN_FLAGS}; the list of the rehearsal has all."
    yield rehearsal_blocks.flagged(tuple(rows), note=note)
