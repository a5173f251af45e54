"""Files that are imported: taking one in, checking its rows without writing, writing them once a person confirmed.

The rows are the record: each says what it would do and whether it was done, in the transaction that did it. So a round
that was cut off goes on where it ended, and none does a row twice. Reading the file is `spreadsheet_reading`'s, what
a row does is its kind's; playing and writing them is `import_rounds`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, Q

from config.kernel import db, errors, jobs
from config.kernel import rows as db_rows
from config.kernel.actors import Actor
from config.platform.models import ApprovalRequest, AuditEntry, ImportFile, ImportRow
from config.platform.services import audit, import_kinds, import_rounds, spreadsheet_reading
from config.platform.services.import_cells import DayOrder, DecimalMark
from config.platform.services.import_kinds import Total

log = logging.getLogger(__name__)

Status = ImportFile.Status
Outcome = ImportRow.Outcome


_CHECK_SUM = """
SELECT encode(sha256(convert_to(coalesce(string_agg(
    md5(concat_ws(E'\\x1f', number, outcome, cells::text, changes::text)), '' ORDER BY number), ''), 'UTF8')), 'hex')
FROM platform_importrow WHERE file_id = %s
"""


class UnableToImport(errors.NotAllowed):
    """The state of the import refuses it."""


@transaction.atomic
def upload(
    *,
    kind: str,
    file_name: str,
    content: bytes,
    actor: Actor,
    at: datetime,
    decimals: DecimalMark = DecimalMark.CLEAR,
    days: DayOrder = DayOrder.CLEAR,
    delimiter: str = "",
    encoding: str = "",
    options: Mapping[str, str] | None = None,
) -> ImportFile:
    """Take a file in, and begin to check it if its headings name all columns that are needed, and none of them twice.

    Nothing of it is written but its rows. Raises UnknownKind, UnreadableFile.
    """
    wanted = import_kinds.one(kind)
    sheet = spreadsheet_reading.read(content=content, delimiter=delimiter, encoding=encoding)
    file = ImportFile.objects.create(
        created_at=at,
        kind=wanted.code,
        file_name=_name(file_name),
        digest=hashlib.sha256(content).hexdigest(),
        headers=list(sheet.headers),
        columns=import_kinds.matched(kind=wanted, headers=sheet.headers),
        layout={"decimals": decimals.value, "days": days.value, "read": sheet.note},
        options=dict(options or {}),
        uploaded_by_id=actor.user_id,
        uploaded_label=actor.label[:255],
    )
    db_rows.insert(
        [ImportRow(created_at=at, file=file, number=number, cells=list(cells)) for number, cells in sheet.rows]
    )
    new = {"kind": wanted.code, "rows": len(sheet.rows), "sha256": file.digest}
    audit.record(actor=actor, at=at, verb="upload", instance=file, new=new)
    if not missing(file) and not import_kinds.ambiguous(kind=wanted, headers=sheet.headers):
        _begin(file, Status.CHECKING)
    return file


@transaction.atomic
def choose_columns(*, import_id: int, columns: Mapping[str, int], actor: Actor, at: datetime) -> ImportFile:
    """Say which heading is which column, and check the rows anew. Raises Invalid, UnableToImport."""
    file = _locked(import_id)
    require(file, Status.UPLOADED, Status.CHECKED)
    wanted = import_kinds.one(file.kind)
    if not all(wanted.column(name) and 0 <= place < len(file.headers) for name, place in columns.items()):
        raise errors.Invalid("validation_errors", "", {"columns": ["value_is_invalid"]})
    if len(set(columns.values())) < len(columns):
        raise errors.Invalid("columns_twice", "A heading is chosen for two columns.", {"columns": ["is_duplicated"]})
    old, file.columns = file.columns, dict(columns)
    if missing(file):
        labels = ", ".join(missing(file))
        raise errors.Invalid("columns_missing", f"Choose a heading for: {labels}.", {"columns": ["value_is_mandatory"]})
    file.save(update_fields=["columns"])
    audit.record(actor=actor, at=at, verb="choose_columns", instance=file, old=old, new=file.columns)
    _forget(file)
    _begin(file, Status.CHECKING)
    return file


@transaction.atomic
def check_again(*, import_id: int, actor: Actor, at: datetime) -> ImportFile:
    """Check all rows anew, such as after something they need was made. Writes nothing else. Raises UnableToImport."""
    file = _locked(import_id)
    require(file, Status.CHECKED)
    audit.record(actor=actor, at=at, verb="check", instance=file)
    _forget(file)
    _begin(file, Status.CHECKING)
    return file


@transaction.atomic
def confirm(*, import_id: int, all_or_nothing: bool, actor: Actor, at: datetime, seen: str | None = None) -> ImportFile:
    """Begin to write what was checked: row by row, or all of it in one transaction where no row is refused.

    ``seen`` is the `check_sum` of the rows that the person looked at: others are not written. Confirming again changes
    nothing. Raises UnableToImport where nothing would be written, where the rows are others, or, for all or nothing,
    where a row is refused; ApprovalRequired where rules ask for a second person.
    """
    file = _locked(import_id)
    if file.status in {Status.WRITING, Status.DONE}:
        return file
    demand_confirmable(file)
    if seen is not None and seen != check_sum(file):
        words = "The rows were checked again since, and are others: look at them first."
        raise UnableToImport("rows_changed", words)
    found = counts(file)
    if all_or_nothing and found[Outcome.REFUSED]:
        words = f"{found[Outcome.REFUSED]} rows are refused: mend them, or write the others alone."
        raise UnableToImport("rows_refused", words)
    import_rounds.demand(file, actor=actor, at=at)
    file.is_all_or_nothing, file.remark = all_or_nothing, ""
    file.confirmed_by_id, file.confirmed_label, file.confirmed_at = actor.user_id, actor.label[:255], at
    file.save(
        update_fields=["is_all_or_nothing", "remark", "confirmed_by", "confirmed_label", "confirmed_at"],
    )
    audit.record(actor=actor, at=at, verb="confirm", instance=file, new={**found, "all_or_nothing": all_or_nothing})
    _begin(file, Status.WRITING)
    return file


@transaction.atomic
def abandon(*, import_id: int, actor: Actor, at: datetime) -> ImportFile:
    """Put a file aside of which nothing is written. Doing it again changes nothing. Raises UnableToImport."""
    file = _locked(import_id)
    if file.status == Status.ABANDONED:
        return file
    require(file, Status.UPLOADED, Status.CHECKING, Status.CHECKED)
    file.status, file.ended_at = Status.ABANDONED, at
    file.save(update_fields=["status", "ended_at"])
    audit.record(actor=actor, at=at, verb="abandon", instance=file)
    return file


def run(*, as_of: datetime) -> int:
    """Go on with every import that is being checked or written; return how many came to an end. A periodic job.

    May run any number of times, and several at once. One that breaks keeps no other from going on: the log has it.
    """
    found = ImportFile.objects.filter(status__in=[Status.CHECKING, Status.WRITING]).order_by("pk")
    return sum(_gone_on(pk, as_of) for pk in list(found.values_list("pk", flat=True)))


def _gone_on(import_id: int, at: datetime) -> bool:
    try:
        return import_rounds.go_on(import_id=import_id, at=at)
    except Exception:
        log.exception("import %s failed; it is tried again", import_id)
        return False


def demand_second(file: ImportFile, *, actor: Actor, at: datetime) -> None:
    """Ask for the second person that all rows together need; writes nothing. Raises ApprovalRequired."""
    import_rounds.demand(file, actor=actor, at=at)


def demand_confirmable(file: ImportFile) -> None:
    """Demand that something of a checked file would be written. Raises UnableToImport."""
    require(file, Status.CHECKED)
    if not file.rows.filter(outcome__in=[Outcome.NEW, Outcome.CHANGED]).exists():
        raise UnableToImport("nothing_to_write", "No row would change anything.")


def require(file: ImportFile, *allowed: str) -> None:
    """Demand that an import is in one of these states. Raises UnableToImport."""
    if file.status not in allowed:
        raise UnableToImport("import_state", f"The import is {file.get_status_display()}.")


def missing(file: ImportFile) -> list[str]:
    """Return the labels of the columns that are needed and that no heading was found for."""
    kind = import_kinds.one(file.kind)
    return [column.label for column in kind.columns if column.is_needed and column.name not in file.columns]


def ambiguous(file: ImportFile) -> list[str]:
    """Return the labels of the columns that more than one heading means and none was chosen for."""
    kind = import_kinds.one(file.kind)
    labels = import_kinds.ambiguous(kind=kind, headers=file.headers)
    return [column.label for column in kind.columns if column.label in labels and column.name not in file.columns]


def check_sum(file: ImportFile) -> str:
    """Return what tells the rows, and what they would do, from others: 16 hex digits. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_CHECK_SUM, [file.pk])
        (found,) = cursor.fetchone()
    return str(found)[:16]


def same_before(file: ImportFile) -> ImportFile | None:
    """Return an import of the very same file that was written before; the newest one."""
    rows = ImportFile.objects.filter(kind=file.kind, digest=file.digest, status__in=[Status.WRITING, Status.DONE])
    return rows.exclude(pk=file.pk).order_by("-pk").first()


def forget(*, as_of: datetime) -> int:
    """Empty the cells of rows of files that nobody goes on with, after as many days as the settings say (IMPORT_DAYS).

    What became of each row stays, with its object; what stood in it, personal data too, does not. What is not written
    counts from when somebody last had it checked, and stays while it waits for a second person. Returns how many files
    were emptied. A periodic job; may run any number of times.
    """
    end = as_of - timedelta(days=settings.IMPORT_DAYS)
    old = ImportFile.objects.filter(created_at__lt=end, forgotten_at=None)
    about = {"object_type": ImportFile._meta.label_lower, "object_id": models.OuterRef("pk")}
    wanted = models.Exists(AuditEntry.objects.filter(**about, at__gte=end))
    wanted |= models.Exists(ApprovalRequest.objects.filter(**about, status=ApprovalRequest.Status.WAITING))
    old = old.exclude(wanted, status__in=[Status.UPLOADED, Status.CHECKED])
    keys = list(old.exclude(status__in=[Status.CHECKING, Status.WRITING]).order_by("pk").values_list("pk", flat=True))
    return sum(_emptied(pk, as_of) for pk in keys)


@transaction.atomic
def _emptied(import_id: int, at: datetime) -> bool:
    file = _locked(import_id)
    if file.forgotten_at is not None or file.status in {Status.CHECKING, Status.WRITING}:
        return False
    file.rows.update(cells=[], changes=[], message="", object_label="", key="")
    if file.status not in {Status.DONE, Status.ABANDONED}:
        file.status, file.ended_at = Status.ABANDONED, at
    file.forgotten_at = at
    file.save(update_fields=["status", "ended_at", "forgotten_at"])
    return True


def counts(file: ImportFile) -> dict[str, int]:
    """Return the number of rows by outcome, and as ``written`` those that are done. One query."""
    sums = {str(value): Count("pk", filter=Q(outcome=value)) for value in Outcome.values}
    found = file.rows.order_by().aggregate(**sums, written=Count("written_at"))
    return {name: int(number) for name, number in found.items()}


def doubted(file: ImportFile) -> int:
    """Return how many rows have a warning: they are done all the same. One query."""
    return warned(file).count()


def warned(file: ImportFile) -> models.QuerySet[ImportRow]:
    """Return the rows that have a warning, in no order."""
    return file.rows.exclude(outcome=Outcome.REFUSED).exclude(message="")


def totals(file: ImportFile) -> Sequence[Total]:
    """Return what the rows come to, of a kind that has control totals. Reads every row that does something."""
    return import_rounds.totals(file)


def _begin(file: ImportFile, status: str) -> None:
    file.status = status
    file.save(update_fields=["status"])
    jobs.enqueue("config.platform.tasks.continue_imports")


def _forget(file: ImportFile) -> None:
    file.rows.update(outcome=Outcome.PENDING, column="", message="", changes=[], key="")


def _locked(import_id: int) -> ImportFile:
    if not ImportFile.objects.filter(pk=import_id).exists():
        raise errors.NotFound("import_not_found", "There is no such import.")
    return db.lock_one(ImportFile.objects.filter(pk=import_id))


def _name(file_name: str) -> str:
    return file_name.replace("\\", "/").rsplit("/", 1)[-1].replace("\x00", "")[:255] or "file"
