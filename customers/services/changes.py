"""Changes of a row as a few named fields. Owns comparing, assigning and what the audit trail gets to see of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models

DRAFT_TERMS = frozenset({"invoice_grace_period", "issuing_date_anchor", "issuing_date_adjustment", "net_payment_term"})
"""What of customers and sellers decides about the dates of drafts."""


def assign(instance: models.Model, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set the fields that differ and return their old and new values. Saves nothing."""
    new = {field: value for field, value in values.items() if getattr(instance, field) != value}
    old = {field: getattr(instance, field) for field in new}
    for field, value in new.items():
        setattr(instance, field, value)
    return old, new
