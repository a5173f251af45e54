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
FIXED_CHARGE = "fixed_charge"
LATE_USAGE = "late_usage"
TERM_COMMITMENT = "term_commitment"
COMMITMENT = "commitment"

# The keys are compared as one-element ranges of bigint, whose upper end is the key plus one: two bits stay free.
_BITS = 62


def item_key(
    *,
    charge_key: str | None = None,
    filter_key: str | None = None,
    group: Mapping[str, str | None] | None = None,
    is_true_up: bool = False,
    fixed_charge_key: str | None = None,
    is_commitment: bool = False,
) -> int:
    """Return the key of an item of a subscription: the plan fee without a charge, else the charge, filter and group.

    A fixed charge is an item, and so is what tops a charge, or the whole plan, up to its minimum. Stable over versions
    and installations, not negative and below 2**62.
    """
    parts: list[object]
    if is_commitment:
        parts = [COMMITMENT]
    elif fixed_charge_key is not None:
        parts = [FIXED_CHARGE, fixed_charge_key]
    elif charge_key is None:
        parts = [PLAN_FEE]
    elif is_true_up:
        parts = [TRUE_UP, charge_key]
    else:
        parts = [CHARGE, charge_key, filter_key, dict(group or {})]
    return _digest(parts)


def late_usage_key(*, entry_id: str) -> int:
    """Return the key of what an entry of the late usage inbox bills: once, beside what its time was billed before."""
    return _digest([LATE_USAGE, entry_id])


def term_commitment_key(*, commitment_id: str) -> int:
    """Return the key of what tops up a commitment over the term of a contract: once, whatever else its time billed."""
    return _digest([TERM_COMMITMENT, commitment_id])


def _digest(parts: list[object]) -> int:
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.blake2b(canonical.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - _BITS)
