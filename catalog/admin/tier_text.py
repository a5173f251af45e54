"""Tiers as lines of text, one per tier: “up to; price; flat amount”. Owns reading and writing them; what good ones are,
the domain says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

PLACEHOLDER = "1000; 0.02; 5\n10000; 0.015\n; 0.01"


def read(text: str, price_key: str) -> list[dict[str, Any]]:
    """Read tiers: each starts where the one before ends; without a flat amount there is none.

    Raises ValidationError for a line that is no tier, or that has no price: nothing is free by a slip of the pen.
    """
    found: list[dict[str, Any]] = []
    start: Any = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(";")]
        if len(parts) not in (2, 3):
            raise forms.ValidationError(f"“{line.strip()}” is not of the form “up to; price; flat amount”.")
        end, price, flat = (*parts, "0")[:3]
        if not price:
            raise forms.ValidationError(f"“{line.strip()}” has no price: write 0 where the units are free.")
        found.append(
            {
                "from_value": start,
                "to_value": end or None,
                price_key: price,
                "flat_amount": flat or "0",
            }
        )
        start = end
    return found


def write(tiers: Sequence[Mapping[str, Any]], price_key: str) -> str:
    """Write tiers as they are read."""
    return "\n".join(_line(tier, price_key) for tier in tiers)


def _line(tier: Mapping[str, Any], price_key: str) -> str:
    end = "" if tier.get("to_value") is None else str(tier["to_value"])
    parts: Sequence[str] = (end, str(tier.get(price_key, "0")), str(tier.get("flat_amount", "0")))
    return "; ".join(parts)
