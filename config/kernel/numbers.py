"""JSON numbers. Owns the only step from a decimal to a binary number, for the few API fields that must be numbers.

Nothing computes with the result: it is written into an answer and forgotten. Amounts travel as integer minor units or
as decimal text.
"""

from __future__ import annotations

from decimal import Decimal


def json_number(value: Decimal) -> float:
    """Return the number that an answer shows for a decimal: the nearest one that JSON readers know."""
    return float(value)
