"""The amounts that events carry themselves, which dynamic prices add up. Owns its statement."""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

import decimal
from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from billing.domain import pricing_units
from billing.domain.contract import UsageFacts
from billing.queries import event_windows
from billing.queries.event_windows import EVENTS, VALUE, Window
from config.kernel import money


def add(*, windows: Mapping[int, Window], usage: dict[Hashable, list[UsageFacts]]) -> None:
    """Put the sum of the events' amounts, in major units of the window's price and unrounded, into the usage of the
    windows that want it, with one statement for all of them. Events that do not count are left out.
    """
    wanted = {number: window for number, window in windows.items() if window.amount_digits is not None}
    if not wanted:
        return
    found: dict[Any, Decimal] = defaultdict(Decimal)
    keys = max(len(window.keys) for window in wanted.values())
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for number, bucket, amount in event_windows.fetch(_statement(keys), wanted):
            filter_id, group = event_windows.place(wanted[number], bucket)
            digits = wanted[number].amount_digits or 0
            found[number, filter_id, tuple(group.items())] += pricing_units.carried(amount=amount, digits=digits)
    for number, window in wanted.items():
        usage[window.id] = [
            replace(part, given_amount=found[number, part.filter_id, tuple(part.group.items())])
            for part in usage[window.id]
        ]


def _statement(keys: int) -> str:
    return f"""
    WITH {event_windows.wanted(keys=keys)}
    SELECT w.n, x.bucket::text, x.amount
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT bucket, coalesce(sum(amount), 0) AS amount
        FROM (
            SELECT {event_windows.bucket(keys)} AS bucket, {VALUE} AS value, e.precise_total_amount_cents AS amount
            FROM {EVENTS}
        ) AS events
        WHERE value IS NOT NULL
        GROUP BY bucket
    ) AS x"""
