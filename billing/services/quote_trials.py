"""Trying whether something could be made: it is made and undone, and nobody is told. Owns the undoing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from config.platform.services import approvals, outbox, tellings


class _Undo(Exception):
    """Ends a trial, so that nothing of it stays."""


def demand(*, verb: Callable[[], object], at: datetime) -> None:
    """Do a verb and undo it without a trace, inside or outside of a transaction. Raises what the verb raises."""
    try:
        with outbox.silence(), approvals.looking(), transaction.atomic(), tellings.once(at=at):
            verb()
            raise _Undo
    except _Undo:
        return
