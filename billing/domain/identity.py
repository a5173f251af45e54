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
TRUE_UP = "true_up"

# The keys are compared as one-element ranges of bigint, whose upper end is the key plus one: two bits stay free.
_BITS = 62


def item_key(
    *,
    charge_key: str | None = None,
    filter_key: str | None = None,
    group: Mapping[str, str | None] | None = None,
    is_true_up: bool = False,
) -> int:
    """Return the key of an item of a subscription: the plan fee without a charge, else the charge, filter and group.

    What tops a charge up to its minimum is an item of its own. Stable over versions and installations, not negative and
    below 2**62.
    """
    if charge_key is None:
        parts: list[object] = [PLAN_FEE]
    elif is_true_up:
        parts = [TRUE_UP, charge_key]
    else:
        parts = [CHARGE, charge_key, filter_key, dict(group or {})]
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.blake2b(canonical.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _BITS)
