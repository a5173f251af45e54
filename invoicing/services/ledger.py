"""Writing the ledger. Turns the bookings of the domain into entries and postings on the accounts of a seller.

Append-only: the database refuses to change what is booked, and an entry that does not sum to zero when the transaction
ends. Which account a posting goes to is data, see `invoicing.domain.accounts`; keeping accounts and mappings is
`accounts` next door.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models
from moneyed import Money

from config.kernel import rows as db_rows
from invoicing.domain import accounts, ledger
from invoicing.domain.accounts import Rule
from invoicing.domain.ledger import Booking, Dimensions
from invoicing.models import Invoice, LedgerAccount, LedgerEntry, LedgerMapping, LedgerPosting
from invoicing.queries import booked_parts


@dataclass(frozen=True)
class Source:
    """A booking with the row that caused it, whose books it is in, and its day there (a local date of the document).

    ``invoice_id`` is the open item of what is posted on receivables; it is known of an invoice and of a row that points
    at one, and has to be said for others. ``account_ids`` names the account of each posting instead of its role.
    """

    booking: Booking
    instance: models.Model
    billing_entity_id: int
    customer_id: int | None
    accounting_date: date
    description: str
    invoice_id: int | None = None
    account_ids: tuple[int, ...] = ()

    @property
    def open_item_id(self) -> int | None:
        """The invoice that its receivable postings belong to."""
        if self.invoice_id is not None:
            return self.invoice_id
        if isinstance(self.instance, Invoice):
            return self.instance.pk
        return getattr(self.instance, "invoice_id", None)


@dataclass(frozen=True)
class _Side:
    account_id: int
    amount: Money
    invoice_id: int | None


def post_many(*, sources: Sequence[Source], at: datetime) -> list[LedgerEntry]:
    """Book facts, in a fixed number of statements. Needs a transaction.

    One posting for each account: a role has one unless mappings ask for more, and only then the parts of the documents
    are read. A booking without postings (a document of nothing) writes nothing. The same fact of the same row twice is
    refused by the database.
    """
    named = [source for source in sources if source.booking.postings]
    if not named:
        return []
    rules = ensure_rules(billing_entity_ids={source.billing_entity_id for source in named}, at=at)
    sides = _sides(named, rules)
    booked = [(source, found) for source, found in zip(named, sides, strict=True) if found]
    entries = db_rows.insert([_entry(source, at) for source, _ in booked])
    db_rows.insert(
        [
            LedgerPosting(
                created_at=at,
                entry=entry,
                account_id=side.account_id,
                invoice_id=side.invoice_id,
                currency=side.amount.currency.code,
                amount=side.amount,
            )
            for entry, (_, found) in zip(entries, booked, strict=True)
            for side in found
        ]
    )
    return entries


def ensure_accounts(*, billing_entity_ids: Iterable[int], at: datetime) -> dict[tuple[int, str], int]:
    """Return the usual account of each role by seller and role; what a seller lacks is opened. Idempotent."""
    rules = ensure_rules(billing_entity_ids=billing_entity_ids, at=at)
    return {
        (seller, rule.role): rule.account_id for seller, found in rules.items() for rule in found if not any(rule.rank)
    }


def ensure_rules(*, billing_entity_ids: Iterable[int], at: datetime) -> dict[int, list[Rule]]:
    """Return the mappings of sellers. Accounts of the chart that a seller lacks are opened and mapped. Idempotent.

    One query where nothing is missing.
    """
    sellers = set(billing_entity_ids)
    found = _rules(sellers)
    missing = [
        (seller, opening)
        for seller in sorted(sellers)
        for mapped in [{rule.role for rule in found[seller] if not any(rule.rank)}]
        for opening in accounts.CHART
        if opening.role not in mapped
    ]
    if not missing:
        return found
    _open(missing, at)
    return _rules(sellers)


def _open(missing: Sequence[tuple[int, accounts.Opening]], at: datetime) -> None:
    codes = _codes(missing)
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(
                created_at=at,
                billing_entity_id=seller,
                role=opening.role,
                type=opening.type,
                code=code,
                name=opening.name,
            )
            for (seller, opening), code in zip(missing, codes, strict=True)
        ],
        ignore_conflicts=True,
    )
    # Somebody else may have opened the same accounts at this moment, so they are read again.
    rows = LedgerAccount.objects.filter(billing_entity_id__in={seller for seller, _ in missing}, code__in=codes)
    usual = {(row.billing_entity_id, row.code): row.pk for row in rows}
    LedgerMapping.objects.bulk_create(
        [
            LedgerMapping(
                created_at=at,
                billing_entity_id=seller,
                role=opening.role,
                account_id=usual[seller, code],
            )
            for (seller, opening), code in zip(missing, codes, strict=True)
        ],
        ignore_conflicts=True,
    )


def _codes(missing: Sequence[tuple[int, accounts.Opening]]) -> list[str]:
    """Return the codes of accounts to open; one that the seller uses for another role gets an ending."""
    held: dict[int, dict[str, str]] = defaultdict(dict)
    rows = LedgerAccount.objects.filter(billing_entity_id__in={seller for seller, _ in missing})
    for seller, code, role in rows.values_list("billing_entity_id", "code", "role"):
        held[seller][code] = role
    codes = []
    for seller, opening in missing:
        taken = held[seller].get(opening.code, opening.role) != opening.role
        codes.append(f"{opening.code}-{opening.role}"[:32] if taken else opening.code)
    return codes


def _rules(sellers: set[int]) -> dict[int, list[Rule]]:
    found: dict[int, list[Rule]] = {seller: [] for seller in sellers}
    for row in LedgerMapping.objects.filter(billing_entity_id__in=sellers):
        narrowed = {name: getattr(row, name) for name in accounts.DIMENSIONS}
        found[row.billing_entity_id].append(Rule(role=row.role, account_id=row.account_id, **narrowed))
    return found


def _sides(sources: Sequence[Source], rules: Mapping[int, Sequence[Rule]]) -> list[list[_Side]]:
    apart = {seller for seller, found in rules.items() if accounts.splits(found)}
    split = [source for source in sources if source.billing_entity_id in apart and not _is_placed(source)]
    parts = booked_parts.of(instances=[source.instance for source in split])
    resolved: dict[tuple[int, str, Dimensions, str], int] = {}
    sides = []
    for source in sources:
        key = (source.instance._meta.label_lower, source.instance.pk)
        booking = ledger.split(source.booking, parts=parts[key]) if key in parts else source.booking
        sums: dict[tuple[int, str], _Side] = {}
        for position, posting in enumerate(booking.postings):
            currency = posting.amount.currency.code
            known = (source.billing_entity_id, posting.role, posting.dimensions, currency)
            if source.account_ids:
                account_id = source.account_ids[position]
            elif posting.account_id is not None:
                account_id = posting.account_id
            elif known in resolved:
                account_id = resolved[known]
            else:
                account_id = resolved[known] = accounts.resolve(
                    rules=rules[source.billing_entity_id],
                    role=posting.role,
                    dimensions=posting.dimensions,
                    currency=currency,
                )
            before = sums.get((account_id, currency))
            sums[account_id, currency] = _Side(
                account_id=account_id,
                amount=posting.amount if before is None else before.amount + posting.amount,
                invoice_id=source.open_item_id if posting.role in accounts.OPEN_ITEMS else None,
            )
        sides.append([side for side in sums.values() if side.amount])
    return sides


def _is_placed(source: Source) -> bool:
    """Say whether the accounts that could be split are named already."""
    return bool(source.account_ids) or any(posting.account_id for posting in source.booking.postings)


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
