"""Workers that deliver webhooks at once, or are killed in the middle: nothing is lost, nothing is sent by two."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from config.platform.models import WebhookDelivery, WebhookEvent
from config.platform.services import deliveries, delivery_claims
from tests.concurrency import threads
from tests.factories import receivers, webhooks
from tests.factories.receivers import HANG, OK, Receiver
from tests.factories.webhooks import AT

pytestmark = pytest.mark.django_db(transaction=True)

WAIT_SECONDS = 20


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receivers.receiving() as found:
        yield found


def keys_in_order() -> list[str]:
    return [str(key) for key in WebhookEvent.objects.order_by("id").values_list("uuid", flat=True)]


def deliver_together(workers: int = 2) -> list[int]:
    return threads.together([lambda: deliveries.run(as_of=AT) for _ in range(workers)])


def test_two_workers_send_nothing_twice(receiver: Receiver) -> None:
    receiver.delay = 0.01
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(20), times=2)
    assert sum(deliver_together(3)) == 40
    sent = [one.key for one in receiver.received]
    assert sorted(sent) == sorted(keys_in_order())
    assert webhooks.states() == {"delivered": 40}


def test_without_the_lease_they_would(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a lease that is over at once protects nobody."""
    receiver.delay = 0.2
    monkeypatch.setattr(delivery_claims, "lease", lambda: timedelta(seconds=-1))
    monkeypatch.setattr("config.platform.services.delivery_sending.Sender._may_begin", lambda *_: True)
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(10))
    deliver_together()
    assert len(receiver.received) > 10
    assert len({one.key for one in receiver.received}) == 10


def test_without_the_order_of_claims_an_object_would_overtake_itself(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without looking for earlier ones, the second event arrives while the first waits to be repeated."""
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(1), times=2)
    receiver.behave = lambda number, _: "error" if number == 0 else OK
    deliveries.run(as_of=AT)
    assert receiver.taken == []
    monkeypatch.setattr(delivery_claims, "_NONE_EARLIER", "true")
    deliveries.run(as_of=AT)
    assert [one.key for one in receiver.taken] == keys_in_order()[1:]


def test_what_a_killed_worker_had_is_sent_again_when_its_lease_is_over(receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_CONCURRENCY = 2
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(4), times=2)
    receiver.behave = lambda number, _: OK if number < 3 else HANG

    worker = _fork_worker()
    until = time.monotonic() + WAIT_SECONDS
    while sum(one.behaviour == HANG for one in receiver.received) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(worker, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(worker, 0)[1]) == signal.SIGKILL

    receiver.behave = lambda *_: OK
    assert WebhookDelivery.objects.filter(claimed_until__isnull=False, state="pending").exists()
    held = len(receiver.received)
    assert deliveries.run(as_of=AT + timedelta(seconds=60)) == 0  # the lease of 90 s holds
    assert len(receiver.received) == held
    deliveries.run(as_of=AT + timedelta(seconds=120))
    assert webhooks.states() == {"delivered": 8}
    assert {one.key for one in receiver.taken} == set(keys_in_order())
    by_key = {one.key: one.body for one in receiver.received}
    assert all(by_key[one.key] == one.body for one in receiver.received)
    hung = {one.key for one in receiver.received if one.behaviour == HANG}
    assert hung <= {one.key for one in receiver.taken}  # the same unique key again
    for thing in {one.content["thing"]["lago_id"] for one in receiver.taken}:
        taken = [one.content["thing"]["time"] for one in receiver.taken if one.content["thing"]["lago_id"] == thing]
        assert list(dict.fromkeys(taken)) == [0, 1]


def _fork_worker() -> int:
    """Run a delivery in a process of its own and return its id."""
    connection.close()
    child = os.fork()
    if child == 0:
        try:
            deliveries.run(as_of=AT)
        finally:
            os._exit(1)
    return child
