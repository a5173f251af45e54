"""Windows on usage: which events a charge counts over which time, and the SQL that finds them for many windows at once.

Owns the window and the parts of statements that all aggregations share; what is computed of the events is theirs.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.db import connection

from billing.domain import priced_usage, pricing_units
from billing.domain.held_time import HeldTime
from billing.queries import event_values
from billing.queries.price_lists import PricedCharge
from catalog.domain import filters
from catalog.domain.filters import Filter, Id
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import groups, presentation, properties
from catalog.domain.pricing.models import ChargeModel
from catalog.domain.pricing.percentage import Percentage
from config.kernel.dates import Period

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """The events of one subscription and code in ``[from_at, to_at)``, and how they are aggregated.

    ``id`` is whatever the caller knows the window by; ``filters`` are oldest first and share out the events among them.
    ``group_keys`` are the properties by which the usage of a filter is grouped (under None: of what no filter takes),
    ``presentation_keys`` those by which all of it is broken down to be shown.
    ``values_limit`` says how many values of events are wanted, the first ones (None: all), and ``amount_digits`` the
    decimals of the amounts that events carried, if those are wanted. ``held`` is the time that units are measured by,
    for levels and for what is priced by the day.
    """

    id: Hashable
    aggregation: Aggregation
    external_subscription_id: str
    event_code: str
    field_name: str
    from_at: datetime
    to_at: datetime
    filters: tuple[Filter, ...] = ()
    group_keys: Mapping[Id | None, tuple[str, ...]] = field(default_factory=dict)
    values_limit: int | None = 0
    amount_digits: int | None = None
    held: HeldTime | None = None
    presentation_keys: tuple[str, ...] = ()

    @property
    def is_recurring(self) -> bool:
        """Say whether everything counts that came before, too."""
        return self.from_at == _EVER

    @cached_property
    def filter_names(self) -> tuple[str, ...]:
        """The properties that decide about the filter."""
        return filters.names(self.filters)

    @cached_property
    def group_names(self) -> tuple[str, ...]:
        """The properties that decide about the group, in any filter."""
        return tuple(sorted({name for names in self.group_keys.values() for name in names}))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The properties that decide about the filter, then those that decide about the group."""
        return (*self.filter_names, *self.group_names)

    def filter_of(self, values: Sequence[str | None]) -> Id | None:
        """Return the filter of the events that have these values of ``keys``."""
        return filters.assign(filters=self.filters, properties=dict(zip(self.filter_names, values, strict=False)))

    def group_of(self, values: Sequence[str | None]) -> dict[str, str | None]:
        """Return the group of the events that have these values of ``keys``, by the keys of their filter."""
        names = self.group_keys.get(self.filter_of(values), ())
        found = dict(zip(self.group_names, values[len(self.filter_names) :], strict=False))
        return {name: found[name] for name in names}


def of_charge(
    *,
    id: Hashable,  # noqa: A002 - the name of the field
    charge: PricedCharge,
    external_subscription_id: str,
    period: Period,
    held: HeldTime,
    by_days: bool = True,
) -> Window:
    """Return the window that a charge of a subscription looks through; its filters are known by their keys.

    `period` are the instants of the events that count, those of all time before with them where the metric is
    recurring; `held` is the time for which what they add is there, unless units count in full all the same.
    """
    metric = charge.metric
    return Window(
        id=id,
        aggregation=metric.aggregation,
        external_subscription_id=external_subscription_id,
        event_code=metric.event_code,
        field_name=metric.field_name,
        from_at=_EVER if metric.is_recurring else period.start,
        to_at=period.end,
        filters=tuple(
            filters.resolve(filter_id=row.id, values=row.values, declared=metric.declared) for row in charge.filters
        ),
        group_keys={filter_id: names for filter_id, raw in _prices(charge) if (names := groups.parse(raw))},
        presentation_keys=tuple(key.name for key in presentation.parse(charge.properties)),
        values_limit=values_limit(charge),
        amount_digits=amount_digits(charge),
        held=held if charge.counts_time and by_days else None,
    )


def _prices(charge: PricedCharge) -> list[tuple[Id | None, Mapping[str, object]]]:
    return [(None, charge.properties), *((row.id, row.properties) for row in charge.filters)]


def amount_digits(charge: PricedCharge) -> int | None:
    """Return the decimals of the amounts that events carry in minor units, where a charge adds them up; else None."""
    if charge.model is not ChargeModel.DYNAMIC:
        return None
    return pricing_units.amount_digits(currency=charge.currency, unit=charge.pricing_unit)


def values_limit(charge: PricedCharge) -> int | None:
    """Return how many values of events can matter to the prices of a charge, the first ones of each; None: all."""
    limits = [_values_limit(charge, raw) for raw in (charge.properties, *(row.properties for row in charge.filters))]
    known = [limit for limit in limits if limit is not None]
    return max(known) if len(known) == len(limits) else None


def _values_limit(charge: PricedCharge, raw: Mapping[str, object]) -> int | None:
    if charge.model is not ChargeModel.PERCENTAGE:
        return 0
    terms = properties.parse(model=charge.model, raw=raw)
    if not isinstance(terms, Percentage) or not priced_usage.reads_values(
        terms=terms, aggregation=charge.metric.aggregation
    ):
        return 0
    return terms.values_limit


def place(window: Window, bucket: str | None) -> tuple[Id | None, dict[str, str | None]]:
    """Return the filter and the group of a bucket, given as the JSON text that the database answers with."""
    values = [] if bucket is None else json.loads(bucket)
    return window.filter_of(values), window.group_of(values)


def fetch(sql: str, windows: Mapping[int, Window], **parameters: Any) -> list[tuple[Any, ...]]:
    """Run a statement over numbered windows and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "windows": json.dumps([_row(number, window) for number, window in windows.items()]),
                # Known to the planner in advance, so that it leaves out the partitions of all other months.
                "first": min(window.from_at for window in windows.values()),
                "end": max(window.to_at for window in windows.values()),
                **_constants(windows),
                **parameters,
            },
        )
        return cursor.fetchall()


def wanted(*, keys: int = 0) -> str:
    """Return the common table ``wanted``: a row for each window, with a digest of the name of the property it reads.

    ``keys`` is the highest number of properties that decide about filters and groups; ``k1`` is the first of them and
    ``v1`` the values that count, missing where all do. ``few`` is the number of values wanted.
    """
    more = "".join(f", k{number} text, v{number} jsonb" for number in _numbers(keys))
    return f"""
    wanted AS MATERIALIZED (
        SELECT *, {event_values.source("field")} AS source
        FROM jsonb_to_recordset(%(windows)s::jsonb) AS w (
            n int, s text COLLATE "C", c text COLLATE "C", f timestamptz, t timestamptz, field text, few int{more}
        )
    )"""


def only(*, keys: int = 0) -> str:
    """Return the common table ``wanted`` of one window, for statements that see many of its events.

    Its row is made of constants: the planner knows how many events to expect and may share them out among processes.
    """
    more = "".join(f", %(k{one})s::text AS k{one}, %(v{one})s::jsonb AS v{one}" for one in _numbers(keys))
    return f"""
    wanted AS NOT MATERIALIZED (
        SELECT *, {event_values.source("field")} AS source
        FROM (
            SELECT %(n)s::int AS n, %(s)s::text COLLATE "C" AS s, %(c)s::text COLLATE "C" AS c, %(f)s::timestamptz AS f,
                %(t)s::timestamptz AS t, %(field)s::text AS field, %(few)s::int AS few{more}
        ) AS w
    )"""


SENT = """billing_usage_event AS e
    WHERE e.external_subscription_id = w.s AND e.code = w.c AND e."timestamp" >= w.f AND e."timestamp" < w.t
        AND e."timestamp" >= %(first)s AND e."timestamp" < %(end)s"""
"""The events ``e`` of a window ``w`` as they were sent, after FROM: those that a correction replaced are among them."""

EVENTS = f"{SENT} AND e.replaced_at IS NULL"
"""The events ``e`` of a window ``w`` that are usage, after FROM."""

VALUE = f"""CASE WHEN e.value_source = w.source THEN e.value
    ELSE {event_values.number(properties="e.properties", field_name="w.field")} END"""
"""The number that a window reads in an event: the one taken out of it, if it is that property's. Needs the row."""


def bucket(keys: int) -> str:
    """Return the SQL of the values that decide about filter and group of an event: null where it is none that counts.

    Without keys it is null: there is one bucket.
    """
    if not keys:
        return "NULL::jsonb"
    texts = [f"e.properties ->> w.k{number}" for number in range(1, keys + 1)]
    cases = [
        f"CASE WHEN w.v{number} IS NULL OR jsonb_exists(w.v{number}, {text}) THEN {text} END"
        for number, text in enumerate(texts, 1)
    ]
    return f"jsonb_build_array({', '.join(cases)})"


def _row(number: int, window: Window) -> dict[str, Any]:
    row: dict[str, Any] = {
        "n": number,
        "s": window.external_subscription_id,
        "c": window.event_code,
        "f": window.from_at.isoformat(),
        "t": window.to_at.isoformat(),
        "field": window.field_name,
        "few": window.values_limit,
    }
    for number, key in enumerate(window.keys, start=1):
        row[f"k{number}"] = key
    for number, key in enumerate(window.filter_names, start=1):
        row[f"v{number}"] = sorted({value for one in window.filters for value in one.values.get(key, ())})
    return row


def _constants(windows: Mapping[int, Window]) -> dict[str, Any]:
    """Return what `only` refers to, where there is one window."""
    if len(windows) != 1:
        return {}
    ((number, window),) = windows.items()
    values = {f"v{one}": None for one in _numbers(len(window.keys))}
    row = {**values, **_row(number, window)}
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in row.items()}


def _numbers(keys: int) -> range:
    return range(1, keys + 1)
