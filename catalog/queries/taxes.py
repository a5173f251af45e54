"""Reading taxes."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models

from catalog.models import Tax
from config.kernel import errors


def listed(*, search_term: str | None = None) -> models.QuerySet[Tax]:
    """Return the taxes that exist, newest first; ``search_term`` is looked for in name and code.

    What tax engines tell is theirs, and not listed.
    """
    rows = Tax.objects.filter(deleted_at__isnull=True).exclude(origin=Tax.Origin.ENGINE)
    if search_term:
        rows = rows.filter(models.Q(name__icontains=search_term) | models.Q(code__icontains=search_term))
    return rows.order_by("-created_at", "-id")


def choices() -> models.QuerySet[Tax]:
    """Return the taxes that people may choose, those kept by hand first, by name."""
    return listed().order_by("-origin", "name", "id")


def by_code(*, code: str) -> Tax:
    """Return a tax. Raises NotFound (`tax_not_found`)."""
    return by_codes(codes=[code])[0]


def by_codes(*, codes: Sequence[str]) -> list[Tax]:
    """Return the taxes of these codes, in their order, each once. Raises NotFound (`tax_not_found`)."""
    if not codes:
        return []
    found = {tax.code: tax for tax in listed().filter(code__in=codes)}
    missing = [code for code in codes if code not in found]
    if missing:
        raise errors.NotFound("tax_not_found", f"There is no tax {missing[0]}.")
    return [found[code] for code in dict.fromkeys(codes)]
