"""Checks of the books in the admin: the list of runs, the page of one with what each check found, and starting one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from config.kernel import checks, jobs
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, pages, theme
from config.platform.admin.blocks import Block, Figure, Figures, Note, Page, Progress, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ListVerb, Outcome, changelist_url
from invoicing.models import BooksCheck, BooksCheckResult, BooksFinding, InvoiceLine
from invoicing.queries import books_checks

STATUS = {
    BooksCheck.Status.RUNNING: Tone.INFO,
    BooksCheck.Status.PASSED: Tone.GOOD,
    BooksCheck.Status.FAILED: Tone.BAD,
}
RESULT = {
    BooksCheckResult.Status.PASSED: Tone.GOOD,
    BooksCheckResult.Status.FAILED: Tone.BAD,
    BooksCheckResult.Status.ERROR: Tone.BAD,
}
STALE_DAYS = 2


class StartBooksCheck(ListVerb):
    """Check the books now, without waiting for the night."""

    name = "start"
    label = "Check the books now"
    icon = "fact_check"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.run_bookscheck"
    explanation = (
        "Everything that must hold between documents, ledger, wallets, numbers and usage is proved from the stored "
        "rows. Nothing is changed; what is found is kept with the run."
    )
    confirm = "Start the check"

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """What is going to be proved."""
        rows = tuple(Row((one.title, one.proves)) for one in checks.registered())
        return (Table("What is checked", columns("Check", "What it proves"), rows),)

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Hand it to a worker: it may take minutes."""
        jobs.enqueue("invoicing.tasks.start_books_check", user_id=actor.user_id, label=actor.label)
        return Outcome("The check was handed to a worker. It shows here as soon as it has begun.", _list_url())


@pages.register(BooksCheck)
class BooksCheckAdmin(pages.PageAdmin):
    """Runs of the books check."""

    list_display = (
        "run", "checked_at", "trigger", "status_shown", "checks_shown_count", "findings_shown_count", "took",
    )  # fmt: skip
    list_filter = (("status", theme.ChoicesDropdownFilter), ("created_at", filters.DayRangeFilter))
    ordering = ("-id",)
    list_verbs = (StartBooksCheck(),)
    empty_text = "The books are checked every night. You can check them now."

    @theme.display(description="Run", ordering="id")
    def run(self, row: BooksCheck) -> str:
        """Its number."""
        return str(row)

    @theme.display(description="Checked", ordering="as_of")
    def checked_at(self, row: BooksCheck) -> str:
        """When it began."""
        return cells.instant(row.as_of)

    @theme.display(description="Status", ordering="status")
    def status_shown(self, row: BooksCheck) -> str:
        """How it went."""
        return cells.badge(row.get_status_display(), STATUS[BooksCheck.Status(row.status)])

    @theme.display(description="Checks", ordering="checks_count")
    def checks_shown_count(self, row: BooksCheck) -> str:
        """How many were run."""
        return cells.number(row.checks_count)

    @theme.display(description="Findings", ordering="findings_count")
    def findings_shown_count(self, row: BooksCheck) -> str:
        """How many rows break one."""
        return cells.number(row.findings_count)

    @theme.display(description="Took")
    def took(self, row: BooksCheck) -> str:
        """How long it ran."""
        return _took(row.milliseconds) if row.finished_at else cells.EMPTY

    def page(self, request: HttpRequest, instance: BooksCheck) -> Page:
        """What each check came to; those that do not hold come first, with the rows that break them."""
        found = books_checks.with_results(instance.pk)
        results = sorted(found.results.all(), key=lambda one: (one.status == "passed", one.position))
        links = _links([finding for result in results for finding in result.findings.all()])
        return Page(
            top=(_head(found, self.url("change", found.pk)),),
            tabs=(Tab("Checks", (*_verdict(found, results), _results(results, links))),),
        )


def _head(row: BooksCheck, url: str) -> Block:
    broken, found = row.broken_count, row.findings_count
    figures = (
        Figure("Checked", cells.day_of(row.as_of), f"{cells.instant_text(row.as_of)}, {row.trigger}"),
        Figure("Status", cells.badge(row.get_status_display(), STATUS[BooksCheck.Status(row.status)])),
        Figure("Checks", f"{row.checks_count} of {row.checks_total}"),
        Figure("Do not hold", cells.number_text(broken), tone=Tone.BAD if broken else Tone.NEUTRAL),
        Figure("Findings", cells.number_text(found), tone=Tone.BAD if found else Tone.NEUTRAL),
        Figure("Took", _took(row.milliseconds) if row.finished_at else "–", f"sample {row.sample}, seed {row.seed}"),
    )
    if row.status == BooksCheck.Status.RUNNING:
        title = f"{row} · {row.trigger}"
        return Progress(title, row.checks_count, row.checks_total, is_running=True, url=url, items=figures)
    return Figures(figures)


def _verdict(row: BooksCheck, results: Sequence[BooksCheckResult]) -> Sequence[Block]:
    narrowed = f" Single rows were checked where written since {cells.instant_text(row.since)}." if row.since else ""
    if row.status == BooksCheck.Status.PASSED:
        return (Note(f"The books are in order: every check holds.{narrowed}", Tone.GOOD),)
    if row.status == BooksCheck.Status.FAILED:
        names = ", ".join(one.title for one in results if one.status != BooksCheckResult.Status.PASSED)
        return (Note(f"The books are not in order: {names}.{narrowed}", Tone.BAD),)
    return ()


def _results(results: Sequence[BooksCheckResult], links: Mapping[tuple[str, int], str]) -> Table:
    return Table(
        "Checks",
        columns("Check", "Result", "Looked at#", "Findings#", "Took#"),
        tuple(_result(one, links) for one in results),
        empty="No check is done yet.",
    )


def _result(one: BooksCheckResult, links: Mapping[tuple[str, int], str]) -> Row:
    looked_at = cells.number_text(one.looked_at)
    return Row(
        (
            cells.stack(one.title, one.proves),
            cells.badge(one.get_status_display(), RESULT[BooksCheckResult.Status(one.status)]),
            cells.hinted(f"{looked_at} (sample)", "Each costs much, so that not all are opened")
            if one.is_sampled
            else cells.number(one.looked_at),
            cells.number(one.findings_count),
            cells.muted(_took(one.milliseconds)),
        ),
        details=_details(one, links),
    )


def _details(one: BooksCheckResult, links: Mapping[tuple[str, int], str]) -> tuple[Block, ...]:
    if one.error:
        return (Note(one.error, Tone.BAD),)
    found = list(one.findings.all())
    if not found:
        return ()
    more = one.findings_count - len(found)
    note = f"{cells.number_text(more)} more are counted and not kept." if more else ""
    rows = tuple(Row((_subject(finding, links), finding.message)) for finding in found)
    return (Table("What breaks it", columns("Row", "What is wrong"), rows, note=note),)


def _subject(finding: BooksFinding, links: Mapping[tuple[str, int], str]) -> SafeString | str:
    url = links.get((finding.subject_type, finding.subject_id))
    kind = _kind(finding.subject_type)
    return cells.stack(cells.link(finding.label, url) if url else finding.label, kind)


def _kind(subject_type: str) -> str:
    try:
        return str(apps.get_model(subject_type)._meta.verbose_name)
    except (LookupError, ValueError):
        return subject_type


def _links(findings: Iterable[BooksFinding]) -> dict[tuple[str, int], str]:
    """Return the admin pages of what was found: a line's is its invoice's. One query at most."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for finding in findings:
        wanted[finding.subject_type].add(finding.subject_id)
    links = {(kind, pk): url for kind, ids in wanted.items() for pk in ids if (url := _page(kind, pk))}
    lines = wanted.get(InvoiceLine._meta.label_lower)
    if lines:
        rows = InvoiceLine.objects.filter(pk__in=lines, invoice__isnull=False).values_list("pk", "invoice_id")
        links |= {(InvoiceLine._meta.label_lower, pk): _page("invoicing.invoice", invoice) for pk, invoice in rows}
    return links


def _page(kind: str, pk: int | None) -> str:
    known = {model._meta.label_lower: model for model in admin.site._registry}
    if kind not in known or pk is None:
        return ""
    meta = known[kind]._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[pk])


def _took(milliseconds: int) -> str:
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds // 1000
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"


def _list_url() -> str:
    return changelist_url(BooksCheck)
