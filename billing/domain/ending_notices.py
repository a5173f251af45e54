"""Notices before the agreed end of a subscription: on which local day one is due. Owns this rule."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date


def due(*, ends_on: date, today: date, days: Collection[int]) -> int | None:
    """Return which notice is due: the smallest of ``days`` before the end that has come; none before the first.

    Both are local dates of the customer. An end that was agreed late skips the notices whose day was over already.
    Nothing is due once the end has come.
    """
    left = (ends_on - today).days
    if left <= 0:
        return None
    return min((one for one in days if one >= left), default=None)
