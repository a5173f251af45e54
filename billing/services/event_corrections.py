"""Correcting usage events: one is taken back, or another takes its place. Owns what a correction does; nothing is
deleted or overwritten: the first event stays as it was sent, marked as replaced.

In a time that is billed already a correction is late usage: the periodic look finds it, because the event was written.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from django.db import connection, transaction

from billing.domain import event_corrections
from billing.domain.event_corrections import Action, CorrectionIn
from billing.models import EventCorrection, EventKey
from billing.queries import computed_properties
from billing.services import advance_queue, event_store
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit

_FIND = """
SELECT id::text, code, properties::text, precise_total_amount_cents::text, replaced_at IS NOT NULL
FROM billing_usage_event
WHERE "timestamp" = %s AND external_subscription_id = %s AND transaction_id = %s
FOR NO KEY UPDATE
"""

# The mark of the writing transaction lets the look for late usage find the event again.
_MARK = """
UPDATE billing_usage_event SET replaced_at = %s, written_in = pg_current_xact_id()::text::bigint
WHERE "timestamp" = %s AND external_subscription_id = %s AND code = %s AND transaction_id = %s
"""

_TAKE_KEY = """
INSERT INTO billing_event_key (transaction_id, external_subscription_id, "timestamp") VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""


class EventNotFound(errors.NotFound):
    """The correction names no event and no withdrawal that is stored."""


class CorrectionConflict(errors.Conflict):
    """The event is corrected already, or the transaction id stands for something else."""


@dataclass(frozen=True, slots=True)
class _Stored:
    code: str
    timestamp: datetime
    transaction_id: str
    properties: str
    amount_cents: str | None
    is_replaced: bool


@transaction.atomic
def correct(*, corrections: Sequence[CorrectionIn], actor: Actor, at: datetime) -> list[EventCorrection]:
    """Store corrections in their order, all of them or none, and do what they say; return them as they are stored.

    Sent again with the same content a correction changes nothing. A withdrawal takes its event out of the usage, and a
    withdrawal of a withdrawal puts it back; an amendment is an event of its own transaction id that takes the place of
    the one it names, and may be corrected itself. Raises EventNotFound (`event_not_found`), and CorrectionConflict for
    an event that is corrected already (`event_already_corrected`), a transaction id that has another content
    (`value_already_exist`), and a withdrawal that put an event back (`correction_not_correctable`).
    """
    for external_id in sorted({one.external_subscription_id for one in corrections}):
        db.advisory_lock(f"billing.event_corrections.{external_id}")
    return [_correct(one, actor, at) for one in corrections]


def withdraw(
    *, external_subscription_id: str, transaction_id: str, reason: str, actor: Actor, at: datetime
) -> EventCorrection:
    """Withdraw an event because a person says so, by a correction with an id of its own. Raises as `correct` does."""
    if not reason.strip():
        raise errors.Invalid("validation_errors", "Say why.", {"reason": ["value_is_mandatory"]})
    one = CorrectionIn(
        transaction_id=f"withdrawal-{uuid.uuid4()}",
        external_subscription_id=external_subscription_id,
        corrects=transaction_id,
        action=Action.WITHDRAW,
        reason=reason.strip(),
        sent={"corrects": transaction_id, "action": Action.WITHDRAW.value, "reason": reason.strip()},
    )
    return correct(corrections=[one], actor=actor, at=at)[0]


def _correct(one: CorrectionIn, actor: Actor, at: datetime) -> EventCorrection:
    rows = EventCorrection.objects.filter(external_subscription_id=one.external_subscription_id)
    known = rows.filter(transaction_id=one.transaction_id).first()
    if known is not None:
        if known.sent == one.sent:
            return known
        raise _taken(one)
    withdrawal = rows.filter(transaction_id=one.corrects, action=Action.WITHDRAW).first()
    if withdrawal is None:
        event = _find(one.external_subscription_id, one.corrects)
        _demand_open(event, one)
        replaced, corrected = event.transaction_id, event
    else:
        corrected = _behind(withdrawal, one)
        replaced = withdrawal.transaction_id if one.action is Action.WITHDRAW else corrected.transaction_id
        withdrawal.undone_at = at
        withdrawal.save(update_fields=["undone_at"])
    puts_back = withdrawal is not None and one.action is Action.WITHDRAW
    if withdrawal is None or puts_back:
        advance_queue.correct(
            external_subscription_id=one.external_subscription_id,
            transaction_id=corrected.transaction_id,
            code=corrected.code,
            timestamp=corrected.timestamp,
            puts_back=puts_back,
        )
    if one.action is Action.AMEND:
        _amend(one, corrected, at)
    else:
        _take_key(one, corrected)
    _mark(one.external_subscription_id, corrected, None if puts_back else at)
    row = EventCorrection.objects.create(
        created_at=at,
        external_subscription_id=one.external_subscription_id,
        transaction_id=one.transaction_id,
        corrects=one.corrects,
        action=one.action.value,
        reason=one.reason,
        made_by=actor.label,
        event_transaction_id=replaced,
        event_code=corrected.code,
        event_timestamp=corrected.timestamp,
        sent=dict(one.sent),
    )
    audit.record(
        actor=actor, at=at, verb=one.action.value, instance=row, new={"corrects": one.corrects}, reason=one.reason
    )
    return row


def _find(external_subscription_id: str, transaction_id: str) -> _Stored:
    key = EventKey.objects.filter(
        external_subscription_id=external_subscription_id, transaction_id=transaction_id
    ).first()
    if key is not None:
        with connection.cursor() as cursor:
            cursor.execute(_FIND, [key.timestamp, external_subscription_id, transaction_id])
            row = cursor.fetchone()
        if row is not None:
            _, code, properties, amount, is_replaced = row
            return _Stored(code, key.timestamp, transaction_id, properties, amount, is_replaced)
    raise EventNotFound("event_not_found", f"There is no event {transaction_id} of that subscription.")


def _behind(withdrawal: EventCorrection, one: CorrectionIn) -> _Stored:
    """Return the event that a withdrawal took out, if that may be undone."""
    if withdrawal.undone_at is not None:
        raise _corrected(one)
    puts_back = EventCorrection.objects.filter(
        external_subscription_id=withdrawal.external_subscription_id,
        transaction_id=withdrawal.event_transaction_id,
        action=Action.WITHDRAW,
    )
    if puts_back.exists():
        message = "That withdrawal put an event back: withdraw the event itself."
        raise CorrectionConflict("correction_not_correctable", message, {"corrects": ["correction_not_correctable"]})
    return _find(withdrawal.external_subscription_id, withdrawal.event_transaction_id)


def _demand_open(event: _Stored, one: CorrectionIn) -> None:
    if event.is_replaced:
        raise _corrected(one)


def _amend(one: CorrectionIn, event: _Stored, at: datetime) -> None:
    fields = {
        "code": msgspec.Raw(msgspec.json.encode(event.code)),
        "timestamp": msgspec.Raw(msgspec.json.encode(event.timestamp.astimezone(UTC).isoformat())),
        "properties": msgspec.Raw(event.properties.encode()),
    }
    if event.amount_cents is not None:
        fields["precise_total_amount_cents"] = msgspec.Raw(msgspec.json.encode(event.amount_cents))
    amended = event_corrections.amended(correction=one, event=fields, received_at=at)
    (completed,) = computed_properties.completed(events=[amended])
    _, existing = event_store.write(events=[completed], received_at=at, all_or_none=True)
    if existing:
        raise _taken(one)


def _take_key(one: CorrectionIn, event: _Stored) -> None:
    """Keep the transaction id of a withdrawal from ever being an event's."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_KEY, [one.transaction_id, one.external_subscription_id, event.timestamp])
        if not cursor.rowcount:
            raise _taken(one)


def _mark(external_subscription_id: str, event: _Stored, replaced_at: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK, [replaced_at, event.timestamp, external_subscription_id, event.code, event.transaction_id]
        )


def _taken(one: CorrectionIn) -> CorrectionConflict:
    message = f"The transaction id {one.transaction_id} stands for something else."
    return CorrectionConflict("value_already_exist", message, {"transaction_id": ["value_already_exist"]})


def _corrected(one: CorrectionIn) -> CorrectionConflict:
    message = f"{one.corrects} is corrected already: correct what took its place."
    return CorrectionConflict("event_already_corrected", message, {"corrects": ["event_already_corrected"]})
