"""Writing the ledger. Turns the bookings of the domain into entries and postings on the accounts of a seller.

Append-only: the database refuses to change what is booked, and an entry that does not sum to zero when the transaction
ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models

from invoicing.domain import ledger
from invoicing.domain.ledger import Booking
from invoicing.models import LedgerAccount, LedgerEntry, LedgerPosting

_BATCH = 1000
_CHART = {
    ledger.CASH: ("1000", "Cash"),
    ledger.RECEIVABLE: ("1200", "Receivables"),
    ledger.CUSTOMER_CREDIT: ("2100", "Customer credit"),
    ledger.REFUNDS: ("2110", "Refunds to pay"),
    ledger.PREPAID: ("2120", "Prepaid by customers"),
    ledger.TAX: ("2200", "Tax payable"),
    ledger.REVENUE: ("4000", "Revenue"),
}
"""The accounts that a seller starts with. Code and name may be changed later, the role may not."""


@dataclass(frozen=True)
class Source:
    """A booking with the row that caused it, whose books it is in, and its day there (a local date of the document)."""

    booking: Booking
    instance: models.Model
    billing_entity_id: int
    customer_id: int
    accounting_date: date
    description: str


def post_many(*, sources: Sequence[Source], at: datetime) -> list[LedgerEntry]:
    """Book facts, in a fixed number of statements. Needs a transaction.

    A booking without postings (a document of nothing) writes nothing. The same fact of the same row twice is refused by
    the database.
    """
    booked = [source for source in sources if source.booking.postings]
    if not booked:
        return []
    accounts = ensure_accounts(billing_entity_ids={source.billing_entity_id for source in booked}, at=at)
    entries = LedgerEntry.objects.bulk_create([_entry(source, at) for source in booked], batch_size=_BATCH)
    LedgerPosting.objects.bulk_create(
        [
            LedgerPosting(
                created_at=at,
                entry=entry,
                account_id=accounts[source.billing_entity_id, posting.role],
                currency=posting.amount.currency.code,
                amount=posting.amount,
            )
            for entry, source in zip(entries, booked, strict=True)
            for posting in source.booking.postings
        ],
        batch_size=_BATCH,
    )
    return entries


def ensure_accounts(*, billing_entity_ids: Iterable[int], at: datetime) -> dict[tuple[int, str], int]:
    """Return the ids of all accounts of sellers by seller and role; what a seller lacks is opened. Idempotent."""
    sellers = set(billing_entity_ids)
    found = _accounts(sellers)
    missing = [(seller, role) for seller in sorted(sellers) for role in _CHART if (seller, role) not in found]
    if missing:
        LedgerAccount.objects.bulk_create(
            [
                LedgerAccount(
                    created_at=at, billing_entity_id=seller, role=role, code=_CHART[role][0], name=_CHART[role][1]
                )
                for seller, role in missing
            ],
            ignore_conflicts=True,
        )
        found = _accounts(sellers)
    return found


def _accounts(sellers: set[int]) -> dict[tuple[int, str], int]:
    rows = LedgerAccount.objects.filter(billing_entity_id__in=sellers)
    return {(row.billing_entity_id, row.role): row.pk for row in rows}


def _entry(source: Source, at: datetime) -> LedgerEntry:
    return LedgerEntry(
        created_at=at,
        billing_entity_id=source.billing_entity_id,
        customer_id=source.customer_id,
        fact=source.booking.fact,
        source_type=source.instance._meta.label_lower,
        source_id=source.instance.pk,
        booked_at=at,
        accounting_date=source.accounting_date,
        description=source.description[:255],
    )
