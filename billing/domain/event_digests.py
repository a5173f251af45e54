"""Digests that say which events there are. Owns how one is computed, so that a sender can do the same.

The digest of an event is the first eight bytes, as a big-endian number, of the SHA-256 of subscription, transaction id
and code in UTF-8, with a null character between. That of many events is the sum of theirs modulo 2^64, so digests of
parts add up to that of the whole in whatever order. As text it has 16 hexadecimal digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from billing.domain.usage_events import EventIn

MODULUS = 2**64


def of(events: Iterable[EventIn]) -> int:
    """Return the digest of events."""
    return (
        sum(
            int.from_bytes(
                hashlib.sha256(
                    f"{event.external_subscription_id}\0{event.transaction_id}\0{event.code}".encode()
                ).digest()[:8]
            )
            for event in events
        )
        % MODULUS
    )


def text(digest: int) -> str:
    """Write a digest; a sum of signed 64-bit parts, as the database computes it, gives the same."""
    return f"{digest % MODULUS:016x}"
