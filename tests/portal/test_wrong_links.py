"""Links to quotes that never were links: an address may try so many, and a good link works whoever tried others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from billing.portal import wrong_links

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_whoever_tries_many_wrong_links_is_sent_away() -> None:
    client = Client(REMOTE_ADDR="203.0.113.7")
    answers = [client.get(f"/quote/wrong{number}/") for number in range(wrong_links.MOST + 1)]

    assert [answer.status_code for answer in answers] == [404] * wrong_links.MOST + [429]
    assert answers[-1]["Retry-After"] == str(wrong_links.SECONDS)
    # The same words, not to be cached or indexed: nothing tells one wrong link from another.
    assert answers[-1].content == answers[0].content
    assert answers[-1]["Cache-Control"] == "private, no-store"
    # Posting counts as well, and another address has a count of its own.
    assert client.post("/quote/wrong/").status_code == 429
    assert Client(REMOTE_ADDR="203.0.113.8").get("/quote/wrong/").status_code == 404
