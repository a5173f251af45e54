"""How many requests a key may send: so many in each minute of the clock. Owns counting them.

The count is one row per key, raised by one statement, so that it is exact over all processes: two requests never see
the same count. Keys without a limit are never counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.kernel import statements

MINUTE = timedelta(minutes=1)

# A process whose clock is behind counts into the minute that has begun already.
_COUNT = """
INSERT INTO platform_ratecount AS known (api_key_id, minute_at, used) VALUES (%(key)s, %(minute)s, 1)
ON CONFLICT (api_key_id) DO UPDATE SET
    used = CASE WHEN excluded.minute_at > known.minute_at THEN 1 ELSE known.used + 1 END,
    minute_at = greatest(excluded.minute_at, known.minute_at)
RETURNING used, minute_at
"""


@dataclass(frozen=True)
class Standing:
    """Where a key stands in its minute: what it may send, what it sent with this request, when the next one begins."""

    limit: int
    used: int
    seconds_left: int

    @property
    def remaining(self) -> int:
        """How many more requests of this minute are let through."""
        return max(self.limit - self.used, 0)

    @property
    def is_over(self) -> bool:
        """Say whether this request is one too many."""
        return self.used > self.limit


def count(*, api_key_id: int, limit: int, at: datetime) -> Standing:
    """Count one request of a key and tell where it stands. Refused requests count too, until the minute is over.

    Written by itself, outside of the transaction of what the request does. A crash of the database forgets the counts.
    """
    minute = at.replace(second=0, microsecond=0)
    ((used, counted),) = statements.fetch_prepared(_COUNT, {"key": api_key_id, "minute": minute})
    left = (counted + MINUTE - at).total_seconds()
    return Standing(limit=limit, used=used, seconds_left=max(math.ceil(left), 1))
