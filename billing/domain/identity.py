"""What makes two billed items the same thing. Owns the key by which the database refuses to bill it twice in one time.

Keys of charges and filters outlive the versions of a plan, so a price list that changed in between does not open the
door to billing the same usage again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

PLAN_FEE = "plan_fee"
CHARGE = "charge"

# The keys are compared as one-element ranges of bigint, whose upper end is the key plus one: two bits stay free.
_BITS = 62


def item_key(
    *, charge_key: str | None = None, filter_key: str | None = None, group: Mapping[str, str] | None = None
) -> int:
    """Return the key of an item of a subscription: the plan fee without a charge, else the charge, filter and group.

    Stable over versions and installations, not negative and below 2**62.
    """
    parts = [PLAN_FEE] if charge_key is None else [CHARGE, charge_key, filter_key, dict(group or {})]
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.blake2b(canonical.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _BITS)
