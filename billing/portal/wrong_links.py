"""Links to quotes that open nothing, counted by the network address that asks: whoever tries many is sent away.

Owns the count, which each process of the web server keeps for itself, in memory. A link that opens something is never
counted and never refused: behind one address there may be a whole company.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache

MOST = 20
"""Wrong links that one address may try within the time."""

SECONDS = 600
_PREFIX = "billing.quote_links.wrong"


def count(*, address: str) -> bool:
    """Count a wrong link of an address, and say whether these were too many. Addresses are not kept readable."""
    key = f"{_PREFIX}.{hashlib.sha256(address.encode()).hexdigest()}"
    cache.add(key, 0, timeout=SECONDS)
    try:
        return cache.incr(key) > MOST
    except ValueError:  # it was forgotten between the two
        return False
