"""Drafts that the clock does not issue, for reasons of upper apps. Owns the list of these reasons.

A person can issue such a draft all the same.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import models

from invoicing.models import Invoice

Reason = Callable[[], models.Exists]
"""Returns a condition on rows of invoices."""

_reasons: list[Reason] = []


def register(reason: Reason) -> None:
    """Have drafts wait as long as the condition holds. Registering a reason again changes nothing."""
    if reason not in _reasons:
        _reasons.append(reason)


def without(drafts: models.QuerySet[Invoice]) -> models.QuerySet[Invoice]:
    """Return the drafts that are held for no reason."""
    for reason in _reasons:
        drafts = drafts.filter(~reason())
    return drafts
