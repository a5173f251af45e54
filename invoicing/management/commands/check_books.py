"""``manage.py check_books``: prove the books, print a line for each check and the rows that break one. Exit code 1 when
something does.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.kernel import actors, checks, errors
from invoicing.models import BooksCheck, BooksCheckResult, BooksFinding
from invoicing.queries import books_checks as known
from invoicing.services import books_checks

SIGNS = {
    BooksCheckResult.Status.PASSED: "ok",
    BooksCheckResult.Status.FAILED: "BROKEN",
    BooksCheckResult.Status.ERROR: "ERROR",
}
SHOWN = 10
"""Findings of a check that are printed; all that are kept are in the admin and in the JSON."""


class Command(BaseCommand):
    """Runs the checks as the nightly job does, and keeps what they find."""

    help = "Check the books: what must hold between documents, ledger, wallets, numbers and usage. Exit code 1 if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to look at and how to print it."""
        parser.add_argument("--json", action="store_true", help="Print one JSON object, with all findings kept.")
        parser.add_argument(
            "--since",
            type=_instant,
            metavar="DAY",
            help="Check single rows only where written or changed since, such as 2026-05-01; sums are checked whole.",
        )
        parser.add_argument(
            "--sample", type=int, default=books_checks.SAMPLE, metavar="N", help="Rows that costly checks draw."
        )
        parser.add_argument("--seed", type=int, metavar="N", help="Draw the same sample again.")
        parser.add_argument(
            "--check", action="append", default=[], metavar="NAME", help="Only this check; may be given several times."
        )
        parser.add_argument("--list", action="store_true", help="Print the checks and what each proves, and run none.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run and print. Ends with exit code 1 where a check does not hold or cannot be run."""
        if options["list"]:
            for check in checks.registered():
                self.stdout.write(f"{check.name}: {check.title}\n  {check.proves}")
            return
        try:
            row = books_checks.run(
                as_of=timezone.now(),
                trigger="command",
                actor=actors.job("check_books"),
                since=options["since"],
                sample=options["sample"],
                seed=options["seed"],
                names=options["check"],
            )
        except errors.DomainError as error:
            raise CommandError(str(error), returncode=2) from error
        found = known.with_results(row.pk)
        self.stdout.write(json.dumps(_content(found), indent=2) if options["json"] else _table(found))
        if row.status != BooksCheck.Status.PASSED:
            raise SystemExit(1)


def _table(row: BooksCheck) -> str:
    lines = []
    for result in row.results.all():
        sample = " (sample)" if result.is_sampled else ""
        counted = f"{result.looked_at:>10,} looked at{sample}"
        lines.append(f"{SIGNS[result.status]:<7} {result.title:<45} {counted:<30} {result.milliseconds:>7,} ms")
        if result.error:
            lines.append(f"        {result.error}")
        shown = list(result.findings.all())[:SHOWN]
        lines += [f"        {_told(found)}" for found in shown]
        if result.findings_count > len(shown):
            lines.append(f"        and {result.findings_count - len(shown):,} more")
    verdict = "The books are in order."
    if row.status != BooksCheck.Status.PASSED:
        verdict = f"The books are not in order: {row.broken_count} checks do not hold."
    counts = f"{row.checks_count} checks, {row.findings_count:,} findings, {row.milliseconds:,} ms, seed {row.seed}"
    return "\n".join([*lines, verdict, counts])


def _told(found: BooksFinding) -> str:
    return f"{found.label} ({found.subject_type} {found.subject_id}): {found.message}"


def _content(row: BooksCheck) -> dict[str, Any]:
    return {
        "id": str(row.uuid),
        "as_of": row.as_of.isoformat(),
        "status": row.status,
        "since": row.since.isoformat() if row.since else None,
        "sample": row.sample,
        "seed": row.seed,
        "milliseconds": row.milliseconds,
        "findings_count": row.findings_count,
        "checks": [
            {
                "name": result.name,
                "title": result.title,
                "status": result.status,
                "looked_at": result.looked_at,
                "findings_count": result.findings_count,
                "milliseconds": result.milliseconds,
                "error": result.error,
                "findings": [
                    {
                        "subject_type": found.subject_type,
                        "subject_id": found.subject_id,
                        "label": found.label,
                        "message": found.message,
                    }
                    for found in result.findings.all()
                ],
            }
            for result in row.results.all()
        ],
    }


def _instant(text: str) -> datetime:
    """Read a day, or an instant; without a zone it is UTC."""
    try:
        if "T" in text:
            found = datetime.fromisoformat(text)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        return datetime.combine(date.fromisoformat(text), time.min, tzinfo=UTC)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no day such as 2026-05-01.") from error
