"""Exports of a seller's journal to a general ledger: nothing is lost, nothing comes twice, and the same file again.

An export has the entries that no export before it had, up to a last accounting day or without one. What is booked later
for days that were exported already is late and comes with the next export. The files are stored with their digests.

Ids are given when an entry is written and transactions end in another order, so the highest id that is visible says
nothing about those below it. Whoever books holds a lock (by trigger) until the transaction ends, and an export takes
that lock alone for a moment: then nobody is between an id and the end, and all up to the highest id is settled.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection, models, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils.text import slugify

from config.kernel import dates, db, errors
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import BillingEntity
from invoicing.models import JournalExport, JournalPart, LedgerEntry
from invoicing.services import journal_files as files

PIECE = 2000
"""Entries in a piece of a file."""

_DAY = timedelta(days=1)


class UnableToExport(errors.Invalid):
    """The days asked for are not over, or were exported already."""


class NothingToExport(errors.Conflict):
    """Nothing was booked since the last export."""


class KeyReused(errors.Conflict):
    """The key belongs to another export."""


@dataclass
class _Controls:
    entries: int = 0
    late: int = 0
    first: int | None = None
    last: int | None = None
    sums: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def add(self, entries: Sequence[LedgerEntry], since: date | None) -> None:
        for entry in entries:
            self.entries += 1
            self.late += files.is_late(entry, since)
            self.first = entry.pk if self.first is None else self.first
            self.last = entry.pk
            for posting in entry.postings.all():
                sums = self.sums.setdefault(posting.currency, {"debit": Decimal(0), "credit": Decimal(0)})
                sums["debit" if posting.amount.amount > 0 else "credit"] += abs(posting.amount.amount)

    def totals(self) -> dict[str, dict[str, str]]:
        return {
            currency: {side: format(amount, "f") for side, amount in sums.items()}
            for currency, sums in sorted(self.sums.items())
        }


@transaction.atomic
def create(
    *,
    billing_entity_id: int,
    actor: Actor,
    at: datetime,
    until_date: date | None = None,
    idempotency_key: str | None = None,
) -> JournalExport:
    """Export what was booked and not exported yet, up to an accounting day (local to the seller) or all of it.

    The same day, or the same key, asked for again gives the first export. Waits until those who book at the moment are
    done. Raises UnableToExport for a day that is to come (`period_not_over`) or before the last exported one
    (`period_exported`), NothingToExport where nothing is new and no day was named, KeyReused.
    """
    entity = BillingEntity.objects.get(pk=billing_entity_id)
    db.advisory_lock(f"invoicing.journal_export:{billing_entity_id}")
    earlier = JournalExport.objects.filter(billing_entity=entity)
    if idempotency_key and (first := earlier.filter(idempotency_key=idempotency_key).first()):
        if first.until_date != until_date:
            raise KeyReused("idempotency_key_reused", "The key was used for another export.")
        return first
    if until_date and (same := earlier.filter(until_date=until_date).first()):
        return same
    exported_until = earlier.aggregate(day=Max("until_date"))["day"]
    if until_date and until_date > dates.local_date(at, dates.zone(entity.timezone)):
        raise UnableToExport("period_not_over", "The day is still to come.", {"until_date": ["period_not_over"]})
    if until_date and exported_until and until_date < exported_until:
        raise UnableToExport(
            "period_exported",
            f"Everything up to {exported_until} was exported. What was booked since comes with a later day.",
            {"until_date": ["period_exported"]},
        )
    known = settled_id()
    since = exported_until + _DAY if exported_until else None
    rows = unexported(billing_entity_id=billing_entity_id, until_date=until_date, last_known_id=known)
    number = earlier.count() + 1
    about = {
        "billing_entity_code": entity.code,
        "number": number,
        "since_date": since.isoformat() if since else None,
        "until_date": until_date.isoformat() if until_date else None,
    }
    texts, controls = _written(rows, number, since, about)
    if not controls.entries and until_date is None:
        raise NothingToExport("nothing_to_export", "Nothing was booked since the last export.")
    export = JournalExport.objects.create(
        created_at=at,
        billing_entity=entity,
        number=number,
        since_date=since,
        until_date=until_date,
        last_known_id=known,
        entries_count=controls.entries,
        late_count=controls.late,
        first_entry_id=controls.first,
        last_entry_id=controls.last,
        totals=controls.totals(),
        csv_sha256=texts[JournalPart.Format.CSV].sha256,
        json_sha256=texts[JournalPart.Format.JSON].sha256,
        idempotency_key=idempotency_key or None,
    )
    JournalPart.objects.bulk_create(
        [
            JournalPart(created_at=at, export=export, format=kind, position=position, content=content)
            for kind, text in texts.items()
            for position, content in enumerate(text.parts)
        ],
        batch_size=100,
    )
    audit.record(
        actor=actor,
        at=at,
        verb="export",
        instance=export,
        new={"entries": controls.entries, "totals": controls.totals(), "until_date": until_date},
    )
    return export


def content(*, export: JournalExport, kind: str) -> Iterator[bytes]:
    """Return the file of an export in pieces: the same bytes whenever it is asked for."""
    parts = JournalPart.objects.filter(export=export, format=kind).order_by("position")
    for packed in parts.values_list("content", flat=True).iterator(chunk_size=10):
        yield zlib.decompress(packed)


def waiting(*, billing_entity_ids: Collection[int]) -> dict[int, int]:
    """Return how many entries of each seller no export has yet, counted without waiting for those who book.

    Sellers of whom all is exported are left out. Two queries.
    """
    whole = JournalExport.objects.filter(billing_entity__in=billing_entity_ids, until_date__isnull=True)
    floors = dict(whole.order_by().values_list("billing_entity").annotate(known=Max("last_known_id")))
    beyond = Q(pk__in=())
    for key in billing_entity_ids:
        beyond |= Q(billing_entity=key, pk__gt=floors.get(key, 0))
    rows = LedgerEntry.objects.filter(beyond).filter(~Exists(_having(OuterRef("billing_entity"))))
    return dict(rows.order_by().values_list("billing_entity").annotate(count=Count("pk")))


def file_name(*, export: JournalExport, kind: str) -> str:
    """Return the name of an export's file."""
    return f"journal-{slugify(export.billing_entity.code)}-{export.number:04}.{kind}"


def unexported(*, billing_entity_id: int, until_date: date | None, last_known_id: int) -> models.QuerySet[LedgerEntry]:
    """Return the entries that no export of the seller has, up to an accounting day and an id, in booking order."""
    earlier = JournalExport.objects.filter(billing_entity_id=billing_entity_id)
    # An export without a last day has everything up to its id: what is below need not be looked at.
    floor = earlier.filter(until_date__isnull=True).aggregate(known=Max("last_known_id"))["known"] or 0
    rows = LedgerEntry.objects.filter(billing_entity_id=billing_entity_id, pk__gt=floor, pk__lte=last_known_id)
    if until_date is not None:
        rows = rows.filter(accounting_date__lte=until_date)
    return rows.filter(~Exists(_having(billing_entity_id))).order_by("pk")


def _having(billing_entity: int | OuterRef) -> models.QuerySet[JournalExport]:
    """The exports of a seller that have the entry of the query around."""
    return JournalExport.objects.filter(
        Q(until_date__isnull=True) | Q(until_date__gte=OuterRef("accounting_date")),
        billing_entity_id=billing_entity,
        last_known_id__gte=OuterRef("pk"),
    )


def settled_id() -> int:
    """Return an id up to which every entry is committed or will never be; 0 for an empty ledger. Needs a transaction.

    Waits for the transactions that are booking, and keeps new ones waiting for that long.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('invoicing.journal', 0))")
        try:
            cursor.execute("SELECT coalesce(max(id), 0) FROM invoicing_ledgerentry")
            (found,) = cursor.fetchone()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended('invoicing.journal', 0))")
    return int(found)


def _written(
    rows: models.QuerySet[LedgerEntry], number: int, since: date | None, about: dict[str, object]
) -> tuple[dict[JournalPart.Format, files.Digested], _Controls]:
    controls = _Controls()
    csv_file, json_file = files.Digested(), files.Digested()
    csv_file.add(files.csv_head())
    json_file.add(files.json_head(about=about))
    for entries in _pieces(rows):
        csv_file.add(files.csv_piece(number=number, entries=entries, since=since))
        json_file.add(files.json_piece(entries=entries, since=since, is_first=not controls.entries))
        controls.add(entries, since)
    foot = {
        "entries": controls.entries,
        "late_entries": controls.late,
        "first_entry_id": controls.first,
        "last_entry_id": controls.last,
        "totals": controls.totals(),
    }
    json_file.add(files.json_foot(controls=foot))
    return {JournalPart.Format.CSV: csv_file, JournalPart.Format.JSON: json_file}, controls


def _pieces(rows: models.QuerySet[LedgerEntry]) -> Iterator[list[LedgerEntry]]:
    last = 0
    loaded = rows.select_related("customer").prefetch_related("postings__account", "postings__invoice")
    while entries := list(loaded.filter(pk__gt=last)[:PIECE]):
        yield entries
        last = entries[-1].pk
