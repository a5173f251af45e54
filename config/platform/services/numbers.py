"""Gapless numbers. A number is taken under a row lock held until the transaction ends: rolled back, it is free."""

from __future__ import annotations

from collections.abc import Mapping

from config.kernel import db
from config.platform.models import NumberSequence


def take(*, scope: str, count: int = 1) -> range:
    """Take the next ``count`` numbers of a scope, from 1 on, without gap or repeat. Needs a transaction.

    The next taker of the same scope waits until this transaction ends.
    """
    return take_many(counts={scope: count})[scope]


def take_many(*, counts: Mapping[str, int]) -> dict[str, range]:
    """Take numbers of several scopes at once, in a few statements however many there are. Needs a transaction.

    Scopes are locked in one order, so that takers of the same scopes wait for each other and do not deadlock.
    """
    rows = NumberSequence.objects.filter(scope__in=counts)
    known = set(rows.values_list("scope", flat=True))
    if missing := sorted(set(counts) - known):
        NumberSequence.objects.bulk_create([NumberSequence(scope=scope) for scope in missing], ignore_conflicts=True)
    sequences = db.lock(rows)
    taken = {}
    for sequence in sequences:
        first = sequence.last_value + 1
        sequence.last_value += counts[sequence.scope]
        taken[sequence.scope] = range(first, sequence.last_value + 1)
    NumberSequence.objects.bulk_update(sequences, ["last_value"])
    return taken
