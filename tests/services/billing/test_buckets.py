"""What usage is read for prices with groups, single transactions and given amounts, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain import aggregation
from billing.domain.contract import UsageFacts
from billing.queries import aggregates
from billing.queries.event_windows import Window
from catalog.domain.filters import Filter
from catalog.domain.metrics import Aggregation
from tests.factories.usage import make_event, store

pytestmark = pytest.mark.django_db

D = Decimal
EU = Filter("eu", {"region": frozenset({"de", "fr"})})
KINDS = (Aggregation.COUNT, Aggregation.SUM, Aggregation.MAX, Aggregation.LATEST, Aggregation.UNIQUE_COUNT)


def window(kind: Aggregation = Aggregation.SUM, *filters: Filter, **values: Any) -> Window:
    """Look at May 2026 of subscription "sub", code "requests", property "size"."""
    given_values: dict[str, Any] = {
        "id": kind,
        "external_subscription_id": "sub",
        "event_code": "requests",
        "field_name": "" if kind is Aggregation.COUNT else "size",
        "from_at": datetime(2026, 5, 1, tzinfo=UTC),
        "to_at": datetime(2026, 6, 1, tzinfo=UTC),
        **values,
    }
    return Window(aggregation=kind, filters=filters, **given_values)


def read(one: Window) -> dict[tuple[Any, tuple[str | None, ...]], UsageFacts]:
    """Return the usage by filter and values of the group."""
    return {(part.filter_id, tuple(part.group.values())): part for part in aggregates.usage(windows=[one])[one.id]}


def sized(moment: str, size: object, transaction_id: str = "", amount_cents: str | None = None, **more: Any) -> None:
    own = {"transaction_id": transaction_id} if transaction_id else {}
    store(make_event(moment, properties={"size": size, **more}, amount_cents=amount_cents, **own))


def regions() -> None:
    sized("2026-05-04T00:00:00", 3, region="de", provider="a")
    sized("2026-05-05T00:00:00", 4, region="de", provider="b")
    sized("2026-05-06T00:00:00", 4, region="us", provider="a")
    sized("2026-05-07T00:00:00", 2, region="us")
    sized("2026-05-08T00:00:00", 2, region=None)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Aggregation.COUNT, {"de": 2, "us": 2, None: 1}),
        (Aggregation.SUM, {"de": 7, "us": 6, None: 2}),
        (Aggregation.MAX, {"de": 4, "us": 4, None: 2}),
        (Aggregation.LATEST, {"de": 4, "us": 2, None: 2}),
        (Aggregation.UNIQUE_COUNT, {"de": 2, "us": 2, None: 1}),
    ],
)
def test_each_group_is_counted_alone(kind: Aggregation, expected: dict[str | None, int]) -> None:
    regions()
    found = read(window(kind, group_keys={None: ("region",)}))
    assert {group: aggregation.value(part.facts) for (_, (group,)), part in found.items()} == expected


@pytest.mark.parametrize("kind", KINDS)
def test_filters_have_groups_of_their_own(kind: Aggregation) -> None:
    regions()
    found = read(window(kind, EU, group_keys={"eu": ("provider",), None: ("region",)}))
    assert {key: part.facts.events_count for key, part in found.items()} == {
        ("eu", ("a",)): 1,
        ("eu", ("b",)): 1,
        (None, ("us",)): 2,
        (None, (None,)): 1,
    }
    digests = sum(part.digest for part in found.values())
    assert digests == sum(part.digest for part in read(window(kind)).values())


def test_windows_with_and_without_groups_are_read_together() -> None:
    regions()
    windows = [
        window(id="both", group_keys={None: ("provider", "region")}),
        window(id="one", group_keys={None: ("region",)}),
        window(Aggregation.SUM, EU, id="filter"),
        window(id="plain"),
    ]
    found = aggregates.usage(windows=windows)
    assert {key: len(parts) for key, parts in found.items()} == {"both": 5, "one": 3, "filter": 2, "plain": 1}
    for parts in found.values():
        assert sum(aggregation.value(part.facts) for part in parts) == 15


def values(one: Window) -> dict[Any, Sequence[Decimal]]:
    return {key: part.values for key, part in read(one).items()}


def test_values_come_in_the_order_of_time_whatever_the_order_of_arrival() -> None:
    sized("2026-05-06T00:00:00", 30)
    sized("2026-05-04T00:00:00", "20.5", "tx-b")
    sized("2026-05-04T00:00:00", 10, "tx-a")
    sized("2026-05-05T00:00:00", "much")  # no number, no transaction
    assert values(window(values_limit=None)) == {(None, ()): (D(10), D("20.5"), D(30))}
    assert values(window(values_limit=2)) == {(None, ()): (D(10), D("20.5"))}
    assert values(window()) == {(None, ()): ()}


def test_values_are_those_of_the_filter_and_the_group() -> None:
    for day, (region, provider) in enumerate([("de", "a"), ("us", "a"), ("fr", "a"), ("de", "b"), ("fr", "a")], 1):
        sized(f"2026-05-{day:02}T00:00:00", day, region=region, provider=provider)
    found = values(window(Aggregation.SUM, EU, group_keys={"eu": ("provider",)}, values_limit=None))
    assert found == {("eu", ("a",)): (1, 3, 5), ("eu", ("b",)): (4,), (None, ()): (2,)}
    first = values(window(Aggregation.SUM, EU, values_limit=1))
    assert [first["eu", ()][0], first[None, ()][0]] == [1, 2]  # more may come, but the first ones are right


def test_given_amounts_add_up_in_major_units() -> None:
    sized("2026-05-04T00:00:00", 10, amount_cents="10.1", region="de")
    sized("2026-05-05T00:00:00", 10, amount_cents="901.9", region="us")
    sized("2026-05-06T00:00:00", 10, region="us")  # carries none
    sized("2026-05-07T00:00:00", "much", amount_cents="5000")  # does not count
    assert {key: part.given_amount for key, part in read(window(amount_digits=2)).items()} == {(None, ()): D("9.12")}
    assert read(window(amount_digits=0))[None, ()].given_amount == D(912)
    assert read(window())[None, ()].given_amount == 0
    grouped = read(window(amount_digits=2, group_keys={None: ("region",)}))
    assert {group: part.given_amount for (_, (group,)), part in grouped.items() if group} == {
        "de": D("0.101"),
        "us": D("9.019"),
    }


def test_statements_do_not_grow_with_windows() -> None:
    def statements(count: int) -> int:
        windows = [
            window(id=number, values_limit=None, amount_digits=2, group_keys={None: ("region",)})
            for number in range(count)
        ]
        with CaptureQueriesContext(connection) as captured:
            aggregates.usage(windows=windows)
        return len(captured)

    assert statements(1) == statements(7) == 3
