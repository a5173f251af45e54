"""Ingestion by many at once on a real database: every event once, no deadlock, no waiting for whoever is slow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from billing.domain.usage_events import EventIn, Verdict
from billing.models import UsageEvent
from billing.services import event_partitions, usage, usage_streams
from tests.concurrency.threads import together
from tests.factories.platform import ApiClient
from tests.factories.usage import RECEIVED_AT, clear, make_event, store, stored

pytestmark = pytest.mark.django_db(transaction=True)


def taken_in(events: Sequence[EventIn]) -> Callable[[], Any]:
    return lambda: usage.ingest(events=events, received_at=RECEIVED_AT)


def waiting_for_a_lock() -> list[int]:
    """Return the server processes that wait for another transaction, as soon as there are any."""
    pause = threading.Event()
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees others as they were, unless told so
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            found = [pid for (pid,) in cursor.fetchall()]
            if found:
                return found
            pause.wait(0.02)
    raise AssertionError("nobody waited")


def test_two_requests_with_the_same_batch_store_each_event_once() -> None:
    batch = [
        {"transaction_id": f"t{number}", "external_subscription_id": "sub", "code": "c", "timestamp": 1_777_852_800}
        for number in range(200)
    ]
    clients = [ApiClient() for _ in range(2)]
    for _ in range(5):
        clear()
        responses = together(
            [lambda client=client: client.call("post", "events/batch", {"events": batch}) for client in clients]
        )
        assert sorted(response.status_code for response in responses) == [200, 422]
        refused = next(response for response in responses if response.status_code == 422)
        assert len(refused.json()["error_details"]) == 200
        assert stored() == 200


def test_control_looking_before_storing_is_not_enough() -> None:
    event = make_event()
    event_partitions.ensure(months=[(2026, 5)])
    looked = threading.Barrier(2)

    def look_and_store() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM billing_usage_event WHERE transaction_id = %s", [event.transaction_id])
            assert cursor.fetchone() == (0,)
            looked.wait(10)
            cursor.execute(
                "INSERT INTO billing_usage_event (id, external_subscription_id, transaction_id, code, timestamp,"
                " received_at, fingerprint, properties) VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, 0, '{}')",
                [event.external_subscription_id, event.transaction_id, event.code, event.timestamp, RECEIVED_AT],
            )

    assert together([look_and_store, look_and_store]) == [None, None]
    assert UsageEvent.objects.filter(transaction_id=event.transaction_id).count() == 2


def test_batches_that_overlap_in_any_order_never_deadlock() -> None:
    events = [make_event(transaction_id=f"t{number:03}") for number in range(120)]
    batches = [events, events[::-1], events[60:] + events[:60], events[::2] + events[1::2]]
    for _ in range(5):
        clear()
        results = together([taken_in(batch) for batch in batches * 2])
        assert sum(isinstance(result, usage.Ingested) for result in results) == 1
        assert sum(isinstance(result, usage.EventsAlreadyExist) for result in results) == len(results) - 1
        assert stored() == 120


def test_streams_that_overlap_store_each_event_once_and_tell_who_did() -> None:
    events = [make_event(transaction_id=f"t{number:03}") for number in range(120)]
    streams = [events[:80], events[::-1], events[40:] + events[:40], [*events[60:], *events[60:]]]

    def stream(part: Sequence[EventIn]) -> Callable[[], Any]:
        return lambda: usage_streams.take_in(events=part, received_at=RECEIVED_AT)

    for _ in range(5):
        clear()
        results = together([stream(part) for part in streams])
        verdicts = [one.verdict for result in results for one in result]
        assert verdicts.count(Verdict.ACCEPTED) == 120
        assert verdicts.count(Verdict.DUPLICATE) == sum(map(len, streams)) - 120
        assert stored() == 120


def test_a_stream_and_a_batch_at_once() -> None:
    events = [make_event(transaction_id=f"t{number:03}") for number in range(100)]

    def stream() -> Any:
        return usage_streams.take_in(events=events[50:], received_at=RECEIVED_AT)

    for _ in range(5):
        clear()
        batch, streamed = together([taken_in(events), stream])
        accepted = sum(one.verdict == Verdict.ACCEPTED for one in streamed)
        # Whoever was first: the batch is there as a whole, or the stream is and the batch is not.
        assert (type(batch), accepted) in {(usage.Ingested, 0), (usage.EventsAlreadyExist, 50)}
        assert stored() == (100 if accepted == 0 else 50)


def test_the_second_gets_in_when_the_first_gives_up() -> None:
    event = make_event()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            store(event)
            waiting = pool.submit(lambda: together([taken_in([event])]))
            assert len(waiting_for_a_lock()) == 1
            transaction.set_rollback(True)
        (result,) = waiting.result(20)
    assert isinstance(result, usage.Ingested)
    assert [str(row.id) for row in UsageEvent.objects.all()] == result.ids


def test_a_connection_that_is_killed_in_the_middle_stores_nothing() -> None:
    first, second, blocked = (make_event(transaction_id=name) for name in "abc")
    store(make_event())
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        store(blocked)
        waiting = pool.submit(lambda: together([taken_in([first, second, blocked])]))
        (process,) = waiting_for_a_lock()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [process])
            assert cursor.fetchone() == (True,)
        (result,) = waiting.result(20)
        transaction.set_rollback(True)
    assert isinstance(result, OperationalError)
    assert stored() == 1
    store(first, second, blocked)
    assert stored() == 4


def test_eight_threads_need_the_same_new_months_at_once() -> None:
    drop("203407", "203408")
    batches = [[make_event("2034-07-31T23:00:00"), make_event("2034-08-01T00:00:00")] for _ in range(8)]
    event_partitions.forget()
    results = together([taken_in(batch) for batch in batches])
    assert [type(result) for result in results] == [usage.Ingested] * 8
    assert stored() == 16
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'billing_usage_event'::regclass"
            " AND inhrelid::regclass::text ~ '20340[78]' ORDER BY 1"
        )
        assert cursor.fetchall() == [("billing_usage_event_203407",), ("billing_usage_event_203408",)]


def test_a_new_month_does_not_wait_for_open_transactions() -> None:
    drop("203501")
    event_partitions.forget()
    with transaction.atomic():
        store(make_event())
        assert UsageEvent.objects.count() == 1
        # Another connection attaches the partition while this one has read and written the table.
        (result,) = together([taken_in([make_event("2035-01-15T00:00:00")])])
    assert isinstance(result, usage.Ingested)
    assert stored() == 2


def test_the_same_transaction_goes_on_in_a_new_month() -> None:
    drop("203502")
    event_partitions.forget()
    with transaction.atomic():
        store(make_event())
        store(make_event("2035-02-15T00:00:00"))
        assert stored() == 2
    assert stored() == 2


@pytest.mark.parametrize("inside", [False, True])
def test_a_partition_that_somebody_dropped_is_made_again(inside: bool) -> None:
    store(make_event("2033-04-05T00:00:00"))
    drop("203304")  # and this process does not know
    if inside:
        with transaction.atomic():
            store(make_event(), make_event("2033-04-06T00:00:00"))
    else:
        store(make_event(), make_event("2033-04-06T00:00:00"))
    assert UsageEvent.objects.filter(timestamp__gte=datetime(2033, 4, 1, tzinfo=UTC)).count() == 1
    assert UsageEvent.objects.count() == 2


def drop(*months: str) -> None:
    with connection.cursor() as cursor:
        for month in months:
            cursor.execute(f"DROP TABLE IF EXISTS billing_usage_event_{month}")
