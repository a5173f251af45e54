"""Usage by expression: computed when an event comes in, counted like any property, and visible where it fails."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import UsageEvent
from billing.services import usage
from catalog.services import metrics
from config.kernel import statements
from tests.factories import catalog
from tests.factories.platform import ACTOR, AT
from tests.factories.usage import RECEIVED_AT, make_event, store

pytestmark = pytest.mark.django_db

GB = "event.properties.bytes / 1000000000"


def make_metric(code: str = "egress", **values: Any) -> None:
    catalog.make_metric(code, "sum_agg", **{"field_name": "gb", "expression": GB, **values})


def rows() -> list[UsageEvent]:
    return list(UsageEvent.objects.order_by("transaction_id"))


def test_the_computed_property_is_stored_and_its_number_taken_out() -> None:
    make_metric()
    store(make_event(code="egress", properties={"bytes": 1_500_000_000}))
    (row,) = rows()
    assert row.properties == {"bytes": 1_500_000_000, "gb": "1.5"}
    assert row.value == Decimal("1.5")
    assert row.failures is None


def test_an_event_that_cannot_be_computed_is_stored_with_the_reason_and_without_a_number() -> None:
    make_metric()
    store(
        make_event(transaction_id="a", code="egress", properties={"gb": 1_500_000_000}),
        make_event(transaction_id="b", code="egress", properties={"bytes": "many"}),
        make_event(transaction_id="c", code="egress", properties={"bytes": 1_000_000_000}),
    )
    first, second, third = rows()
    assert first.properties == {}
    assert first.value is None
    assert first.failures == {
        "gb": {"problem": "the event has no property bytes", "position": 1, "sent": 1_500_000_000}
    }
    assert second.failures == {"gb": {"problem": "“many” is no number", "position": 1}}
    assert (third.value, third.failures) == (Decimal(1), None)


def test_metrics_on_the_same_events_each_get_their_property() -> None:
    make_metric()
    make_metric(
        "pairs",
        field_name="pair",
        aggregation_type="unique_count_agg",
        event_code="egress",
        expression="CONCAT(event.properties.user, '/', event.properties.app)",
    )
    store(make_event(code="egress", properties={"bytes": 10**9, "user": "u", "app": 1}))
    assert rows()[0].properties == {"bytes": 10**9, "user": "u", "app": 1, "gb": "1", "pair": "u/1"}


def test_other_events_are_left_alone() -> None:
    make_metric()
    store(make_event(code="requests", properties={"bytes": 5}), make_event(code="unknown", properties={"bytes": 6}))
    assert [row.properties for row in rows()] == [{"bytes": 5}, {"bytes": 6}]


def test_events_of_before_and_after_the_metric_stay_as_they_came() -> None:
    event = {"code": "egress", "properties": {"bytes": 10**9}}
    store(make_event(transaction_id="a", **event))
    make_metric()
    store(make_event(transaction_id="b", **event))
    metrics.delete(code="egress", actor=ACTOR, at=AT)
    store(make_event(transaction_id="c", **event))
    assert ["gb" in row.properties for row in rows()] == [False, True, False]


def test_a_repeat_is_refused_and_changes_nothing() -> None:
    make_metric()
    event = make_event(code="egress", properties={"bytes": 10**9})
    store(event)
    with pytest.raises(usage.EventsAlreadyExist):
        store(event)
    assert len(rows()) == 1


def test_what_was_stored_is_told() -> None:
    make_metric()
    taken = usage.ingest(
        events=[make_event(code="egress", properties={"bytes": 10**9}), make_event()], received_at=RECEIVED_AT
    )
    assert [bytes(event.properties) for event in taken.events] == [b'{"bytes":1000000000,"gb":"1"}', b"{}"]
    assert len(taken.ids) == 2


def test_expressions_cost_one_read_whatever_the_number_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    make_metric()
    read: list[str] = []
    plain = statements.fetch_prepared

    def counting(sql: str, parameters: Any) -> Any:
        read.append(sql)
        return plain(sql, parameters)

    monkeypatch.setattr(statements, "fetch_prepared", counting)
    for size in (1, 50):
        events = [make_event(code="egress", properties={"bytes": number}) for number in range(size)]
        with CaptureQueriesContext(connection) as captured:
            usage.ingest(events=events, received_at=RECEIVED_AT)
        assert len(captured) == 2  # a savepoint
    assert [sql.lstrip().split()[0] for sql in read] == ["SELECT", "WITH"] * 2
