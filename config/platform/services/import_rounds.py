"""Rounds over the rows of an import: playing each to see what it would do, and writing what was confirmed.

A row is played by the very services that write it, in a transaction that is rolled back. Written, it is marked in the
same transaction. Owns the order of things and what is told about a row; the states of an import are `imports`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction

from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.models import ImportFile, ImportRow
from config.platform.services import approvals, audit, import_cells, import_kinds
from config.platform.services.import_cells import DayOrder, DecimalMark, Layout
from config.platform.services.import_kinds import Effect, ImportKind, RowRefused, Task

Status = ImportFile.Status
Outcome = ImportRow.Outcome
_RESULT = ("key", "outcome", "column", "message", "changes", "object_type", "object_id", "object_label", "written_at")
_WORDS = {
    "value_is_mandatory": "is needed",
    "value_is_invalid": "is not valid",
    "value_is_too_long": "is too long",
    "value_is_out_of_range": "is out of range",
    "value_already_exist": "is taken already",
    "value_is_duplicated": "is there twice",
    "not_a_valid_country_code": "is not a country code such as DE",
    "invalid_timezone": "is not a time zone such as Europe/Berlin",
    "not_a_valid_language_code": "is not a language of documents",
    "invalid_email_format": "is not an e-mail address",
    "url_is_invalid": "is not an address that begins with http:// or https://",
    "unsupported_value": "is not supported",
    "modification_not_allowed": "cannot be changed",
}


class _Refused(Exception):
    """Ends a transaction of all rows."""


def go_on(*, import_id: int, at: datetime) -> bool:
    """Check or write the rows of an import that are left, and say whether it came to an end.

    Each group of rows is a transaction of its own, under a lock of the import. Idempotent.
    """
    file = ImportFile.objects.get(pk=import_id)
    kind = import_kinds.one(file.kind)
    if file.status == Status.CHECKING:
        _name_keys(file, kind)
        for numbers in _units(file, kind, [Outcome.PENDING]):
            if not _one(file, kind, numbers, at, is_written=False):
                return False
        return _end(file, Status.CHECKING, Status.CHECKED, at)
    if file.status != Status.WRITING:
        return False
    if file.is_all_or_nothing:
        return _all(file, kind, at)
    for numbers in _units(file, kind, [Outcome.NEW, Outcome.CHANGED]):
        if not _one(file, kind, numbers, at, is_written=True):
            return False
    return _end(file, Status.WRITING, Status.DONE, at)


def demand(file: ImportFile, *, actor: Actor, at: datetime) -> None:
    """Ask for the second person that all rows together need, where rules say so. Raises ApprovalRequired."""
    kind = import_kinds.one(file.kind)
    if kind.demand is None:
        return
    rows = file.rows.filter(outcome__in=[Outcome.NEW, Outcome.CHANGED]).order_by("number")
    kind.demand(Task(rows=[_values(file, kind, row) for row in rows], options=file.options, actor=actor, at=at))


def _name_keys(file: ImportFile, kind: ImportKind) -> None:
    """Write down what each row is about, once."""
    rows = list(file.rows.filter(outcome=Outcome.PENDING, key="").order_by("number"))
    for row in rows:
        texts = [_plain(_cell(file, row, name)) for name in kind.key]
        row.key = " / ".join(texts)[:600] if any(texts) else f"row {row.number}"
    with transaction.atomic():
        db.advisory_lock(f"platform.import:{file.pk}")
        if ImportFile.objects.filter(pk=file.pk, status=Status.CHECKING).exists():
            ImportRow.objects.bulk_update(rows, ["key"], batch_size=500)


def _units(file: ImportFile, kind: ImportKind, outcomes: Sequence[str]) -> Iterator[list[int]]:
    """The ids of rows that are done as one, in the order of the file."""
    left = file.rows.filter(outcome__in=outcomes, written_at__isnull=True).order_by("number")
    units: dict[str, list[int]] = {}
    for pk, key in list(left.values_list("pk", "key")):
        units.setdefault(key if kind.is_grouped else str(pk), []).append(pk)
    yield from units.values()


@transaction.atomic
def _one(file: ImportFile, kind: ImportKind, ids: Sequence[int], at: datetime, *, is_written: bool) -> bool:
    """Do rows that belong together, and say whether the import still goes on."""
    db.advisory_lock(f"platform.import:{file.pk}")
    wanted = Status.WRITING if is_written else Status.CHECKING
    if not ImportFile.objects.filter(pk=file.pk, status=wanted).exists():
        return False
    rows = list(file.rows.filter(pk__in=ids, written_at__isnull=True).order_by("number"))
    if not is_written:
        rows = [row for row in rows if row.outcome == Outcome.PENDING]
    if rows:
        _do(file, kind, rows, at, is_written=is_written)
        ImportRow.objects.bulk_update(rows, _RESULT)
    return True


def _do(file: ImportFile, kind: ImportKind, rows: list[ImportRow], at: datetime, *, is_written: bool) -> None:
    """Play rows or write them, and set what became of them."""
    try:
        effect = _applied(file, kind, rows, at, is_written=is_written)
    except errors.DomainError as refusal:
        _refuse(rows, kind, refusal)
    except (DataError, IntegrityError, ValueError) as failure:
        _refuse(rows, kind, RowRefused("row_refused", f"It cannot be kept: {str(failure).splitlines()[0][:300]}"))
    else:
        for place, row in enumerate(rows):
            _tell(row, effect, effect.by_row[place] if effect.by_row else effect.changes)
            row.written_at = at if is_written else None


def _applied(file: ImportFile, kind: ImportKind, rows: list[ImportRow], at: datetime, *, is_written: bool) -> Effect:
    _demand_single(file, kind, rows)
    values = [_values(file, kind, row, place) for place, row in enumerate(rows)]
    task = Task(rows=values, options=file.options, actor=_actor(file, rows), at=at)
    with transaction.atomic():
        if is_written:
            return kind.apply(task)
        with approvals.looking():
            effect = kind.apply(task)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the end of a transaction would refuse
        transaction.set_rollback(True)
    return effect


def _demand_single(file: ImportFile, kind: ImportKind, rows: Sequence[ImportRow]) -> None:
    if kind.is_grouped:
        return
    first = file.rows.filter(key=rows[0].key, number__lt=rows[0].number).order_by("number").first()
    if first is not None:
        raise RowRefused("row_twice", f"Row {first.number} is about the same: keep one of the two.")


def _all(file: ImportFile, kind: ImportKind, at: datetime) -> bool:
    """Write all rows in one transaction; one that is refused takes back all of them."""
    try:
        with transaction.atomic():
            db.advisory_lock(f"platform.import:{file.pk}")
            if not ImportFile.objects.filter(pk=file.pk, status=Status.WRITING).exists():
                return False
            for ids in list(_units(file, kind, [Outcome.NEW, Outcome.CHANGED])):
                rows = list(file.rows.filter(pk__in=ids).order_by("number"))
                _do(file, kind, rows, at, is_written=True)
                if rows[0].outcome == Outcome.REFUSED:
                    raise _Refused(rows)
                ImportRow.objects.bulk_update(rows, _RESULT)
            return _end(file, Status.WRITING, Status.DONE, at)
    except _Refused as refusal:
        (rows,) = refusal.args
    with transaction.atomic():
        ImportRow.objects.bulk_update(rows, _RESULT)
        remark = f"Nothing was written, because row {rows[0].number} was refused: {rows[0].message}"
        ImportFile.objects.filter(pk=file.pk).update(status=Status.CHECKED, remark=remark)
    return True


@transaction.atomic
def _end(file: ImportFile, before: str, after: str, at: datetime) -> bool:
    changed = ImportFile.objects.filter(pk=file.pk, status=before).update(status=after)
    if changed and after == Status.DONE:
        ImportFile.objects.filter(pk=file.pk).update(ended_at=at)
        written = file.rows.filter(written_at__isnull=False).count()
        audit.record(actor=_person(file), at=at, verb="import", instance=file, new={"rows": written})
    return bool(changed)


def _person(file: ImportFile) -> Actor:
    label = file.confirmed_label or file.uploaded_label
    return Actor(kind="job", label=label, user_id=file.confirmed_by_id or file.uploaded_by_id)


def _actor(file: ImportFile, rows: Sequence[ImportRow]) -> Actor:
    """Who wrote a row: the person who confirmed it, with the file and row that it came from.

    It acts as a job: the second person that it needed was asked for all rows when they were confirmed.
    """
    person = _person(file)
    where = f"{file.file_name[:120]}, row {rows[0].number}" + (f"–{rows[-1].number}" if len(rows) > 1 else "")
    return Actor(kind="job", label=f"{person.label[:100]}: {where}", user_id=person.user_id)


def _cell(file: ImportFile, row: ImportRow, name: str) -> Any:
    place = file.columns.get(name)
    return row.cells[place] if place is not None and place < len(row.cells) else ""


def _plain(cell: Any) -> str:
    return cell.strip() if isinstance(cell, str) else str(next(iter(cell.values())))


def _values(file: ImportFile, kind: ImportKind, row: ImportRow, number: int = 0) -> dict[str, Any]:
    """Return a row by the names of columns. Raises RowRefused with the column that cannot be read."""
    layout = Layout(DecimalMark(file.layout["decimals"]), DayOrder(file.layout["days"]))
    found: dict[str, Any] = {}
    for column in kind.columns:
        cell = _cell(file, row, column.name)
        try:
            value = import_cells.value(kind=column.kind, cell=cell, layout=layout, most=column.most)
        except import_cells.BadCell as bad:
            raise import_kinds.refused(column.name, bad.message, number) from bad
        if value is not None:
            found[column.name] = value
        elif column.is_needed:
            raise import_kinds.refused(column.name, "It is needed and empty.", number)
    return found


def _tell(row: ImportRow, effect: Effect, changes: Sequence[import_kinds.Change]) -> None:
    outcome = Outcome.NEW if effect.is_new else Outcome.CHANGED if effect.changes else Outcome.UNCHANGED
    row.outcome, row.column, row.message = outcome, "", ""
    row.changes = [list(change) for change in changes]
    row.object_type, row.object_id, row.object_label = "", None, ""
    if effect.instance is not None:
        row.object_type = effect.instance._meta.label_lower
        row.object_id = effect.instance.pk
        row.object_label = str(effect.instance)[:255]


def _refuse(rows: Sequence[ImportRow], kind: ImportKind, refusal: errors.DomainError) -> None:
    column, words = _told(kind, refusal)
    place = refusal.place if isinstance(refusal, RowRefused) else None
    for number, row in enumerate(rows):
        row.outcome, row.column, row.message, row.changes, row.written_at = Outcome.REFUSED, column, words, [], None
        if place is not None and number != place:
            row.column, row.message = "", f"Row {rows[place].number}, which belongs to it, is refused."


def _told(kind: ImportKind, refusal: errors.DomainError) -> tuple[str, str]:
    """Return which column is wrong, if it is one, and a sentence about it."""
    known = {column.name: column.label for column in kind.columns}
    name = next((field for field in refusal.details if field.rsplit(".", 1)[-1] in known), "")
    label = known.get(name.rsplit(".", 1)[-1], "")
    if refusal.code != "validation_errors" and refusal.message:
        return label, refusal.message
    return label, _sentence(refusal.details, known) or refusal.message


def _sentence(details: Mapping[str, Sequence[str]], known: Mapping[str, str]) -> str:
    parts = []
    for field, codes in details.items():
        label = known.get(field.rsplit(".", 1)[-1], field.replace("_", " ").replace(".", " "))
        parts.append(f"{label} {', '.join(_WORDS.get(code, code.replace('_', ' ')) for code in codes)}")
    return f"{'; '.join(parts)}." if parts else ""
