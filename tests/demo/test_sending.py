"""Sending in batches: what is there already is left out, and any other refusal is told."""

import json

import httpx
import pytest

from config.demo import sending
from config.demo.api import Api, Refused
from config.demo.sending import Sent

STORED = {"transaction_id": ["value_already_exist"]}


class Server:
    """Takes batches as the product does: all or nothing, each transaction id once."""

    def __init__(self, *stored: str) -> None:
        self.stored = list(stored)
        self.batches: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/events/batch"
        assert request.headers["Authorization"] == "Bearer key"
        ids = [event["transaction_id"] for event in json.loads(request.content)["events"]]
        self.batches.append(len(ids))
        known = {str(at): STORED for at, one in enumerate(ids) if one in self.stored}
        if known:
            return httpx.Response(422, json={"status": 422, "code": "validation_errors", "error_details": known})
        self.stored += ids
        return httpx.Response(200, json={"events": []})


def events(*names):
    return [{"external_subscription_id": "sub_1", "transaction_id": name} for name in names]


def send(server, found, batch=2, known=()):
    done = []
    with Api("http://sample", "key", transport=httpx.MockTransport(server)) as api:
        return sending.send(api, iter(found), done=done.append, batch=batch, known=known), done


def test_batches_cover_every_event_once():
    server = Server()

    sent, done = send(server, events("a", "b", "c", "d", "e"))

    assert sent == Sent(new=5, known=0)
    assert server.stored == ["a", "b", "c", "d", "e"]
    assert server.batches == done == [2, 2, 1]


def test_known_events_are_left_out_and_the_rest_is_sent():
    server = Server("b", "c", "d")

    sent, done = send(server, events("a", "b", "c", "d", "e"))

    # a+b: refused, then a alone; c+d: refused, nothing is left to send; e.
    assert sent == Sent(new=2, known=3)
    assert server.batches == [2, 1, 2, 1]
    assert server.stored == ["b", "c", "d", "a", "e"]
    assert sum(done) == 5


def test_sending_again_sends_nothing_new():
    server = Server()
    send(server, events("a", "b", "c"))

    sent, _ = send(server, events("c", "b", "a"))

    assert sent == Sent(new=0, known=3)
    assert sorted(server.stored) == ["a", "b", "c"]


def test_what_is_known_to_be_there_is_not_sent():
    server = Server("a", "b", "c")

    sent, done = send(server, events("a", "b", "c", "d"), known={("sub_1", "a"), ("sub_1", "b"), ("sub_1", "c")})

    assert sent == Sent(new=1, known=3)
    assert server.batches == [1]  # nothing was refused
    assert done == [2, 2]


def test_known_events_of_another_subscription_are_sent():
    sent, _ = send(Server(), events("a"), known={("sub_2", "a")})

    assert sent == Sent(new=1, known=0)


@pytest.mark.parametrize(
    ("status", "details"),
    [
        (422, {"0": {"timestamp": ["invalid_format"]}}),
        (422, {"0": STORED, "1": {"code": ["value_is_mandatory"]}}),
        (422, {"events": ["too_many_events"]}),
        (422, {}),
        (401, {}),
        (500, {}),
    ],
)
def test_other_refusals_are_told(status, details):
    def server(request):
        return httpx.Response(status, json={"status": status, "error": "no", "error_details": details})

    with pytest.raises(Refused, match=str(status)):
        send(server, events("a", "b"))


def test_answer_that_is_no_json_is_a_refusal():
    with pytest.raises(Refused, match="502"):
        send(lambda _: httpx.Response(502, text="<html>"), events("a"))
