"""Delivering webhooks to receivers with real sockets: bytes, order, repeats, failures, rest. Time is moved."""

from __future__ import annotations

import pathlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from config.platform.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from config.platform.services import deliveries, delivery_claims, outbox
from tests.factories import receivers, webhooks
from tests.factories.receivers import BUSY, DROP, ERROR, HANG, OK, REDIRECT, Process, Received, Receiver
from tests.factories.webhooks import AT, CHANGED, CREATED

pytestmark = pytest.mark.django_db(transaction=True)

SOON, LATER = AT + timedelta(minutes=5), AT + timedelta(hours=5)


@pytest.fixture
def _impatient(settings: Any) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.4


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receivers.receiving() as found:
        yield found


def run_for_days(start: datetime = AT) -> int:
    """Deliver again and again, as time goes by, until nothing waits. Returns how many were delivered."""
    delivered = 0
    for round_ in range(60):
        delivered += deliveries.run(as_of=start + timedelta(hours=5 * round_))
        if "pending" not in webhooks.states():
            return delivered
    raise AssertionError("something waits forever")


def told(received: list[Received]) -> dict[str, list[str]]:
    """What was taken by object: the keys in the order in which they came first."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in received:
        if one.key not in found[one.content["thing"]["lago_id"]]:
            found[one.content["thing"]["lago_id"]].append(one.key)
    return found


def recorded() -> dict[str, list[str]]:
    """What happened by object: the keys in the order in which it happened."""
    found: dict[str, list[str]] = defaultdict(list)
    for event in WebhookEvent.objects.order_by("id"):
        found[event.object_key.rpartition(":")[2]].append(str(event.uuid))
    return found


def bodies(received: list[Received]) -> dict[str, bytes]:
    return {one.key: one.body for one in received}


def stored() -> dict[str, bytes]:
    return {str(event.uuid): event.body.encode() for event in WebhookEvent.objects.all()}


def test_what_happened_arrives_once_with_its_bytes_and_in_order(receiver: Receiver) -> None:
    endpoint = webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(30), times=4)
    assert deliveries.run(as_of=AT) == 120
    assert len(receiver.taken) == 120
    assert bodies(receiver.taken) == stored()
    assert told(receiver.taken) == recorded()
    endpoint.refresh_from_db()
    assert endpoint.last_delivered_at is not None
    assert (endpoint.failures, endpoint.failing_since, endpoint.resting_until) == (0, None, None)
    assert deliveries.run(as_of=LATER) == 0
    assert len(receiver.received) == 120


@pytest.mark.usefixtures("_impatient")
def test_a_receiver_that_fails_times_out_and_dies_ends_up_with_everything(tmp_path: pathlib.Path) -> None:
    process = Process(tmp_path)
    webhooks.make_endpoint(process.url)
    things = webhooks.make_things(12)
    try:
        webhooks.happen(things, times=2)
        assert deliveries.run(as_of=AT) == 0  # nobody listens
        assert webhooks.states() == {"pending": 24}
        process.start(ERROR, DROP, OK, OK, HANG, ERROR, OK)
        deliveries.run(as_of=SOON)
        process.kill()
        webhooks.happen(things, name=CHANGED, at=SOON)
        deliveries.run(as_of=LATER)
        process.start(OK, DROP, ERROR)
        run_for_days(LATER)
    finally:
        process.kill()
    assert webhooks.states() == {"delivered": 36}
    assert bodies(process.taken) == bodies(process.received) == stored()
    assert told(process.taken) == recorded()
    behaviours = {one.behaviour for one in process.received}
    assert behaviours == {OK, ERROR, DROP, HANG}


def test_a_failure_holds_back_its_object_and_nobody_else(receiver: Receiver) -> None:
    webhooks.make_endpoint(receiver.url)
    first, second = webhooks.make_things(2)
    webhooks.happen([first, second], times=3)
    bad = WebhookEvent.objects.filter(object_key__endswith=str(first.uuid)).earliest("id")
    receiver.behave = lambda _, key: ERROR if key == str(bad.uuid) else OK
    assert deliveries.run(as_of=AT) == 3  # those of the second
    assert {one.content["thing"]["lago_id"] for one in receiver.taken} == {str(second.uuid)}
    assert [one.key for one in receiver.received].count(str(bad.uuid)) == 1
    assert deliveries.run(as_of=AT + timedelta(seconds=1)) == 0  # too early to try again
    receiver.behave = lambda *_: OK
    assert deliveries.run(as_of=SOON) == 3
    assert told(receiver.taken) == recorded()


def test_what_is_given_up_lets_the_next_ones_go_on(receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_ATTEMPTS = 3
    webhooks.make_endpoint(receiver.url)
    [thing] = webhooks.make_things(1)
    webhooks.happen([thing], times=2)
    bad = WebhookEvent.objects.earliest("id")
    receiver.behave = lambda _, key: ERROR if key == str(bad.uuid) else OK
    run_for_days()
    assert webhooks.states() == {"failed": 1, "delivered": 1}
    given_up = WebhookDelivery.objects.get(state="failed")
    assert (given_up.event, given_up.attempts, given_up.attempt_log.count()) == (bad, 3, 3)
    assert {attempt.status for attempt in given_up.attempt_log.all()} == {500}
    assert {attempt.answer for attempt in given_up.attempt_log.all()} == {"said error"}


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    ("behaviour", "status", "said"),
    [
        (ERROR, 500, ""),
        (REDIRECT, 302, ""),  # followed by nobody
        (HANG, None, "no answer within 0.4 seconds"),
        (DROP, None, "RemoteProtocolError: Server disconnected without sending a response."),
    ],
)
def test_what_comes_of_an_attempt_is_written_down(
    receiver: Receiver, behaviour: str, status: int | None, said: str
) -> None:
    endpoint = webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(1))
    receiver.behave = lambda *_: behaviour
    assert deliveries.run(as_of=AT) == 0
    attempt = WebhookAttempt.objects.get()
    assert (attempt.status, attempt.error) == (status, said)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.claimed_until) == ("pending", 1, None)
    assert delivery.next_attempt_at >= AT + timedelta(seconds=3)  # 1⁴ + 2
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    assert (endpoint.resting_until is None) is (status is not None)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://no-such-host.invalid/", "http://[::1]:9/", "http://x y/"]
)
def test_an_address_where_nobody_is(url: str) -> None:
    webhooks.make_endpoint(url)
    webhooks.happen(webhooks.make_things(1))
    assert deliveries.run(as_of=AT) == 0
    attempt = WebhookAttempt.objects.get()
    assert attempt.status is None
    assert attempt.error


@pytest.mark.usefixtures("_impatient")
def test_a_silent_endpoint_rests_and_is_then_probed_by_one(receiver: Receiver) -> None:
    endpoint = webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(60))
    receiver.behave = lambda *_: HANG
    deliveries.run(as_of=AT)
    # As many as run at once; the other 50 do not run into the time-out.
    assert WebhookAttempt.objects.count() == 10
    endpoint.refresh_from_db()
    assert endpoint.failures == 1
    deliveries.run(as_of=AT + timedelta(seconds=20))
    assert WebhookAttempt.objects.count() == 10
    deliveries.run(as_of=AT + timedelta(minutes=1))  # 30 s are over: one finds out
    assert WebhookAttempt.objects.count() == 11
    endpoint.refresh_from_db()
    assert endpoint.failures == 2
    receiver.behave = lambda *_: OK
    assert run_for_days(LATER) == 60
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.resting_until, endpoint.failing_since) == (0, None, None)


def test_an_endpoint_that_hangs_keeps_no_other_waiting(receiver: Receiver, settings: Any) -> None:
    with receivers.receiving(lambda *_: HANG) as hanging:
        webhooks.make_endpoint(hanging.url)
        endpoint = webhooks.make_endpoint(receiver.url)
        webhooks.happen(webhooks.make_things(30), times=2)
        settings.WEBHOOK_TIMEOUT_SECONDS = 3
        assert deliveries.run(as_of=AT) == 60
        assert webhooks.states(endpoint) == {"delivered": 60}
        assert receiver.received[-1].at < hanging.received[0].at + 3  # none waited for the time-out


def test_an_endpoint_that_is_busy_is_left_alone_as_long_as_it_asks_for(receiver: Receiver) -> None:
    endpoint = webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(1))
    receiver.behave = lambda number, _: BUSY if number == 0 else OK
    deliveries.run(as_of=AT)
    assert deliveries.run(as_of=AT + timedelta(minutes=9)) == 0
    assert len(receiver.received) == 1
    assert deliveries.run(as_of=AT + timedelta(minutes=11)) == 1
    assert webhooks.states(endpoint) == {"delivered": 1}


def test_no_endpoint_gets_more_at_once_than_it_should(receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS, settings.WEBHOOK_CONCURRENCY = 10, 3
    receiver.delay = 0.02
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(20))
    assert deliveries.run(as_of=AT) == 20
    assert receiver.most_at_once == 3


def test_endpoints_get_what_they_asked_for(receiver: Receiver) -> None:
    webhooks.known_types()
    every = webhooks.make_endpoint(receiver.url)
    some = webhooks.make_endpoint(f"{receiver.url}/some", event_types=[CHANGED])
    none = webhooks.make_endpoint(f"{receiver.url}/none", event_types=["invoice.none"])
    things = webhooks.make_things(2)
    webhooks.happen(things)
    webhooks.happen(things, name=CHANGED)
    deliveries.run(as_of=AT)
    assert [webhooks.states(one) for one in (every, some, none)] == [{"delivered": 4}, {"delivered": 2}, {}]
    keys = [one.key for one in receiver.taken]
    assert len(set(keys)) == 4  # the same key for every endpoint


def test_what_is_rolled_back_was_never_told(receiver: Receiver) -> None:
    webhooks.known_types()
    webhooks.make_endpoint(receiver.url)
    things = webhooks.make_things(2)
    with transaction.atomic():
        outbox.record(CREATED, things, at=AT)
        transaction.set_rollback(True)
    assert not WebhookEvent.objects.exists()
    assert deliveries.run(as_of=LATER) == 0
    with pytest.raises(transaction.TransactionManagementError):
        outbox.record(CREATED, things, at=AT)
    with transaction.atomic():
        outbox.record(CREATED, things, at=AT)
    assert len(receiver.taken) == 2  # committing woke the delivery


def test_the_sweep_drops_and_gives_up_what_nobody_will_send(receiver: Receiver) -> None:
    gone, well = webhooks.make_endpoint("http://127.0.0.1:9/"), webhooks.make_endpoint(receiver.url)
    resting = webhooks.make_endpoint(
        "http://127.0.0.1:9/b", failures=9, resting_until=AT + timedelta(days=30), failing_since=AT
    )
    webhooks.happen(webhooks.make_things(2))
    # What was recorded while the endpoint was deleted in another transaction.
    WebhookEndpoint.objects.filter(pk=gone.pk).update(deleted_at=AT)
    swept = deliveries.sweep(as_of=AT)
    assert swept == deliveries.Swept(delivered=2, given_up=0, dropped=2)
    assert deliveries.sweep(as_of=AT + timedelta(days=6)).given_up == 0
    assert deliveries.sweep(as_of=AT + timedelta(days=8)).given_up == 2
    assert [webhooks.states(one) for one in (gone, well, resting)] == [{"dropped": 2}, {"delivered": 2}, {"failed": 2}]


def test_old_events_are_forgotten_once_nobody_waits_for_them(receiver: Receiver, settings: Any) -> None:
    webhooks.make_endpoint(receiver.url)
    old, waits, young = webhooks.make_things(3)
    webhooks.happen([old, waits])
    webhooks.happen([young], at=AT + timedelta(days=2))
    receiver.behave = lambda number, _: OK if number < 2 else ERROR
    WebhookDelivery.objects.filter(object_key__endswith=str(waits.uuid)).update(
        next_attempt_at=LATER + timedelta(days=99)
    )
    deliveries.run(as_of=AT + timedelta(days=2))
    assert webhooks.states() == {"delivered": 2, "pending": 1}
    assert deliveries.purge(as_of=AT + timedelta(days=settings.WEBHOOK_KEEP_DAYS, hours=1)) == 1
    kept = {key.rpartition(":")[2] for key in WebhookEvent.objects.values_list("object_key", flat=True)}
    assert kept == {str(waits.uuid), str(young.uuid)}


def test_the_unique_key_and_the_bytes_stay_the_same_on_repeats(receiver: Receiver) -> None:
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(1))
    receiver.behave = lambda number, _: ERROR if number < 3 else OK
    run_for_days()
    assert len(receiver.received) == 4
    assert len({(one.key, one.body) for one in receiver.received}) == 1
    assert [attempt.status for attempt in WebhookAttempt.objects.order_by("id")] == [500, 500, 500, 200]


def test_looking_for_something_to_do_is_one_query(receiver: Receiver, django_assert_num_queries: Any) -> None:
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(1))
    deliveries.run(as_of=AT)
    with django_assert_num_queries(3):  # begin, look, commit
        assert delivery_claims.take(at=LATER, own={}) == []
