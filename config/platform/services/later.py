"""Periodic jobs whose feature does not exist yet. They are known by name, so that a schedule may name them already."""

from __future__ import annotations

from datetime import datetime


def nothing(*, as_of: datetime) -> str:
    """Do nothing, and say so."""
    return "nothing to do: there is no such feature yet"
