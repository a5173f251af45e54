"""Corrections of events on their way in. Owns what a correction must look like and how it changes an event; storing it
is the services'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from billing.domain import event_fields
from billing.domain.usage_events import Codes, EventIn

MAX_REASON = 1000
CHANGES = ("code", "timestamp", "properties", "precise_total_amount_cents")
_NAMES = ("transaction_id", "external_subscription_id", "corrects")
_NULL = msgspec.Raw(b"null")


class Action(StrEnum):
    """What a correction does to the event that it names."""

    WITHDRAW = "withdraw"
    AMEND = "amend"


@dataclass(frozen=True)
class CorrectionIn:
    """A correction to be stored, checked already. ``changes`` are fields of the event as JSON text; all others
    stay. ``sent`` is the content, by which a repeat is known.
    """

    transaction_id: str
    external_subscription_id: str
    corrects: str
    action: Action
    reason: str
    changes: Mapping[str, msgspec.Raw] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)


def examine(raw: msgspec.Raw | bytes, *, received_at: datetime) -> CorrectionIn | Codes:
    """Return the correction, or the codes of everything that is wrong with it, by field."""
    fields = event_fields.split(raw)
    if fields is None:
        return {"base": [event_fields.WRONG]}
    fields = {name: value for name, value in fields.items() if value != _NULL}
    texts, wrong = _texts(fields)
    changes = {name: fields[name] for name in CHANGES if name in fields}
    action = _decoded(fields.get("action"))
    if action not in list(Action):
        wrong["action"] = [event_fields.MANDATORY if action is None else event_fields.WRONG]
    elif action == Action.WITHDRAW:
        wrong |= {name: [event_fields.WRONG] for name in changes}
    elif not changes:
        wrong["base"] = [event_fields.MANDATORY]
    if not wrong.keys() & {"transaction_id", "corrects"} and texts["transaction_id"] == texts["corrects"]:
        wrong["transaction_id"] = ["value_already_exist"]
    complete = {"code": msgspec.Raw(b'"code"'), **changes}
    complete |= {name: msgspec.Raw(b'"name"') for name in ("transaction_id", "external_subscription_id")}
    found = event_fields.examine_fields(complete, received_at=received_at)
    if not isinstance(found, EventIn):
        wrong = found | wrong
    if wrong:
        return wrong
    sent = {name: _decoded(fields[name]) for name in ("corrects", "action", "reason", *CHANGES) if name in fields}
    return CorrectionIn(
        transaction_id=texts["transaction_id"],
        external_subscription_id=texts["external_subscription_id"],
        corrects=texts["corrects"],
        action=Action(str(action)),
        reason=texts["reason"],
        changes=changes,
        sent=sent,
    )


def amended(*, correction: CorrectionIn, event: Mapping[str, msgspec.Raw], received_at: datetime) -> EventIn:
    """Return the event that takes the place of another one, given by its fields: what was not changed is as it was."""
    names = {
        "transaction_id": msgspec.Raw(msgspec.json.encode(correction.transaction_id)),
        "external_subscription_id": msgspec.Raw(msgspec.json.encode(correction.external_subscription_id)),
    }
    found = event_fields.examine_fields({**event, **correction.changes, **names}, received_at=received_at)
    if not isinstance(found, EventIn):
        raise AssertionError(f"a stored event with a checked change is refused: {found}")
    return found


def _texts(fields: Mapping[str, msgspec.Raw]) -> tuple[dict[str, str], Codes]:
    texts: dict[str, str] = {}
    wrong: Codes = {}
    for name in (*_NAMES, "reason"):
        value = _decoded(fields.get(name))
        limit = MAX_REASON if name == "reason" else event_fields.MAX_LENGTH
        if value is None or value == "":
            wrong[name] = [event_fields.MANDATORY]
        elif not isinstance(value, str) or "\x00" in value:
            wrong[name] = [event_fields.WRONG]
        elif len(value) > limit:
            wrong[name] = [event_fields.TOO_LONG]
        texts[name] = value if isinstance(value, str) else ""
    return texts, wrong


def _decoded(raw: msgspec.Raw | None) -> Any:
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0
