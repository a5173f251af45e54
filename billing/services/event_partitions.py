"""The monthly partitions of usage events. Owns making them when the first event of a month arrives, and knowing which
are there; what is stored in them is `usage`'s.

A partition is made over a connection of its own and is committed at once: it is there whatever becomes of the request
that needed it, so what this process remembers is true for all its threads. Attaching a partition lets others go on
reading and writing: it takes SHARE UPDATE EXCLUSIVE on the parent, writers hold ROW EXCLUSIVE.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "billing_usage_event"

# A partition waits for nobody longer than this: a request that fails can be sent again, one that hangs cannot.
LOCK_TIMEOUT = "30s"

# An index answers alone only for pages that vacuum has seen to be all visible. Left to itself it comes when a fifth of
# the month is new, and until then current usage reads rows. It looks at new pages only, so it may come often.
_TIDIED = "autovacuum_vacuum_insert_scale_factor = 0.02"

Month = tuple[int, int]
"""Year and month in UTC."""

_made: dict[tuple[str, ...], set[Month]] = defaultdict(set)


def ensure(*, months: Collection[Month]) -> None:
    """Make the partitions of these months (UTC) where they are missing.

    Costs nothing for months that this process has seen. May be called any number of times, from any number of processes
    at once, inside a transaction or outside: it is not part of it.
    """
    made = _made[_database(transaction.get_connection())]
    missing = [month for month in sorted(months) if month not in made]
    if missing:
        _make(missing)
        made.update(missing)


def forget() -> None:
    """Look for partitions anew, for when one that was there is gone."""
    _made.pop(_database(transaction.get_connection()), None)


def name(month: Month) -> str:
    """Return the table name of a month's partition."""
    year, number = month
    return f"{TABLE}_{year:04}{number:02}"


def month(at: datetime) -> Month:
    """Return the month of an instant that is given in UTC."""
    return at.year, at.month


def _database(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    return tuple(str(connection.settings_dict.get(part, "")) for part in ("HOST", "PORT", "NAME"))


def _make(months: Collection[Month]) -> None:
    connection = transaction.get_connection().copy()
    try:
        connection.ensure_connection()
        for wanted in months:
            # One transaction for each month, so that locks do not pile up.
            with connection.connection.transaction(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [TABLE])
                cursor.execute(
                    "SELECT FROM pg_inherits WHERE inhparent = %s::regclass AND inhrelid = to_regclass(%s)",
                    [TABLE, name(wanted)],
                )
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE TABLE {name(wanted)} (LIKE {TABLE} INCLUDING ALL) WITH ({_TIDIED})")
                    cursor.execute(
                        f"ALTER TABLE {TABLE} ATTACH PARTITION {name(wanted)} FOR VALUES FROM (%s) TO (%s)",
                        [_start(wanted), _start(_next(wanted))],
                    )
    finally:
        connection.close()


def _next(wanted: Month) -> Month:
    year, number = wanted
    return (year + 1, 1) if number == 12 else (year, number + 1)


def _start(wanted: Month) -> str:
    year, number = wanted
    return f"{year:04}-{number:02}-01 00:00:00+00"
