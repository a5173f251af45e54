"""The times for which usage is held, as the database takes them. Owns the table that statements join."""

from __future__ import annotations

import json
from collections.abc import Mapping

from billing.domain.held_time import HeldTime

TABLE = """held AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(held)s::jsonb) AS h (
            n int, start_at timestamptz, end_at timestamptz, first_day date, last_day date, carried_last_day date,
            zone text
        )
    )"""
"""The common table ``held``: for each window the time billed, its local days, and their time zone."""

LOCAL_DAY = """(e."timestamp" AT TIME ZONE h.zone)::date"""
"""The local day of an event ``e`` in the time zone of its window's ``held`` row ``h``."""


def rows(times: Mapping[int, HeldTime]) -> str:
    """Return the rows of ``held`` for numbered windows."""
    return json.dumps(
        [
            {
                "n": number,
                "start_at": time.billed.start.isoformat(),
                "end_at": time.billed.end.isoformat(),
                "first_day": time.first_day.isoformat(),
                "last_day": time.last_day.isoformat(),
                "carried_last_day": time.carried_last_day.isoformat(),
                "zone": time.timezone.key,
            }
            for number, time in times.items()
        ]
    )
