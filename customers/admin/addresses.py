"""How an address looks on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from config.platform.admin import cells


def lines(of: Any) -> SafeString:
    """The address of a row, or of a mapping with its keys, line by line."""
    get = of.get if isinstance(of, Mapping) else lambda key, default="": getattr(of, key, default)
    place = " ".join(part for part in (get("zipcode", ""), get("city", "")) if part)
    found = (get("address_line1", ""), get("address_line2", ""), place, get("state", ""), get("country", ""))
    shown = [(line,) for line in found if line]
    return format_html_join("", "<div>{}</div>", shown) if shown else cells.EMPTY
