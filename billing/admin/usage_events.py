"""The page of a usage event: what was sent, whether it counts, what happened to it; and withdrawing it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import dateparse

from billing.models import EventCorrection, UsageEvent
from billing.queries import event_corrections as known
from billing.services import event_corrections
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm
from config.platform.admin.verbs import ObjectVerb, Outcome


class NotWithdrawable(errors.NotAllowed):
    """A correction took the event out of the usage already."""


class Withdraw(ObjectVerb):
    """Take an event out of the usage, or set one aside whose value nobody can bill."""

    name = "withdraw"
    label = "Withdraw"
    icon = "remove_circle"
    variant = theme.ActionVariant.DANGER
    permission = "billing.withdraw_usageevent"
    explanation = (
        "The event no longer counts, and billing goes on without it. It stays here as it was sent, with the reason. "
        "Where its time is billed already, the difference shows as late usage."
    )
    confirm = "Withdraw the event"
    form_class = ReasonForm

    def check(self, *, instance: UsageEvent, at: datetime) -> None:
        """What was corrected before is not corrected again."""
        if instance.replaced_at is not None:
            raise NotWithdrawable("event_already_corrected", "It was withdrawn or amended already.")

    def preview(self, *, instance: UsageEvent, at: datetime) -> Sequence[Block]:
        """What it says, and what was billed for it alone."""
        return (*_fees(instance), _facts(instance))

    def perform(self, *, instance: UsageEvent, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Withdraw it."""
        event_corrections.withdraw(
            external_subscription_id=instance.external_subscription_id,
            transaction_id=instance.transaction_id,
            reason=values["reason"],
            actor=actor,
            at=at,
        )
        return Outcome(f"The event {instance.transaction_id} no longer counts.")


def address(event: UsageEvent) -> str:
    """The event in addresses of pages: its instant leads to the partition, as no index has the ids alone."""
    return f"{event.timestamp.isoformat()}~{event.id}"


def read_address(text: str) -> tuple[datetime, uuid.UUID] | None:
    """The instant and the id of an address; nothing for anything else."""
    moment, _, given = text.partition("~")
    try:
        at = dateparse.parse_datetime(moment)
        return None if at is None or at.tzinfo is None else (at, uuid.UUID(given))
    except ValueError:
        return None


def page(event: UsageEvent, *, problem: str, hint: str = "") -> Page:
    """What was sent, why it does not count, and its corrections.

    ``problem`` is why nobody can bill it, ``hint`` what is told where there is none.
    """
    chain = known.chain(external_subscription_id=event.external_subscription_id, transaction_id=event.transaction_id)
    notes: list[Block] = []
    if event.replaced_at is not None:
        notes.append(Note("A correction took it out of the usage. It stands as it was sent.", Tone.INFO))
    elif problem:
        told = problem if problem.startswith("not billed") else f"not billable yet: {problem}"
        notes.append(Note(f"{told[0].upper()}{told[1:]}.", Tone.WARN))
    elif hint:
        notes.append(Note(hint, Tone.NEUTRAL))
    return Page(top=(*notes, _facts(event), _corrections(chain)))


def _fees(event: UsageEvent) -> tuple[Block, ...]:
    name = event.external_subscription_id, event.transaction_id
    lines = known.fees(events=[name]).get(name, [])
    if not lines:
        return ()
    told = "; ".join(
        f"{cells.money_text(line.amount)} ({'a fee of its own' if line.invoice is None else line.invoice})"
        for line in lines
    )
    what = "The fee stands, and what comes next is free up to its units. To give the money back, credit the fee."
    return (Note(f"It was billed in advance: {told}. {what}", Tone.WARN),)


def _facts(event: UsageEvent) -> Facts:
    return Facts(
        "Event",
        (
            Fact("Transaction id", cells.code(event.transaction_id)),
            Fact("Subscription", cells.code(event.external_subscription_id)),
            Fact("Code", cells.code(event.code)),
            Fact("Time", cells.instant(event.timestamp)),
            Fact("Received", cells.instant(event.received_at)),
            Fact("Properties", cells.code(json.dumps(event.properties, ensure_ascii=False, sort_keys=True))),
            Fact("Public id", cells.code(str(event.pk).rpartition("~")[2])),
        ),
    )


def _corrections(chain: Sequence[EventCorrection]) -> Table:
    rows = tuple(
        Row(
            (
                cells.instant(one.created_at),
                cells.stack(one.get_action_display(), "undone" if one.undone_at else ""),
                cells.code(one.corrects),
                cells.code(one.transaction_id),
                one.made_by,
                one.reason,
            )
        )
        for one in chain
    )
    return Table(
        "Corrections",
        columns("When", "What", "Corrects", "Correction", "By", "Reason"),
        rows,
        empty="It was never corrected.",
    )
