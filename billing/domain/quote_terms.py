"""The terms of a quote's version as JSON: reading them from outside, the one way in which they are written, the digest.

Owns the canonical JSON. The values are `quote_values`', and known under their names here too; how a field is read is
`quote_reading`'s.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.domain import quote_reading
from billing.domain.quote_values import (
    ChangeKind,
    DiscountScope,
    InvalidTerms,
    QuoteChange,
    QuoteCommitment,
    QuoteCoupon,
    QuoteCredits,
    QuoteItem,
    QuoteOneOff,
    QuotePhase,
    QuoteTerms,
)
from catalog.domain import decimals

__all__ = [
    "ChangeKind",
    "DiscountScope",
    "InvalidTerms",
    "QuoteChange",
    "QuoteCommitment",
    "QuoteCoupon",
    "QuoteCredits",
    "QuoteItem",
    "QuoteOneOff",
    "QuotePhase",
    "QuoteTerms",
    "digest",
    "read",
    "written",
]


def read(data: object) -> QuoteTerms:
    """Return the terms that JSON holds; what is left out is as `QuoteTerms` has it.

    Raises InvalidTerms (`validation_errors`), whose details name the path of each field that is wrong
    (``items.0.phases.1.units.seats``). Whatever the JSON is, nothing else is raised.
    """
    return quote_reading.read(data)


def written(terms: QuoteTerms) -> dict[str, Any]:
    """Return the canonical JSON of terms: all fields, decimals as text, days in ISO form. `read` gives them back."""
    return {one.name: _plain(getattr(terms, one.name)) for one in dataclasses.fields(terms)}


def digest(terms: QuoteTerms) -> str:
    """Return the sha256 of the canonical JSON, as 64 hexadecimal digits."""
    text = json.dumps(written(terms), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return decimals.text(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
