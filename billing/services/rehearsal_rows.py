"""Rows of a rehearsal that are no invoice: what failed, and who was left out. Owns how they are told from invoices."""

from __future__ import annotations

import hashlib
from datetime import datetime

from billing.models import ParkedAccount, Rehearsal, RehearsedInvoice
from billing.queries import rehearsals


def failure(*, rehearsal: Rehearsal, customer_id: int, code: str, message: str, at: datetime) -> RehearsedInvoice:
    """Return the unsaved row of a customer who could not be billed."""
    return RehearsedInvoice(
        created_at=at,
        rehearsal=rehearsal,
        customer_id=customer_id,
        group_sha256=_key("failure", customer_id),
        error_code=code,
        error=message,
    )


def parked(*, rehearsal: Rehearsal, account: ParkedAccount, at: datetime) -> RehearsedInvoice:
    """Return the unsaved row of an account that is left out."""
    return RehearsedInvoice(
        created_at=at,
        rehearsal=rehearsal,
        customer_id=account.customer_id,
        group_sha256=_key("parked", account.customer_id),
        error_code=rehearsals.PARKED,
        error=account.reason,
    )


def _key(kind: str, customer_id: int) -> str:
    return hashlib.sha256(f"{kind}:{customer_id}".encode()).hexdigest()
