"""Rounds over the rows of an import: playing each to see what it would do, and writing what was confirmed.

A row is played by the very services that write it, in a transaction that is rolled back. Written, it is marked in the
same transaction, and does what the check said or nothing: what is otherwise by now is refused. Owns the order of things
and what is told about a row; the states of an import are `imports`'.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from config.kernel import db, errors
from config.kernel import rows as db_rows
from config.kernel.actors import Actor
from config.platform.models import ImportFile, ImportRow
from config.platform.services import approvals, audit, import_cells, import_kinds, outbox
from config.platform.services.import_cells import DayOrder, DecimalMark, Layout
from config.platform.services.import_kinds import Effect, ImportKind, RowRefused, Task, Total

log = logging.getLogger(__name__)

Status = ImportFile.Status
Outcome = ImportRow.Outcome
_WRITABLE = (Outcome.NEW, Outcome.CHANGED)
_BATCH = 1000
_RESULT = ("key", "outcome", "column", "message", "changes", "object_type", "object_id", "object_label", "written_at")
_WORDS = {
    "value_is_mandatory": "is needed",
    "value_is_invalid": "is not valid",
    "value_is_too_long": "is too long",
    "value_is_out_of_range": "is out of range",
    "value_already_exist": "is taken already",
    "value_is_duplicated": "is there twice",
    "not_a_valid_country_code": "is not a country code such as DE",
    "invalid_currency": "is not a currency: ISO 4217 such as EUR",
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

    Each group of rows is a transaction of its own, under a lock of the import. Where somebody else has it nothing is
    done: one worker at a time goes on, and others are free for other work. Idempotent.
    """
    file = ImportFile.objects.get(pk=import_id)
    kind = import_kinds.one(file.kind)
    if file.status == Status.CHECKING:
        if not _name_keys(import_id, kind):
            return False
        for ids in _units(file, kind, [Outcome.PENDING]):
            if not _one(import_id, kind, ids, at, is_written=False):
                return False
        return _end(import_id, Status.CHECKING, at)
    if file.status != Status.WRITING:
        return False
    if file.is_all_or_nothing:
        return _all(import_id, kind, at)
    for ids in _units(file, kind, _WRITABLE):
        if not _one(import_id, kind, ids, at, is_written=True):
            return False
    return _end(import_id, Status.WRITING, at)


def demand(file: ImportFile, *, actor: Actor, at: datetime) -> None:
    """Ask for the second person that all rows together need, where rules say so. Raises ApprovalRequired."""
    kind = import_kinds.one(file.kind)
    if kind.demand is not None:
        kind.demand(_whole(file, kind, actor, at))


def totals(file: ImportFile) -> Sequence[Total]:
    """Return the control totals of the rows that do something, or did; none of a kind without any. Reads all of them.

    Nothing of a file that was not checked to its end, or whose cells were forgotten.
    """
    kind = import_kinds.every().get(file.kind)
    if kind is None or kind.totals is None or file.forgotten_at or file.status not in {Status.CHECKED, Status.DONE}:
        return ()
    return kind.totals(_whole(file, kind, _person(file), file.created_at))


def _whole(file: ImportFile, kind: ImportKind, actor: Actor, at: datetime) -> Task:
    """All rows that do something, as one task."""
    rows = file.rows.filter(outcome__in=_WRITABLE).order_by("number")
    return Task(rows=[_values(file, kind, row) for row in rows], options=file.options, actor=actor, at=at)


def _held(import_id: int, status: str) -> ImportFile | None:
    """Lock an import and read it anew; nothing where somebody else has it, or where it is in another state by now."""
    rows = ImportFile.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return rows.filter(pk=import_id, status=status).first()


@transaction.atomic
def _name_keys(import_id: int, kind: ImportKind) -> bool:
    """Write down what each row is about, once; say whether the import is there to be gone on with."""
    file = _held(import_id, Status.CHECKING)
    if file is None:
        return False
    left = file.rows.filter(outcome=Outcome.PENDING, key="").order_by("number")
    while rows := list(left[:_BATCH]):
        for row in rows:
            texts = [_plain(_cell(file, row, name)) for name in kind.key]
            row.key = " / ".join(text for text in texts if text)[:600] if any(texts) else f"row {row.number}"
        db_rows.update(rows, ["key"])
    return True


def _units(file: ImportFile, kind: ImportKind, outcomes: Sequence[str]) -> Iterator[list[int]]:
    """The ids of rows that are done as one, in the order of the file."""
    left = file.rows.filter(outcome__in=outcomes, written_at__isnull=True).order_by("number")
    units: dict[str, list[int]] = {}
    for pk, key in list(left.values_list("pk", "key")):
        units.setdefault(key if kind.is_grouped else str(pk), []).append(pk)
    yield from units.values()


@transaction.atomic
def _one(import_id: int, kind: ImportKind, ids: Sequence[int], at: datetime, *, is_written: bool) -> bool:
    """Do rows that belong together, and say whether the import still goes on."""
    file = _held(import_id, Status.WRITING if is_written else Status.CHECKING)
    if file is None:
        return False
    outcomes = _WRITABLE if is_written else (Outcome.PENDING,)
    rows = list(file.rows.filter(pk__in=ids, written_at__isnull=True, outcome__in=outcomes).order_by("number"))
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
    except OperationalError:
        raise  # such as a deadlock: the round ends here and is taken up again
    except Exception:
        # One row that breaks must not keep the others from it, nor be tried for ever. The log has the whole of it.
        log.exception("row %s of import %s failed", rows[0].number, file.pk)
        _refuse(rows, kind, RowRefused("row_refused", "Something went wrong; the log of the worker has it."))
    else:
        for row, changes in zip(rows, _by_row(effect, rows), strict=True):
            _tell(row, effect, changes)
            row.written_at = at if is_written else None


def _applied(file: ImportFile, kind: ImportKind, rows: list[ImportRow], at: datetime, *, is_written: bool) -> Effect:
    _demand_single(file, kind, rows)
    values = [_values(file, kind, row, place) for place, row in enumerate(rows)]
    task = Task(rows=values, options=file.options, actor=_actor(file, rows), at=at)
    with transaction.atomic():
        if is_written:
            effect = kind.apply(task)
            _demand_as_checked(rows, effect)
            return effect
        with approvals.looking(), outbox.silence():
            effect = kind.apply(task)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the end of a transaction would refuse
        transaction.set_rollback(True)
    return effect


def _demand_as_checked(rows: Sequence[ImportRow], effect: Effect) -> None:
    """Demand that rows do what the check said, or nothing any more, as it is done: somebody confirmed just that."""
    if not effect.is_new and not effect.changes:
        return
    for place, (row, changes) in enumerate(zip(rows, _by_row(effect, rows), strict=True)):
        is_other = effect.instance is not None and not effect.is_new and row.object_id != effect.instance.pk
        if is_other or effect.is_new != (row.outcome == Outcome.NEW) or row.changes != [list(one) for one in changes]:
            refusal = RowRefused("changed_meanwhile", "What it is about changed since it was checked: import it again.")
            refusal.place = place
            raise refusal


def _by_row(effect: Effect, rows: Sequence[ImportRow]) -> Sequence[Sequence[import_kinds.Change]]:
    return effect.by_row or [effect.changes] * len(rows)


def _demand_single(file: ImportFile, kind: ImportKind, rows: Sequence[ImportRow]) -> None:
    if kind.is_grouped:
        return
    first = file.rows.filter(key=rows[0].key, number__lt=rows[0].number).order_by("number").first()
    if first is not None:
        raise RowRefused("row_twice", f"Row {first.number} is about the same: keep one of the two.")


def _all(import_id: int, kind: ImportKind, at: datetime) -> bool:
    """Write all rows in one transaction; one that is refused takes back all of them."""
    try:
        with transaction.atomic():
            file = _held(import_id, Status.WRITING)
            if file is None:
                return False
            for ids in list(_units(file, kind, _WRITABLE)):
                rows = list(file.rows.filter(pk__in=ids).order_by("number"))
                _do(file, kind, rows, at, is_written=True)
                if rows[0].outcome == Outcome.REFUSED:
                    raise _Refused(rows)
                ImportRow.objects.bulk_update(rows, _RESULT)
            return _end(import_id, Status.WRITING, at)
    except _Refused as refusal:
        (rows,) = refusal.args
    with transaction.atomic():
        file = db.lock_one(ImportFile.objects.filter(pk=import_id))
        if file.status != Status.WRITING:
            return False
        ImportRow.objects.bulk_update(rows, _RESULT)
        file.status = Status.CHECKED
        file.remark = f"Nothing was written, because row {rows[0].number} was refused: {rows[0].message}"
        file.save(update_fields=["status", "remark"])
    return True


@transaction.atomic
def _end(import_id: int, before: str, at: datetime) -> bool:
    """End a round, unless rows are left: somebody else began another one meanwhile."""
    file = _held(import_id, before)
    if file is None:
        return False
    is_written = before == Status.WRITING
    outcomes = _WRITABLE if is_written else (Outcome.PENDING,)
    if file.rows.filter(outcome__in=outcomes, written_at__isnull=True).exists():
        return False
    file.status = Status.DONE if is_written else Status.CHECKED
    file.ended_at = at if is_written else None
    file.save(update_fields=["status", "ended_at"])
    if is_written:
        written = file.rows.filter(written_at__isnull=False).count()
        refused = file.rows.filter(outcome=Outcome.REFUSED).count()
        new = {"rows": written, "refused": refused}
        audit.record(actor=_person(file), at=at, verb="import", instance=file, new=new)
    return True


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
    row.outcome, row.column, row.message = outcome, "", " ".join(effect.warnings)
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
