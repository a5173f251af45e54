"""What can be done with an imported file: uploading it, choosing its columns, checking, writing, putting it aside.

Each kind has a right of its own beside those of the objects that it writes; the page of imports asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join

from config.kernel.actors import Actor
from config.platform.admin import approval_notes, cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Figure, Figures, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from config.platform.models import ImportFile, ImportRow
from config.platform.services import approvals, import_kinds, imports, spreadsheet_reading
from config.platform.services.import_cells import DayOrder, DecimalMark
from config.platform.services.import_kinds import ImportKind
from config.platform.services.spreadsheets import FileFormat

_OPTION = "option_"
_COLUMN = "column_"
_DECIMALS = (
    (DecimalMark.CLEAR.value, "as each figure says; refuse what can be read in two ways"),
    (DecimalMark.POINT.value, "point: 1,234.50"),
    (DecimalMark.COMMA.value, "comma: 1.234,50"),
)
_DAYS = (
    (DayOrder.CLEAR.value, "2026-01-31, or what has one reading"),
    (DayOrder.DAY_FIRST.value, "day first: 31.01.2026"),
    (DayOrder.MONTH_FIRST.value, "month first: 01/31/2026"),
)
_DELIMITERS = (("", "found from the headings"), (",", "comma"), (";", "semicolon"), ("tab", "tab"))
_ENCODINGS = (
    ("", "found from the file"),
    ("utf-8", "UTF-8"),
    ("utf-16", "UTF-16"),
    ("cp1252", "Windows-1252"),
    ("latin-1", "Latin-1"),
)


class UploadForm(VerbForm):
    """The file, how it is written, and what the kind wants to know."""

    sections = (
        ("File", ("file",)),
        ("How figures and days are written", ("decimals", "days")),
        ("How the file is written", ("delimiter", "encoding")),
    )
    folded = frozenset({"How the file is written"})

    file = forms.FileField(
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx", "class": "q-quote-file"}),
        help_text="CSV, or an XLSX workbook whose first sheet is the table; the first row has the headings. "
        "At most 20 MB and 20,000 rows.",
    )
    decimals = forms.ChoiceField(label="Decimal mark", choices=_DECIMALS, initial=DecimalMark.CLEAR.value)
    days = forms.ChoiceField(label="Days", choices=_DAYS, initial=DayOrder.CLEAR.value)
    delimiter = forms.ChoiceField(label="Between cells", choices=_DELIMITERS, required=False)
    encoding = forms.ChoiceField(choices=_ENCODINGS, required=False)

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > spreadsheet_reading.MAX_BYTES:
            raise forms.ValidationError("The file is larger than 20 MB. Split it.")
        return file


class Upload(ListVerb):
    """Take in a file of one kind."""

    icon = "upload_file"
    confirm = "Upload and check"

    def __init__(self, kind: ImportKind) -> None:
        self.kind = kind
        self.name = f"upload_{kind.code}"
        self.label = f"Import {kind.label.lower()}"
        self.permission = kind.permissions[0]
        self.explanation = f"{kind.about} The rows are checked first; nothing is written before you say so."

    def may(self, request: HttpRequest) -> bool:
        """Say whether the person has the right of the import, and of all that it writes."""
        return request.user.has_perms(self.kind.permissions)

    def form(self, *, data: Any, at: datetime) -> VerbForm:
        """The form, with the choices of the kind."""
        form = UploadForm(data)
        extra = {}
        for option in self.kind.options:
            field: forms.Field = (
                forms.ChoiceField(choices=option.choices, label=option.label, help_text=option.help)
                if option.choices
                else forms.DateField(
                    label=option.label, help_text=option.help, required=False, widget=theme.DateWidget()
                )
            )
            if isinstance(field, forms.ChoiceField):
                field.widget = theme.SelectWidget(choices=option.choices)
            extra[f"{_OPTION}{option.name}"] = field
        form.fields.update(extra)
        if extra:
            form.sections = (*UploadForm.sections, (self.kind.label, tuple(extra)))  # type: ignore[misc]
        return form

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """The columns that it knows."""
        rows = tuple(
            Row(
                (
                    cells.stack(column.label, ", ".join(column.synonyms)),
                    cells.badge("needed", Tone.INFO) if column.is_needed else "",
                    column.help or "",
                )
            )
            for column in self.kind.columns
        )
        note = "Any order; capital letters and spaces do not matter. Other columns are left alone."
        samples = format_html_join(" · ", "{}", [(_sample(self.kind, file_format),) for file_format in FileFormat])
        return (Table("Columns it knows", columns("Heading", "", ""), rows, note=note, action=samples),)

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Read the file and begin to check it."""
        file = imports.upload(
            kind=self.kind.code,
            file_name=values["file"].name,
            content=values["file"].read(),
            decimals=DecimalMark(values["decimals"]),
            days=DayOrder(values["days"]),
            delimiter="\t" if values["delimiter"] == "tab" else values["delimiter"],
            encoding=values["encoding"],
            options={
                option.name: _text(values[f"{_OPTION}{option.name}"])
                for option in self.kind.options
                if values.get(f"{_OPTION}{option.name}")
            },
            actor=actor,
            at=at,
        )
        missing = [*imports.missing(file), *imports.ambiguous(file)]
        words = f"Choose the headings of {', '.join(missing)}." if missing else "Its rows are being checked."
        return Outcome(f"{file.file_name} is here. {words}", cells.page_url(file))


class ImportVerb(ObjectVerb):
    """A verb of an import, for whoever may import anything; the page asks for the rights of its kind."""

    def may(self, request: HttpRequest) -> bool:
        """Say whether the person may import something."""
        return any(request.user.has_perms(kind.permissions) for kind in import_kinds.every().values())


class ChooseColumns(ImportVerb):
    """Say which heading is which column."""

    name = "columns"
    label = "Choose columns"
    icon = "view_column"
    explanation = "Which heading of the file is what. All rows are checked again."
    confirm = "Check with these columns"

    def check(self, *, instance: ImportFile, at: datetime) -> None:
        """As long as nothing is written."""
        imports.require(instance, ImportFile.Status.UPLOADED, ImportFile.Status.CHECKED)

    def form(self, *, data: Any, instance: ImportFile, at: datetime) -> VerbForm:
        """A choice of heading for each column."""
        form = VerbForm(data)
        choices = [("", "– not in the file –"), *((str(place), text) for place, text in enumerate(instance.headers))]
        for column in import_kinds.one(instance.kind).columns:
            form.fields[f"{_COLUMN}{column.name}"] = forms.ChoiceField(
                label=f"{column.label} *" if column.is_needed else column.label,
                choices=choices,
                required=False,
                initial=str(instance.columns.get(column.name, "")),
                help_text=column.help,
                widget=theme.SelectWidget(choices=choices),
            )
        return form

    def perform(self, *, instance: ImportFile, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Check with them."""
        chosen = {
            name.removeprefix(_COLUMN): int(value)
            for name, value in values.items()
            if name.startswith(_COLUMN) and value
        }
        imports.choose_columns(import_id=instance.pk, columns=chosen, actor=actor, at=at)
        return Outcome("The rows are being checked with these columns.", cells.page_url(instance))


class CheckAgain(ImportVerb):
    """Check all rows anew."""

    name = "check"
    label = "Check again"
    icon = "refresh"
    explanation = "All rows are checked anew, such as after something they name was made. Nothing is written."

    def check(self, *, instance: ImportFile, at: datetime) -> None:
        """Once it was checked."""
        imports.require(instance, ImportFile.Status.CHECKED)

    def perform(self, *, instance: ImportFile, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Check."""
        imports.check_again(import_id=instance.pk, actor=actor, at=at)
        return Outcome("The rows are being checked again.", cells.page_url(instance))


class ConfirmForm(VerbForm):
    """Row by row, or everything; and what was looked at."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    all_or_nothing = forms.BooleanField(
        label="All or nothing",
        required=False,
        help_text="One refused row takes back all of them. Otherwise each row is written for itself.",
    )


class Confirm(ImportVerb):
    """Write the rows."""

    name = "confirm"
    label = "Write the rows"
    icon = "done_all"
    variant = theme.ActionVariant.PRIMARY
    explanation = "What was checked is done now: new rows are made, changed ones changed. Refused rows are left out."
    confirm = "Write them"
    form_class = ConfirmForm

    def initial(self, *, instance: ImportFile, at: datetime) -> Mapping[str, Any]:
        """The rows that are looked at."""
        return {"seen": imports.check_sum(instance)}

    def check(self, *, instance: ImportFile, at: datetime) -> None:
        """Where a row would change something."""
        imports.demand_confirmable(instance)

    def preview(self, *, instance: ImportFile, at: datetime) -> Sequence[Block]:
        """How many of what."""
        found = imports.counts(instance)
        notes: tuple[Block, ...] = ()
        if found[ImportRow.Outcome.REFUSED]:
            words = "Refused rows are left out: take the file of them, mend it, and import it again."
            notes = (Note(words, Tone.WARN),)
        if doubted := imports.doubted(instance):
            words = f"Rows that have a warning, and are written all the same: {cells.number_text(doubted)}."
            notes = (*notes, Note(words, Tone.WARN))
        rows = Facts("Rows", (Fact("Check sum", cells.code(imports.check_sum(instance))),))
        return (figures(found), *totals(instance), rows, *notes)

    def second_person(
        self, *, instance: Any, values: Mapping[str, Any] | None, actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """Who approves all of the rows together, as the rules of the kind say."""
        try:
            imports.demand_second(instance, actor=actor, at=at)
        except approvals.ApprovalRequired as refusal:
            return (Note(approval_notes.sure(refusal.needed, refusal.amount), Tone.WARN),)
        return ()

    def perform(self, *, instance: ImportFile, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Write."""
        imports.confirm(
            import_id=instance.pk,
            all_or_nothing=values["all_or_nothing"],
            seen=values.get("seen") or None,  # requests of earlier versions do not say
            actor=actor,
            at=at,
        )
        return Outcome("The rows are being written.", cells.page_url(instance))


class Abandon(ImportVerb):
    """Put the file aside."""

    name = "abandon"
    label = "Put aside"
    icon = "block"
    variant = theme.ActionVariant.DANGER
    explanation = "Nothing of the file is written, now or later."

    def check(self, *, instance: ImportFile, at: datetime) -> None:
        """As long as nothing is written."""
        states = ImportFile.Status
        imports.require(instance, states.UPLOADED, states.CHECKING, states.CHECKED)

    def perform(self, *, instance: ImportFile, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Put aside."""
        imports.abandon(import_id=instance.pk, actor=actor, at=at)
        return Outcome("The file was put aside.", cells.page_url(instance))


def figures(found: Mapping[str, int]) -> Figures:
    """The rows by what they would do."""
    outcome = ImportRow.Outcome
    return Figures(
        (
            Figure("New", cells.number_text(found[outcome.NEW]), tone=Tone.GOOD),
            Figure("Changed", cells.number_text(found[outcome.CHANGED]), tone=Tone.INFO),
            Figure("Unchanged", cells.number_text(found[outcome.UNCHANGED])),
            Figure(
                "Refused",
                cells.number_text(found[outcome.REFUSED]),
                tone=Tone.BAD if found[outcome.REFUSED] else Tone.NEUTRAL,
            ),
            Figure("Written", cells.number_text(found["written"]), tone=Tone.ACCENT),
        )
    )


def totals(file: ImportFile) -> tuple[Block, ...]:
    """What the rows come to, to be compared with the list they came from; nothing of a kind without amounts."""
    found = imports.totals(file)
    if not found:
        return ()
    is_done = file.status == ImportFile.Status.DONE
    rows = tuple(Row((one.of, cells.number(one.rows), cells.money(one.amount))) for one in found)
    note = "Refused rows and rows that change nothing are not in it. Compare it with the list that the file came from."
    title = "What was booked" if is_done else "What would be booked"
    return (Table(title, columns("Of", "Rows#", "Amount#"), rows, note=note),)


def _sample(kind: ImportKind, file_format: FileFormat) -> str:
    address = reverse("admin:platform_importfile_sample", args=[kind.code, file_format.value])
    return cells.link(f"Sample as {file_format.upper()}", address)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
