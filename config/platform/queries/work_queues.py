"""Counting work queues: how many wait, how much money, and since when. All queues in one statement. Never writes."""

# ruff: noqa: S608 - put together from what the database layer compiles, what comes from outside is a parameter

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import connection, models
from moneyed import Money

from config.kernel.queues import MOST, Queue
from config.platform.models import QueueOwner

_COLUMNS = ("pk", "queue_since", "queue_currency", "queue_amount", "queue_target")
_NOTHING: dict[str, models.Field[Any, Any]] = {
    "queue_currency": models.CharField(),
    "queue_amount": models.DecimalField(max_digits=20, decimal_places=4),
    "queue_target": models.BigIntegerField(),
}


@dataclass(frozen=True)
class Waiting:
    """What waits in a queue: how many, their money by currency, and the oldest (of a deadline, the next).

    What ``is_bounded`` is more than was counted; then the money is that of those who waited longest. ``target`` is the
    object on whose page it stands.
    """

    queue: Queue
    count: int = 0
    is_bounded: bool = False
    amounts: tuple[Money, ...] = ()
    since: datetime | None = None
    target: int | None = None


def counted(*, queues: Sequence[Queue], at: datetime) -> list[Waiting]:
    """Count queues at an instant, in their order. One statement, whatever their number; each stops at `queues.MOST`."""
    if not queues:
        return []
    parts: list[str] = []
    params: list[Any] = []
    for position, queue in enumerate(queues):
        sql, given = _limited(queue, at).query.sql_with_params()
        # A name of its own for each column: the compiled statement calls them as it likes.
        parts.append(
            f"SELECT {position}, q.currency::text, count(*), sum(q.amount::numeric), min(q.since::timestamptz), "
            f"max(q.target::bigint) FROM ({sql}) AS q(pk, since, currency, amount, target) GROUP BY q.currency"
        )
        params += given
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        rows = cursor.fetchall()
    return [_waiting(queue, [row for row in rows if row[0] == position]) for position, queue in enumerate(queues)]


def owners() -> dict[str, QueueOwner]:
    """Return who looks after which queue, by its code. One query."""
    return {row.code: row for row in QueueOwner.objects.select_related("person", "role")}


def _limited(queue: Queue, at: datetime) -> models.QuerySet[Any]:
    rows = queue.rows(at)
    missing = {
        name: models.Value(None, output_field=field)
        for name, field in _NOTHING.items()
        if name not in rows.query.annotations
    }
    return rows.annotate(**missing).order_by("queue_since").values_list(*_COLUMNS)[: MOST + 1]


def _waiting(queue: Queue, rows: Sequence[tuple[Any, ...]]) -> Waiting:
    count = sum(row[2] for row in rows)
    instants = [_instant(row[4]) for row in rows if row[4] is not None]
    amounts = [Money(row[3] or Decimal(0), row[1]) for row in rows if row[1]]
    return Waiting(
        queue=queue,
        count=min(count, MOST),
        is_bounded=count > MOST,
        amounts=tuple(sorted(amounts, key=lambda one: (-abs(one.amount), one.currency.code))),
        since=min(instants, default=None),
        target=max((row[5] for row in rows if row[5] is not None), default=None),
    )


def _instant(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time(), tzinfo=UTC)
