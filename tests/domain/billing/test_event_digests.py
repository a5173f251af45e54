"""Digests: the documented rule, and parts that add up."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from billing.domain import event_digests
from billing.domain.usage_events import EventIn

AT = datetime(2026, 5, 4, tzinfo=UTC)

_events = st.lists(st.builds(EventIn, st.text(max_size=3), st.text(max_size=3), st.text(max_size=3), st.just(AT)))


def test_the_rule() -> None:
    digest = event_digests.of([EventIn("t", "sub", "c", AT)])
    # SHA-256 of subscription, transaction id and code, with null characters between: its first 16 digits.
    assert event_digests.text(digest) == hashlib.sha256(b"sub\0t\0c").hexdigest()[:16]


def test_what_is_not_in_it() -> None:
    first, other = (
        EventIn("t", "s", "c", AT),
        EventIn("t", "s", "c", datetime(2027, 1, 1, tzinfo=UTC), amount_cents="1"),
    )
    assert event_digests.of([first]) == event_digests.of([other])
    moved = [EventIn("", "ts", "c", AT), EventIn("t", "sc", "", AT), EventIn("s", "t", "c", AT)]
    assert len({event_digests.of([one]) for one in [first, *moved]}) == 4


@given(_events, _events)
def test_parts_add_up(some: list[EventIn], more: list[EventIn]) -> None:
    total = event_digests.of(some) + event_digests.of(more)
    assert event_digests.text(event_digests.of([*more, *some])) == event_digests.text(total)


def test_signed_sums_give_the_same_text() -> None:
    assert event_digests.text(-1) == "f" * 16
    assert event_digests.text(0) == "0" * 16
    assert event_digests.text(2**64 + 255) == "00000000000000ff"
