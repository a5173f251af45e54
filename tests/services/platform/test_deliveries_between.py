"""Deliveries when something comes in between: endpoints that are paused, deleted, changed, busy, slow or silent, events
that are sent again, and the wake-ups for what is soon due again. With real sockets; time is moved.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from config.platform.models import AuditEntry, WebhookAttempt, WebhookDelivery
from config.platform.services import deliveries, delivery_claims, replays, webhook_endpoints
from tests.concurrency import threads
from tests.factories import platform, receivers, webhooks
from tests.factories.receivers import BOMB, BUSY, DROP, ERROR, OK, Receiver
from tests.factories.webhooks import AT, CHANGED, CREATED

pytestmark = pytest.mark.django_db(transaction=True)

SOON, LATER = AT + timedelta(minutes=5), AT + timedelta(hours=5)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receivers.receiving() as found:
        yield found


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """After how long a run asks to be woken up."""
    found: list[timedelta] = []
    monkeypatch.setattr("config.kernel.jobs.wake", lambda _, *, after: found.append(after))
    return found


def test_pausing_holds_and_resuming_delivers_in_order(receiver: Receiver) -> None:
    endpoint = webhooks.make_endpoint(receiver.url)
    things = webhooks.make_things(2)
    webhooks.happen(things)
    webhook_endpoints.pause(endpoint_id=endpoint.pk, actor=platform.ACTOR, at=AT)
    webhooks.happen(things, times=3, at=SOON)
    weeks_later = AT + timedelta(days=30)
    assert deliveries.sweep(as_of=weeks_later) == deliveries.Swept(delivered=0, given_up=0, dropped=0)
    assert (webhooks.states(), receiver.received) == ({"pending": 8}, [])
    webhook_endpoints.resume(endpoint_id=endpoint.pk, actor=platform.ACTOR, at=weeks_later)
    webhooks.happen(things, name=CHANGED, at=weeks_later)
    assert deliveries.sweep(as_of=weeks_later).given_up == 0
    assert webhooks.states() == {"delivered": 10}
    for thing in things:
        got = [one.content for one in receiver.taken if one.content["thing"]["lago_id"] == str(thing.uuid)]
        assert [(one["webhook_type"], one["thing"]["time"]) for one in got] == [
            (CREATED, 0),
            (CREATED, 0),
            (CREATED, 1),
            (CREATED, 2),
            (CHANGED, 0),
        ]


def test_deleting_and_dropping_drop_what_waits_and_count_it(receiver: Receiver) -> None:
    paused, deleted = webhooks.make_endpoint(receiver.url), webhooks.make_endpoint(f"{receiver.url}/b")
    things = webhooks.make_things(2)
    webhooks.happen(things)
    webhook_endpoints.pause(endpoint_id=paused.pk, actor=platform.ACTOR, at=AT)
    webhook_endpoints.delete(endpoint_id=deleted.pk, actor=platform.ACTOR, at=AT)
    webhooks.happen(things)
    assert (webhooks.states(deleted), webhooks.states(paused)) == ({"dropped": 2}, {"pending": 4})
    assert webhook_endpoints.drop_waiting(endpoint_id=paused.pk, actor=platform.ACTOR, at=AT, reason="Old.") == 4
    assert webhook_endpoints.drop_waiting(endpoint_id=paused.pk, actor=platform.ACTOR, at=AT) == 0
    webhooks.happen(things, name=CHANGED)
    webhook_endpoints.resume(endpoint_id=paused.pk, actor=platform.ACTOR, at=AT)
    deliveries.run(as_of=LATER)
    assert [one.content["webhook_type"] for one in receiver.taken] == [CHANGED] * 2
    assert webhooks.states() == {"dropped": 6, "delivered": 2}
    entry = AuditEntry.objects.filter(verb="drop waiting").earliest("id")
    assert (entry.new, entry.reason) == ({"dropped": 4}, "Old.")


@pytest.mark.parametrize(
    ("behaviours", "after"),
    [
        ([ERROR], 3),  # 1⁴ + 2
        ([ERROR, ERROR], 18),  # 2⁴ + 2
        ([DROP], 30),  # it rests
        ([ERROR, ERROR, ERROR], 0),  # 83 s: the sweep comes before
        ([OK], 0),
    ],
)
def test_what_is_soon_due_again_gets_one_wake_up(
    receiver: Receiver, wakes: list[timedelta], behaviours: list[str], after: int
) -> None:
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(8))
    for number, behaviour in enumerate(behaviours):
        wakes.clear()
        receiver.behave = lambda *_, behaviour=behaviour: behaviour
        deliveries.run(as_of=AT + number * timedelta(minutes=30))
    assert len(wakes) == (after > 0)  # one, for all that failed
    seconds = [one.total_seconds() for one in wakes]
    assert all(after - 2 < one < after * 1.1 + 1 for one in seconds)
    wakes.clear()
    assert deliveries.run(as_of=AT) == 0  # none is due, and none is told of
    assert wakes == []


def test_what_comes_back_while_a_later_one_is_sent_waits_for_it(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old event that is sent again never makes a later one, which is under way, be sent twice."""
    endpoint = webhooks.make_endpoint(receiver.url)
    monkeypatch.setattr("config.kernel.jobs.enqueue", lambda _: None)
    [thing] = webhooks.make_things(1)
    webhooks.happen([thing], times=2)
    first, second = endpoint.deliveries.order_by("id")
    assert deliveries.run(as_of=AT) == 2
    WebhookDelivery.objects.filter(pk=second.pk).update(state="pending", delivered_at=None)
    [chain] = delivery_claims.take(at=SOON, own={})
    assert [parcel.delivery_id for parcel in chain.parcels] == [second.pk]
    replays.delivery(delivery_id=first.pk, actor=platform.ACTOR, at=AT)
    assert delivery_claims.take(at=SOON, own={endpoint.pk: {second.pk}}) == []
    over = chain.leased_until + timedelta(seconds=1)
    [chain] = delivery_claims.take(at=over, own={})
    assert [parcel.delivery_id for parcel in chain.parcels] == [first.pk, second.pk]


def test_what_an_endpoint_was_to_get_is_not_given_up_untried(receiver: Receiver) -> None:
    """No worker ran for longer than anything is kept: nothing was in vain yet."""
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(2))
    assert deliveries.sweep(as_of=AT + timedelta(days=20)) == deliveries.Swept(delivered=2, given_up=0, dropped=0)


@pytest.mark.parametrize("verb", ["pause", "delete", "update"])
def test_what_changes_while_it_is_sent_to_is_sent_no_more(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr("config.kernel.jobs.enqueue", lambda _: None)
    endpoint = webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(60))
    receiver.delay = 0.05
    values = {"values": {"webhook_url": f"{receiver.url}/new"}} if verb == "update" else {}

    def behave(number: int, _: str) -> str:
        if number == 12:
            threads.together(
                [
                    lambda: getattr(webhook_endpoints, verb)(
                        endpoint_id=endpoint.pk, actor=platform.ACTOR, at=AT, **values
                    )
                ]
            )
        return OK

    receiver.behave = behave
    deliveries.run(as_of=AT)
    old = [one for one in receiver.received if one.path == "/hooks"]
    assert len(old) < 50  # 300 are taken at a time
    waiting = {"pause": "pending", "delete": "dropped", "update": "delivered"}[verb]
    assert set(webhooks.states()) == {"delivered", waiting}
    assert len(receiver.received) == webhooks.states()["delivered"]


def test_answers_of_any_size_and_kind_are_read_to_a_bound(receiver: Receiver) -> None:
    """Packed answers are not unpacked, cookies are not kept, and what is asked for has no ``Accept-Encoding``."""
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(1), times=2)
    receiver.behave = lambda *_: BOMB
    assert deliveries.run(as_of=AT) == 2
    assert [one.headers["accept-encoding"] for one in receiver.received] == ["identity"] * 2
    assert all("cookie" not in one.headers for one in receiver.received)
    assert all(len(one.answer) <= 2000 and not one.answer.startswith("0000") for one in WebhookAttempt.objects.all())


def test_a_busy_endpoint_is_left_alone_by_what_was_taken_already(receiver: Receiver) -> None:
    webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(60))
    receiver.behave = lambda *_: BUSY
    deliveries.run(as_of=AT)
    assert len(receiver.received) == 10  # as many as run at once
    assert webhooks.states() == {"pending": 60}


def test_time_is_up_for_an_endpoint_that_is_slow_and_not_for_others(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "LONGEST_RUN", timedelta(seconds=0.2))
    enqueued: list[str] = []
    monkeypatch.setattr("config.kernel.jobs.enqueue", enqueued.append)
    with receivers.receiving() as slow:
        slow.delay = 2.5
        sluggish, quick = webhooks.make_endpoint(slow.url), webhooks.make_endpoint(receiver.url)
        webhooks.happen(webhooks.make_things(40))
        late = threading.Timer(
            0.4, lambda: threads.together([lambda: webhooks.happen(webhooks.make_things(1, name="x"))])
        )
        late.start()
        deliveries.run(as_of=AT)
        late.join()
    assert webhooks.states(quick) == {"delivered": 41}  # the late one too, while the slow ones were under way
    assert webhooks.states(sluggish) == {"delivered": 10, "pending": 31}
    assert not sluggish.deliveries.filter(claimed_until__isnull=False, state="pending").exists()
    assert enqueued == ["config.platform.tasks.deliver_webhooks"] * 2


def test_however_much_waits_of_one_object_each_is_looked_at_once(receiver: Receiver) -> None:
    endpoint = webhooks.make_endpoint(receiver.url)
    webhooks.happen(webhooks.make_things(1), times=500)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE platform_webhookdelivery")
        taking = delivery_claims._TAKE.format(none_earlier=delivery_claims._NONE_EARLIER)
        cursor.execute(f"EXPLAIN {taking}", {"endpoint": endpoint.pk, "at": AT, "until": LATER, "most": 300})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Anti Join" not in plan  # of n rows with n rows
    [chain] = delivery_claims.take(at=AT, own={})
    assert len(chain.parcels) == delivery_claims.MOST
