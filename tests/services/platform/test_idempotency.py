"""Idempotency keys: one write per key, its answer for every repeat, and nothing remembered of a refusal."""

import pytest

from config.kernel import errors
from config.platform.models import IdempotencyRecord, NumberSequence
from config.platform.services import idempotency, numbers
from config.platform.services.idempotency import Answer
from tests.factories import platform

pytestmark = pytest.mark.django_db

SCOPE = "test"


def once(key_id: int, *, key: str = "k1", digest: str = "d1", status: int = 200) -> Answer:
    """Take a number and answer with it, under an idempotency key."""

    def write() -> Answer:
        number = numbers.take(scope=SCOPE)[0]
        return Answer(status=status, content=b"%d" % number, headers={"Content-Type": "text/plain"})

    return idempotency.once(api_key_id=key_id, key=key, request_digest=digest, at=platform.AT, write=write)


def taken() -> int:
    """Return how many numbers were taken."""
    return sum(NumberSequence.objects.filter(scope=SCOPE).values_list("last_value", flat=True))


def test_a_repeat_gets_the_first_answer_and_writes_nothing() -> None:
    key_id = platform.make_key().key.pk
    first, second = once(key_id), once(key_id)
    assert (first.content, first.replayed) == (b"1", False)
    assert (second.content, second.headers, second.status) == (b"1", {"Content-Type": "text/plain"}, 200)
    assert second.replayed
    assert taken() == 1


def test_another_request_under_the_same_key_is_refused() -> None:
    key_id = platform.make_key().key.pk
    once(key_id)
    with pytest.raises(idempotency.KeyReused) as refused:
        once(key_id, digest="d2")
    assert refused.value.details == {"idempotency_key": ["value_already_exist"]}
    assert taken() == 1


def test_keys_of_two_clients_do_not_meet() -> None:
    one, other = platform.make_key("one").key.pk, platform.make_key("other").key.pk
    assert once(one).content == b"1"
    assert once(other).content == b"2"


def test_a_refusal_undoes_the_write_and_is_not_remembered() -> None:
    key_id = platform.make_key().key.pk

    def refuse() -> Answer:
        numbers.take(scope=SCOPE)
        raise errors.NotAllowed("is_draft")

    with pytest.raises(errors.NotAllowed):
        idempotency.once(api_key_id=key_id, key="k1", request_digest="d1", at=platform.AT, write=refuse)
    assert (taken(), IdempotencyRecord.objects.count()) == (0, 0)
    assert once(key_id, digest="d2").content == b"1"


def test_a_refusing_answer_is_not_remembered() -> None:
    key_id = platform.make_key().key.pk
    assert once(key_id, status=422).status == 422
    assert IdempotencyRecord.objects.count() == 0


def test_an_answer_remembered_as_json_is_still_given() -> None:
    key = platform.make_key().key
    IdempotencyRecord.objects.create(api_key=key, key="k1", request_digest="d1", status=200, body={"number": 7})
    answer = once(key.pk)
    assert (answer.body, answer.replayed, taken()) == ({"number": 7}, True, 0)
