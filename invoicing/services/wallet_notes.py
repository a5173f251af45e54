"""Notes of engineers on wallets and their transactions. Owns what they may hold, and changing those of a wallet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.models import Wallet
from invoicing.queries import wallets as known
from invoicing.services import announcements

MOST, MOST_PAIRS = 50, 15
_KEY, _VALUE, _PAIR = 100, 255, 255


class InvalidNotes(errors.Invalid):
    """There are too many notes, or one is too long or no text."""


def checked(notes: Mapping[str, Any]) -> dict[str, str]:
    """Return the notes of a wallet: 50 texts at most, keys of 100 characters, values of 255. Raises InvalidNotes."""
    if len(notes) > MOST:
        raise _refused("invalid_count")
    if any(not str(key).strip() for key in notes):
        raise _refused("value_is_mandatory")
    return {_text(key, _KEY): _text(value, _VALUE) for key, value in notes.items()}


def pairs(notes: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the notes of a transaction, in their order: 15 pairs at most of ``key`` and ``value``.

    Raises InvalidNotes.
    """
    if len(notes) > MOST_PAIRS:
        raise _refused("invalid_count")
    found = [{"key": _text(note.get("key"), _PAIR), "value": _text(note.get("value"), _PAIR)} for note in notes]
    if len({note["key"] for note in found}) != len(found):
        raise _refused("value_already_exist")
    return found


@transaction.atomic
def replace(*, wallet_id: int, notes: Mapping[str, Any], actor: Actor, at: datetime) -> Wallet:
    """Make these the notes of a wallet. Raises NotFound, InvalidNotes."""
    return _set(known.locked(wallet_id), checked(notes), actor, at)


@transaction.atomic
def merge(*, wallet_id: int, notes: Mapping[str, Any], actor: Actor, at: datetime) -> Wallet:
    """Add notes to those of a wallet; one of the same key is replaced. Raises NotFound, InvalidNotes."""
    wallet = known.locked(wallet_id)
    return _set(wallet, checked({**wallet.metadata, **notes}), actor, at)


@transaction.atomic
def remove(*, wallet_id: int, key: str, actor: Actor, at: datetime) -> Wallet:
    """Take one note off a wallet. Raises NotFound (`wallet_not_found`, `metadata_not_found`)."""
    wallet = known.locked(wallet_id)
    if key not in wallet.metadata:
        raise errors.NotFound("metadata_not_found", "There is no such note.")
    return _set(wallet, {name: value for name, value in wallet.metadata.items() if name != key}, actor, at)


def _set(wallet: Wallet, notes: dict[str, str], actor: Actor, at: datetime) -> Wallet:
    old = wallet.metadata
    if old == notes:
        return wallet
    wallet.metadata, wallet.updated_at = notes, at
    wallet.save(update_fields=["metadata", "updated_at"])
    audit.record(
        actor=actor, at=at, verb="set_metadata", instance=wallet, old={"metadata": old}, new={"metadata": notes}
    )
    announcements.wallet_changed(wallets=[wallet], at=at)
    return wallet


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _refused("value_is_invalid")
    if len(str(value)) > most:
        raise _refused("value_is_too_long")
    return str(value)


def _refused(code: str) -> InvalidNotes:
    return InvalidNotes("validation_errors", "The notes are not valid.", {"metadata": [code]})
