"""Brings the database of an installation up to date before its programs start, and says how far it is."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

from django.core.management import call_command
from django.db import connection

from config import health

SAY_SECONDS = 10

Say = Callable[[str], object]


class _Counter(io.TextIOBase):
    """Takes what `migrate` writes, and says now and then how many migrations are done."""

    def __init__(self, total: int, say: Say) -> None:
        self.done = 0
        self._total = total
        self._say = say
        self._said = time.monotonic()

    def write(self, text: str) -> int:
        self.done += " OK" in text
        if time.monotonic() - self._said > SAY_SECONDS:
            self._said = time.monotonic()
            self._say(f"  {self.done} of {self._total} steps done.")
        return len(text)


def bring_up_to_date(*, say: Say) -> None:
    """Apply the migrations that the database lacks. Safe to repeat; an up-to-date database is said nothing about.

    Raises DatabaseError, LocalDatabaseError.
    """
    if connection.settings_dict["ENGINE"] == "config.localdb":
        say("Starting the embedded database.")
    pending = health.pending_migrations()
    if pending:
        say(f"Bringing the database up to date: {len(pending)} steps. An empty one takes some minutes.")
    # It is called without pending ones too: the rights of new models are made at its end.
    call_command("migrate", interactive=False, verbosity=1, no_color=True, stdout=_Counter(len(pending), say))
