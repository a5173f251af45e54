"""The number that a metric reads in an event, in SQL. Owns the rule of what counts as one; used where events come in
and where they are read.
"""

from __future__ import annotations

# Longer figures are beyond any usage; the bound keeps a hostile one from filling memory.
PLAIN_DECIMAL = "^-?[0-9]{1,40}([.][0-9]{1,40})?$"
# The same for texts that are too short to break the bounds. Counting digits makes a match four times as slow.
_SHORT, _SHORT_DECIMAL = 40, "^-?[0-9]+([.][0-9]+)?$"


def number(*, properties: str, field_name: str) -> str:
    """Return the SQL expression of a property as a number: its decimal, or null where it is absent or no plain decimal.

    Both arguments are SQL expressions. Text and JSON numbers count alike, as in ``"12.5"`` and ``12.5``; an exponent, a
    plus sign or blanks make no number.
    """
    text = f"({properties} ->> {field_name})"
    is_plain = (
        f"CASE WHEN length({text}) <= {_SHORT} THEN {text} ~ '{_SHORT_DECIMAL}' ELSE {text} ~ '{PLAIN_DECIMAL}' END"
    )
    return f"CASE WHEN {is_plain} THEN {text}::numeric END"


def source(field_name: str) -> str:
    """Return the SQL expression that tells properties apart by name, as ``value_source`` stores it."""
    return f"hashtextextended({field_name}, 0)"
