"""A usage event on its way in, and what became of it. Owns these values; reading them from what senders wrote is
`event_reading`'s, storing them the services'.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

NO_PROPERTIES = msgspec.Raw(b"{}")

Codes = dict[str, list[str]]
"""Why an event is refused: codes by field."""


class EventIn(msgspec.Struct, frozen=True, gc=False):
    """An event to be stored, checked already: texts that a column can hold, an instant in UTC, properties as text of
    a JSON object. ``failures`` is one too: what could not be computed, nothing where all could.
    """

    transaction_id: str
    external_subscription_id: str
    code: str
    timestamp: datetime
    properties: msgspec.Raw = NO_PROPERTIES
    amount_cents: str | None = None
    failures: msgspec.Raw | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells events apart."""
        return self.transaction_id, self.external_subscription_id


class Verdict(StrEnum):
    """What became of one event of a stream."""

    ACCEPTED = "accepted"
    """It is new, and stored."""
    DUPLICATE = "duplicate"
    """It was stored before with the same content. Nothing changed."""
    CONFLICT = "conflict"
    """Another event has its transaction id in its subscription. It is not stored."""
    REJECTED = "rejected"
    """It is not valid. It is not stored."""


class Taken(msgspec.Struct, frozen=True, gc=False):
    """What became of a valid event; ``id`` is that of the stored event, nothing in a conflict."""

    verdict: Verdict
    id: str | None = None
