"""Totals of documents compared with minor units, which are worth something else in currencies of other exponents."""

from __future__ import annotations

from django.db.models import Q

from config.kernel import money


def total_between(*, least: int | None, most: int | None, currency: str | None = None) -> Q:
    """Return the condition that a total is within bounds, both included, in minor units of its own currency.

    A bound of None is none. Where the list is of one ``currency``, it is enough to look at that.
    """
    by_exponent: dict[int, list[str]] = {}
    for code in money.currencies() if currency not in money.currencies() else [currency]:
        by_exponent.setdefault(money.exponent(code), []).append(code)
    bounds = {name: minor for name, minor in (("gte", least), ("lte", most)) if minor is not None}
    condition = Q()
    for codes in by_exponent.values():
        amounts = {f"total_amount__{name}": money.from_minor(minor, codes[0]).amount for name, minor in bounds.items()}
        condition |= Q(currency__in=codes, **amounts)
    return condition if bounds else Q()
