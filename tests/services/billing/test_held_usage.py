"""Usage that is measured by the time that it is held: what the database finds is what the plain rules say."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import aggregation, held_time, periods, prorated_usage, weighted_sum
from billing.domain.contract import UsageFacts
from billing.domain.prorated_usage import Held, Prorated
from billing.domain.usage_events import EventIn
from billing.domain.weighted_sum import Weighted
from billing.models import UsageEvent
from billing.queries import aggregates
from billing.queries.event_windows import Window
from catalog.domain import filters
from catalog.domain.filters import Filter
from catalog.domain.metrics import Aggregation
from config.kernel import dates
from config.kernel.dates import Period
from tests.factories import usage
from tests.factories.usage import make_event, store

pytestmark = pytest.mark.django_db

D = Decimal
SUM, UNIQUE, WEIGHTED = Aggregation.SUM, Aggregation.UNIQUE_COUNT, Aggregation.WEIGHTED_SUM
KINDS = (SUM, UNIQUE, WEIGHTED)
EVER = datetime.min.replace(tzinfo=UTC)
EU = Filter("eu", {"region": frozenset({"de", "fr"})})
numbers = itertools.count(1)


def window(kind: Aggregation, *filters: Filter, zone: str = "UTC", until: str = "2026-06-01", **values: Any) -> Window:
    """Look at May 2026 of subscription "sub", code "seats", property "size", and at all that came before."""
    timezone = dates.zone(zone)
    schedule = periods.schedule(
        interval="monthly",
        billing_time="calendar",
        subscription_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
        timezone=timezone,
    )
    billed = Period(
        dates.start_of_day(date(2026, 5, 1), timezone), datetime.fromisoformat(until).replace(tzinfo=timezone)
    )
    given_values: dict[str, Any] = {
        "id": (kind, len(filters)),
        "external_subscription_id": "sub",
        "event_code": "seats",
        "field_name": "size",
        "from_at": EVER,
        "to_at": billed.end,
        "held": held_time.of(schedule, billed),
        **values,
    }
    return Window(aggregation=kind, filters=filters, **given_values)


def changed(moment: str, size: object, operation: str | None = None, **more: Any) -> None:
    content = more if operation is None else {**more, "operation_type": operation}
    store(
        make_event(moment, code="seats", properties={"size": size, **content}, transaction_id=f"tx-{next(numbers):04}")
    )


def read(one: Window) -> list[UsageFacts]:
    return aggregates.usage(windows=[one])[one.id]


def test_no_events_hold_nothing() -> None:
    assert aggregates.usage(windows=[window(kind) for kind in KINDS]) == {(kind, 0): [] for kind in KINDS}


def test_a_sum_counts_by_the_day() -> None:
    changed("2026-03-10T00:00:00", 7)
    changed("2026-04-30T23:59:59", "-2")
    changed("2026-05-01T00:00:00", 1)
    changed("2026-05-17T12:00:00", 20)
    changed("2026-05-17T13:00:00", "-18.5")
    changed("2026-05-18T00:00:00", "x")
    changed("2026-06-01T00:00:00", 1000)
    [found] = read(window(SUM))
    held = (Held(D(5), 31), Held(D(1), 31), Held(D(20), 15), Held(D("-18.5"), 15))
    assert found.facts == Prorated(SUM, 5, D("7.5"), held, 31)
    assert aggregation.value(found.facts) == D("6.72581")  # (6 × 31 + 1.5 × 15) / 31 = 6.725806…, up
    counted = UsageEvent.objects.exclude(properties__size="x").exclude(properties__size=1000)
    assert found.digest == sum(counted.values_list("fingerprint", flat=True))


def test_days_are_local() -> None:
    changed("2026-05-16T20:00:00", 31)  # 5 o'clock on the 17th in Tokyo
    assert [one.facts.held for one in read(window(SUM))] == [(Held(D(31), 16),)]
    assert [one.facts.held for one in read(window(SUM, zone="Asia/Tokyo"))] == [(Held(D(31), 15),)]


def test_a_termination_counts_its_day_and_leaves_the_rest() -> None:
    changed("2026-03-01T00:00:00", 31)
    changed("2026-05-16T08:00:00", 31)
    [found] = read(window(SUM, until="2026-05-20T06:00:00"))
    assert found.facts.held == (Held(D(31), 20), Held(D(31), 5))  # of 31 days, which the whole month has
    assert aggregation.value(found.facts) == 25


def test_unique_values_count_by_the_day() -> None:
    changed("2026-03-01T00:00:00", "a")  # there all the time
    changed("2026-03-02T00:00:00", "b", "add")
    changed("2026-05-10T09:00:00", "b", "remove")  # 1 to 10 May
    changed("2026-03-03T00:00:00", "c", "add")
    changed("2026-04-30T10:00:00", "c", "remove")  # gone before
    changed("2026-05-12T00:00:00", "d")
    changed("2026-05-13T00:00:00", "d", "add")  # again changes nothing
    changed("2026-05-20T00:00:00", "d", "remove")
    changed("2026-05-20T23:00:00", "d", "add")  # back on the same day: it never left
    changed("2026-05-31T23:59:59", "e", "remove")  # never there
    [found] = read(window(UNIQUE))
    held = (Held(D(1), 31), Held(D(1), 10), Held(D(-1), 0), Held(D(1), 20))
    assert found.facts == Prorated(UNIQUE, 10, D(2), held, 31)
    assert aggregation.value(found.facts) == D("1.96775")  # 61 / 31 = 1.967741…, up


def test_changes_that_count_alike_come_as_one() -> None:
    for name in range(50):
        changed("2026-03-01T00:00:00", f"user-{name}")
    changed("2026-05-31T10:00:00", "user-x")
    [found] = read(window(UNIQUE))
    assert found.facts.held == (Held(D(50), 31), Held(D(1), 1))


def test_levels_count_for_their_seconds() -> None:
    changed("2026-03-10T00:00:00", 100)
    changed("2026-05-16T12:00:00", -62)  # half of the month
    [found] = read(window(WEIGHTED))
    month = D(31 * 86_400)
    assert found.facts == Weighted(2, 100 * month - 62 * month / 2, D(38), month)
    assert aggregation.value(found.facts) == 69
    [metered] = read(window(WEIGHTED, from_at=datetime(2026, 5, 1, tzinfo=UTC)))
    assert aggregation.value(metered.facts) == -31


def test_a_level_held_through_a_change_of_clocks_is_what_it_is() -> None:
    berlin = dates.zone("Europe/Berlin")
    schedule = periods.schedule(
        interval="monthly",
        billing_time="calendar",
        subscription_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
        timezone=berlin,
    )
    march = periods.period_on(schedule, date(2026, 3, 10)).period
    changed("2026-02-01T00:00:00", 1000)
    [found] = read(window(WEIGHTED, held=held_time.of(schedule, march), to_at=march.end))
    assert aggregation.value(found.facts) == 1000  # 743 hours of 743


def test_each_filter_and_group_counts_alone() -> None:
    changed("2026-03-10T00:00:00", 7, region="de")
    changed("2026-05-17T00:00:00", 31, region="fr")
    changed("2026-05-31T00:00:00", 31, region="us")
    found = {one.filter_id: one.facts.held for one in read(window(SUM, EU))}
    assert found == {"eu": (Held(D(7), 31), Held(D(31), 15)), None: (Held(D(31), 1),)}
    grouped = read(window(SUM, group_keys={None: ("region",)}))
    assert sorted((one.group["region"], one.facts.held) for one in grouped) == [
        ("de", (Held(D(7), 31),)),
        ("fr", (Held(D(31), 15),)),
        ("us", (Held(D(31), 1),)),
    ]


def test_the_number_of_statements_does_not_depend_on_the_number_of_windows() -> None:
    def statements(subscriptions: int) -> int:
        windows = [
            window(kind, *some, id=(number, kind, len(some)), external_subscription_id=f"sub-{number}")
            for number in range(subscriptions)
            for kind in KINDS
            for some in ((), (EU,))
        ]
        with CaptureQueriesContext(connection) as captured:
            assert len(aggregates.usage(windows=windows)) == len(windows)
        return len(captured)

    for number in range(10):
        store(make_event(external_subscription_id=f"sub-{number}", code="seats", properties={"size": number}))
    few = statements(1)
    assert few == 11  # sums and levels 1, unique values 2; with filters one more each to find them
    assert statements(10) == few


contents = st.lists(
    st.fixed_dictionaries(
        {
            "size": st.integers(-5, 5),
            "hour": st.integers(-200, 800),
            "region": st.sampled_from(["de", "fr", "us"]),
        },
        optional={"operation_type": st.sampled_from(["add", "remove"])},
    ),
    max_size=10,
)


@settings(max_examples=40, deadline=None)
@given(properties=contents, data=st.data(), wanted=st.sampled_from([(), (EU,)]))
def test_the_plain_rules_agree(properties: list[dict[str, Any]], data: st.DataObject, wanted: Sequence[Filter]) -> None:
    usage.clear()
    start = datetime(2026, 5, 1, tzinfo=UTC)
    events = [
        make_event(
            f"{start + timedelta(hours=content['hour']):%Y-%m-%dT%H:%M:%S}",
            code="seats",
            transaction_id=f"tx-{place:02}",
            properties=content,
        )
        for place, content in enumerate(properties)
    ]
    for event in data.draw(st.permutations(events)):
        store(event)
    windows = [window(kind, *wanted) for kind in KINDS]
    found = aggregates.usage(windows=windows)
    in_time = sorted(zip(events, properties, strict=True), key=lambda pair: (pair[0].timestamp, pair[0].transaction_id))
    shares: dict[Any, list[tuple[EventIn, dict[str, Any]]]] = {}
    for event, content in in_time:
        if event.timestamp < datetime(2026, 6, 1, tzinfo=UTC):
            shares.setdefault(filters.assign(filters=wanted, properties=content), []).append((event, content))
    for one in windows:
        by_filter = {part.filter_id: aggregation.value(part.facts) for part in found[one.id]}
        assert by_filter == {key: _by_hand(one, share) for key, share in shares.items()}


def _by_hand(one: Window, share: Sequence[tuple[EventIn, dict[str, Any]]]) -> Decimal:
    """Add up once more, change by change."""
    assert one.held is not None
    start, end = one.held.billed.start, one.held.billed.end
    if one.aggregation is WEIGHTED:
        changes = [(event.timestamp, D(content["size"])) for event, content in share]
        return weighted_sum.value(
            weighted_sum.held(changes=changes, start=start, end=end, seconds=one.held.seconds, before=D(0))
        )
    if one.aggregation is SUM:
        days = [
            D(content["size"]) * (31 - max(event.timestamp.day, 1) + 1 if event.timestamp >= start else 31)
            for event, content in share
        ]
        return prorated_usage.value(Prorated(SUM, 1, D(0), (Held(sum(days, D(0)), 1),), 31))
    operations: dict[int, list[tuple[date, str]]] = {}
    for event, content in share:
        operations.setdefault(content["size"], []).append(
            (event.timestamp.date(), content.get("operation_type", "add"))
        )
    total = 0
    for of_value in operations.values():
        for first, last in prorated_usage.stays(of_value):
            if last is None or last >= date(2026, 5, 1):
                total += ((last or date(2026, 5, 31)) - max(first, date(2026, 5, 1))).days + 1
    return prorated_usage.value(Prorated(UNIQUE, 1, D(0), (Held(D(total), 1),), 31))
