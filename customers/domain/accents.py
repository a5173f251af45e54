"""The colour of a seller on pages: which text can be read on it. Owns this one choice."""

from __future__ import annotations

import re

_COLOR = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
DEFAULT = "#4f46e5"

# How bright the parts of a colour look, in thousandths (ITU-R BT.601), and from which brightness on black reads better.
_WEIGHTS = (299, 587, 114)
_BRIGHT = 150


def checked(color: str) -> str:
    """Return the colour where it is one such as "#4f46e5", else the usual one."""
    return color if _COLOR.fullmatch(color) else DEFAULT


def text_on(color: str) -> str:
    """Return the colour of text that can be read on a colour: black or white."""
    found = _COLOR.fullmatch(color)
    if found is None:
        return "#ffffff"
    parts = (int(part, 16) for part in found.groups())
    brightness = sum(weight * part for weight, part in zip(_WEIGHTS, parts, strict=True)) // sum(_WEIGHTS)
    return "#000000" if brightness >= _BRIGHT else "#ffffff"
