"""What events add up to, for many windows at once: exact figures, whatever the order in which events came in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import aggregation
from billing.domain.aggregation import Latest
from billing.domain.usage_events import EventIn
from billing.models import UsageEvent
from billing.queries import aggregates
from billing.queries.event_windows import Window
from catalog.domain import filters
from catalog.domain.filters import Filter
from catalog.domain.metrics import Aggregation
from tests.factories import catalog
from tests.factories.usage import make_event, store

pytestmark = pytest.mark.django_db

COUNT, SUM, MAX = Aggregation.COUNT, Aggregation.SUM, Aggregation.MAX
UNIQUE, LATEST = Aggregation.UNIQUE_COUNT, Aggregation.LATEST
KINDS = (COUNT, SUM, MAX, UNIQUE, LATEST)  # those that no time is measured for

EU = Filter("eu", {"region": frozenset({"de", "fr"})})
EU_FAST = Filter("eu-fast", {"region": frozenset({"de", "fr"}), "tier": frozenset({"fast"})})
US = Filter("us", {"region": frozenset({"us"})})


def window(kind: Aggregation, *filters: Filter, **values: Any) -> Window:
    """Look at May 2026 of subscription "sub", code "requests", property "size"."""
    given_values: dict[str, Any] = {
        "id": kind,
        "external_subscription_id": "sub",
        "event_code": "requests",
        "field_name": "" if kind is COUNT else "size",
        "from_at": datetime(2026, 5, 1, tzinfo=UTC),
        "to_at": datetime(2026, 6, 1, tzinfo=UTC),
        **values,
    }
    return Window(aggregation=kind, filters=filters, **given_values)


def figures(*windows: Window) -> dict[Any, dict[Any, tuple[int, str]]]:
    """Return number of events and value by window and filter."""
    found = aggregates.usage(windows=windows)
    return {
        key: {one.filter_id: (one.facts.events_count, f"{aggregation.value(one.facts):f}") for one in parts}
        for key, parts in found.items()
    }


def sized(*sizes: object, moment: str = "2026-05-04T12:00:00", **more: Any) -> None:
    store(*[make_event(moment, properties={"size": size, **more}) for size in sizes])


def digest(rows: Sequence[UsageEvent] | None = None) -> int:
    return sum(row.fingerprint for row in (UsageEvent.objects.all() if rows is None else rows))


def test_every_kind_of_figure() -> None:
    sized(3, "10.25", -1)
    sized(2, moment="2026-05-05T00:00:00")
    assert figures(*[window(kind) for kind in KINDS]) == {
        COUNT: {None: (4, "4")},
        SUM: {None: (4, "14.25")},  # 3 + 10.25 - 1 + 2
        MAX: {None: (4, "10.25")},
        LATEST: {None: (4, "2")},
        UNIQUE: {None: (4, "4")},
    }


def test_no_events_are_no_units() -> None:
    found = aggregates.usage(windows=[window(kind) for kind in KINDS])
    assert set(found) == set(KINDS)
    for kind, parts in found.items():
        assert [(one.facts.events_count, aggregation.value(one.facts), one.digest) for one in parts] in (
            [],
            [(0, 0, 0)],
        ), kind
    assert aggregates.usage(windows=[]) == {}


def test_windows_are_half_open_to_the_microsecond() -> None:
    for moment in (
        "2026-04-30T23:59:59.999999",
        "2026-05-01T00:00:00",
        "2026-05-31T23:59:59.999999",
        "2026-06-01T00:00:00",
    ):
        sized(1, moment=moment)
    before = window(
        COUNT, id="before", from_at=datetime(2026, 4, 1, tzinfo=UTC), to_at=datetime(2026, 5, 1, tzinfo=UTC)
    )
    after = window(COUNT, id="after", from_at=datetime(2026, 6, 1, tzinfo=UTC), to_at=datetime(2026, 7, 1, tzinfo=UTC))
    assert figures(before, window(COUNT, id="may"), after, window(SUM, id="sum")) == {
        "before": {None: (1, "1")},
        "may": {None: (2, "2")},
        "after": {None: (1, "1")},
        "sum": {None: (2, "2")},
    }


def test_other_subscriptions_and_codes_are_left_alone() -> None:
    sized(1)
    store(make_event(code="other", properties={"size": 5}))
    store(make_event(external_subscription_id="SUB", properties={"size": 7}))
    assert figures(window(SUM), window(COUNT, id="other", external_subscription_id="SUB")) == {
        SUM: {None: (1, "1")},
        "other": {None: (1, "1")},
    }


def test_events_without_a_plain_decimal_do_not_count_where_a_number_is_read() -> None:
    sized(4, "1e3", "x", None, True, "")
    store(make_event(properties={"other": 9}))
    assert figures(*[window(kind) for kind in KINDS]) == {
        COUNT: {None: (7, "7")},
        SUM: {None: (1, "4")},
        MAX: {None: (1, "4")},
        LATEST: {None: (1, "4")},
        # 4, "1e3", "x", true and the empty text are different values; null and nothing are none.
        UNIQUE: {None: (5, "5")},
    }


def test_the_digest_is_of_the_events_that_count() -> None:
    sized(1, 2, "x")
    found = aggregates.usage(windows=[window(COUNT), window(SUM)])
    assert found[COUNT][0].digest == digest()
    assert found[SUM][0].digest == digest([row for row in UsageEvent.objects.all() if row.properties["size"] != "x"])


def test_a_metric_that_is_younger_than_its_events_counts_them() -> None:
    sized(1)
    catalog.make_metric("requests", "sum_agg", field_name="size")
    sized(2)
    assert UsageEvent.objects.filter(value_source__isnull=True).count() == 1
    assert figures(window(SUM), window(MAX), window(LATEST)) == {
        SUM: {None: (2, "3")},
        MAX: {None: (2, "2")},
        LATEST: {None: (2, "2")},
    }
    assert figures(window(SUM, US), window(MAX, US), window(LATEST, US)) == {
        SUM: {None: (2, "3")},
        MAX: {None: (2, "2")},
        LATEST: {None: (2, "2")},
    }


def test_several_metrics_read_the_same_events() -> None:
    catalog.make_metric("requests", "sum_agg", field_name="size")
    catalog.make_metric("seconds", "max_agg", field_name="seconds", event_code="requests")
    sized(5, seconds=2)
    sized(6, seconds="0.5")
    assert figures(window(SUM), window(MAX, field_name="seconds"), window(SUM, id="s", field_name="seconds")) == {
        SUM: {None: (2, "11")},
        MAX: {None: (2, "2")},
        "s": {None: (2, "2.5")},
    }


def test_a_metric_that_reads_another_property_than_before_is_read_from_the_properties() -> None:
    metric = catalog.make_metric("requests", "sum_agg", field_name="bytes")
    sized(5, bytes=1000)
    metric.field_name = "size"
    metric.save(update_fields=["field_name"])
    sized(6, bytes=1000)
    assert figures(window(SUM)) == {SUM: {None: (2, "11")}}


def test_the_latest_value_is_of_the_last_event_in_time() -> None:
    sized(9, moment="2026-05-20T00:00:00")
    sized(1, moment="2026-05-04T00:00:00")
    sized("none", moment="2026-05-30T00:00:00")
    sized(3, moment="2026-06-01T00:00:00")
    assert figures(window(LATEST)) == {LATEST: {None: (2, "9")}}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("filters", [(), (EU,)])
def test_between_events_of_one_instant_the_higher_transaction_id_is_the_latest(
    order: tuple[int, ...], filters: tuple[Filter, ...]
) -> None:
    events = [make_event(transaction_id=f"tx-{name}", properties={"size": name}) for name in (1, 2, 3)]
    for position in order:
        store(events[position])
    (usage,) = aggregates.usage(windows=[window(LATEST, *filters)])[LATEST]
    assert usage.facts == Latest(3, Decimal(3), datetime(2026, 5, 4, 12, tzinfo=UTC), "tx-3")


def test_a_value_that_was_removed_does_not_count() -> None:
    def operation(day: int, value: str, name: str | None) -> None:
        more = {} if name is None else {"operation_type": name}
        sized(value, moment=f"2026-05-{day:02}T00:00:00", **more)

    operation(1, "a", None)  # stays
    operation(2, "b", "add")
    operation(3, "b", "remove")  # gone
    operation(4, "c", "remove")
    operation(5, "c", "add")  # back
    operation(6, "d", "remove")  # never there
    assert figures(window(UNIQUE)) == {UNIQUE: {None: (6, "2")}}
    assert figures(window(UNIQUE, EU)) == {UNIQUE: {None: (6, "2")}}


def test_each_event_is_in_one_filter_or_in_none() -> None:
    sized(1, region="de", tier="fast")  # two properties beat one
    sized(2, region="fr", tier="slow")
    sized(4, region="us", tier="fast")
    sized(8, region="jp", tier="fast")
    sized(16)
    sized(32, region="de")
    windows = [window(kind, EU, EU_FAST, US) for kind in KINDS]
    assert figures(*windows) == {
        COUNT: {"eu-fast": (1, "1"), "eu": (2, "2"), "us": (1, "1"), None: (2, "2")},
        SUM: {"eu-fast": (1, "1"), "eu": (2, "34"), "us": (1, "4"), None: (2, "24")},
        MAX: {"eu-fast": (1, "1"), "eu": (2, "32"), "us": (1, "4"), None: (2, "16")},
        LATEST: {"eu-fast": (1, "1"), "eu": (2, "32"), "us": (1, "4"), None: (2, "16")},
        UNIQUE: {"eu-fast": (1, "1"), "eu": (2, "2"), "us": (1, "1"), None: (2, "2")},
    }
    for parts in aggregates.usage(windows=windows).values():
        assert sum(one.digest for one in parts) == digest()


def test_a_value_that_several_combinations_share_counts_once_in_a_filter() -> None:
    sized("x", region="de")
    sized("x", region="fr")
    sized("y", region="fr")
    sized("x", region="us")
    assert figures(window(UNIQUE, EU)) == {UNIQUE: {"eu": (3, "2"), None: (1, "1")}}


def test_filters_compare_numbers_and_flags_as_text() -> None:
    ok = Filter("ok", {"status": frozenset({"200", "true"})})
    sized(1, status=200)
    sized(2, status="200")
    sized(4, status=True)
    sized(8, status=404)
    sized(16, status=None)
    assert figures(window(SUM, ok)) == {SUM: {"ok": (3, "7"), None: (2, "24")}}


def test_the_number_of_statements_does_not_depend_on_the_number_of_windows() -> None:
    def statements(subscriptions: int) -> int:
        windows = [
            window(kind, *filters, id=(number, kind, len(filters)), external_subscription_id=f"sub-{number}")
            for number in range(subscriptions)
            for kind in KINDS
            for filters in ((), (EU,), (EU_FAST, US))
        ]
        with CaptureQueriesContext(connection) as captured:
            assert len(aggregates.usage(windows=windows)) == len(windows)
        return len(captured)

    catalog.make_metric("requests", "sum_agg", field_name="size")
    for number in range(20):
        store(
            make_event(external_subscription_id=f"sub-{number}", properties={"size": number, "region": "de"}),
            make_event(external_subscription_id=f"sub-{number}", properties={"size": number, "tier": "fast"}),
        )
    few = statements(1)
    assert few == 11  # without filters 5, with filters 4 and 2 for unique values
    assert statements(20) == few


def test_counts_and_sums_are_answered_by_the_index_alone() -> None:
    sized(*range(50))
    store(*[make_event(external_subscription_id=f"sub-{number % 50}") for number in range(1000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_usage_event")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL random_page_cost = 1.1")  # in so few rows others would do as well
    with CaptureQueriesContext(connection) as captured:
        aggregates.usage(windows=[window(COUNT), window(MAX)])
    for statement in (captured[0]["sql"], captured[1]["sql"]):
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + statement.replace("%", "%%"), [])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Index Only Scan" in plan
        assert plan.count("on billing_usage_event_") == 1, plan  # the other months are left out


events_of_a_month = st.lists(
    st.fixed_dictionaries(
        {"size": st.integers(-9, 9), "region": st.sampled_from(["de", "us", "jp"])},
        optional={"tier": st.sampled_from(["fast", "slow"]), "operation_type": st.sampled_from(["add", "remove"])},
    ),
    max_size=12,
)


@settings(max_examples=25)
@given(properties=events_of_a_month, data=st.data())
def test_neither_order_nor_cut_of_the_batches_matters(properties: list[dict[str, Any]], data: st.DataObject) -> None:
    events = [
        make_event(f"2026-05-{1 + place % 3:02}T00:00:00", transaction_id=f"tx-{place}", properties=content)
        for place, content in enumerate(properties)
    ]
    order = data.draw(st.permutations(events))
    cut = data.draw(st.integers(0, len(events)))
    windows = [window(kind, *filters, id=(kind, len(filters))) for kind in KINDS for filters in ((), (EU, EU_FAST))]

    def read(*batches: Sequence[Any]) -> dict[Any, Any]:
        UsageEvent.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM billing_event_key")
        for batch in batches:
            if batch:
                store(*batch)
        found = aggregates.usage(windows=windows)
        return {key: {one.filter_id: one for one in parts} for key, parts in found.items()}

    found = read(order[:cut], order[cut:])
    assert found == read(events)
    for kind in KINDS:
        for wanted in ((), (EU, EU_FAST)):
            parts = found[kind, len(wanted)]
            assert sum(one.facts.events_count for one in parts.values()) == len(events), kind
            values = {key: aggregation.value(one.facts) for key, one in parts.items() if one.facts.events_count}
            assert values == _by_hand(kind, wanted, events, properties)


def _by_hand(
    kind: Aggregation, wanted: Sequence[Filter], events: Sequence[EventIn], properties: Sequence[dict[str, Any]]
) -> dict[Any, Decimal]:
    """Aggregate once more, event by event."""
    shares: dict[Any, list[dict[str, Any]]] = {}
    in_time = sorted(zip(events, properties, strict=True), key=lambda pair: (pair[0].timestamp, pair[0].transaction_id))
    for _, content in in_time:
        shares.setdefault(filters.assign(filters=wanted, properties=content), []).append(content)
    figure: dict[Aggregation, Callable[[list[dict[str, Any]]], int]] = {
        COUNT: len,
        SUM: lambda share: sum(one["size"] for one in share),
        MAX: lambda share: max(one["size"] for one in share),
        LATEST: lambda share: share[-1]["size"],
        UNIQUE: lambda share: len(
            aggregation.active_values((str(one["size"]), one.get("operation_type", "add")) for one in share)
        ),
    }
    return {key: Decimal(figure[kind](share)) for key, share in shares.items()}
