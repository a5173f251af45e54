"""Writing millions of events that were there before a measurement begins. Owns doing it fast."""

from __future__ import annotations

from django.db import connection

from billing.services import event_partitions

MAY = (2026, 5)
STEP = 1_000_000


def fill(select: str, count: int) -> None:
    """Make the partition of May 2026 with events 1 to ``count``: ``select`` gives those from ``{first}`` to ``{last}``.

    Its columns are in the order of `COLUMNS`. Rows come first and indexes after them, and the database may tidy up as
    it would in time.
    """
    name, parent = event_partitions.name(MAY), event_partitions.TABLE
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING STORAGE)")
        for first in range(1, count + 1, STEP):
            span = select.format(first=first, last=min(first + STEP - 1, count))
            cursor.execute(f"INSERT INTO {name} ({COLUMNS}) {span}")
        cursor.execute(
            f"ALTER TABLE {parent} ATTACH PARTITION {name}"
            " FOR VALUES FROM ('2026-05-01 00:00:00+00') TO ('2026-06-01 00:00:00+00')"
        )
        cursor.execute("ALTER TABLE billing_event_key DROP CONSTRAINT billing_event_key_pkey")
        cursor.execute(
            f"""INSERT INTO billing_event_key (transaction_id, external_subscription_id, "timestamp")
            SELECT transaction_id, external_subscription_id, "timestamp" FROM {name}"""
        )
        cursor.execute("ALTER TABLE billing_event_key ADD PRIMARY KEY (transaction_id, external_subscription_id)")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


COLUMNS = (
    'id, external_subscription_id, transaction_id, code, "timestamp", received_at, fingerprint, value_source, value,'
    " properties"
)
