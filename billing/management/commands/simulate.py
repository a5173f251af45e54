"""``manage.py simulate``: what contracts come to over some months, on their own plan and on another one. Writes nothing
but the file that it is told to.
"""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from billing.domain import simulation, simulation_usage
from billing.domain.simulation_comparison import Outcome
from billing.management import simulation_tables
from billing.queries.simulation_contracts import Subject
from billing.services import simulation_exports, simulation_offers, simulation_reports
from billing.services.simulation_offers import Offer
from billing.services.simulation_reports import Report
from billing.services.simulations import Wanted
from config.kernel import errors

MAX_FILE = 1024 * 1024


class Command(BaseCommand):
    """Prints tables, or JSON; and a CSV file with every line."""

    help = (
        "Play contracts over some months without billing them: a customer's, a subscription, or all of a plan. "
        "Compare them with another plan on the same usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whom, when, what to compare with, which usage, and where to put it."""
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--customer", metavar="ID", help="All contracts of a customer, by external id.")
        whom.add_argument("--subscription", metavar="ID", help="A subscription, by external id.")
        whom.add_argument(
            "--plan",
            metavar="PLAN",
            help="All contracts on a plan, by code. With --synthetic one imagined contract, on CODE, CODE@VERSION or "
            "FILE.json.",
        )
        parser.add_argument("--months", type=int, metavar="N", help="Calendar months; 3 unless told.")
        parser.add_argument("--from", dest="first", type=_day, metavar="DAY", help="The first day, such as 2026-01-01.")
        parser.add_argument("--to", dest="end", type=_day, metavar="DAY", help="The day after the last one.")
        parser.add_argument(
            "--with", dest="other", metavar="PLAN", help="Compare with CODE, CODE@VERSION, or a draft in FILE.json."
        )
        parser.add_argument(
            "--synthetic",
            metavar="USAGE",
            help='Units by month instead of stored usage: "requests=10000,growth=5%%;seats=12,season=30%%,peak=12".',
        )
        parser.add_argument("--csv", type=Path, metavar="FILE", help="Every line of every contract.")
        parser.add_argument("--json", action="store_true", help="Print JSON instead of tables.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Simulate and print. Ends with an error where something asked for does not exist or cannot be read."""
        at = timezone.now()
        try:
            wanted = _wanted(options, at)
            with _listed(options["csv"], wanted) as write:
                report = self._played(wanted, at.date(), write, is_quiet=options["json"])
        except errors.DomainError as error:
            raise CommandError(error.message or error.code) from error
        except OSError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            content = json.dumps(simulation_exports.as_json(report), ensure_ascii=False, indent=2)
            self.stdout.write(content)
        else:
            self.stdout.write(simulation_tables.text(report), ending="")

    def _played(self, wanted: Wanted, today: date, write: Callable[[Outcome], None], *, is_quiet: bool) -> Report:
        with tqdm(unit="contract", disable=True if is_quiet else None, leave=False) as bar:

            def tell(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            return simulation_reports.make(wanted=wanted, today=today, progress=tell, on_outcome=write)


def _wanted(options: dict[str, Any], at: datetime) -> Wanted:
    supposed = simulation_usage.parse(options["synthetic"]) if options["synthetic"] is not None else ()
    frame = simulation.frame(
        today=at.date(), months=options["months"], first=options["first"], end=options["end"], ahead=bool(supposed)
    )
    other = None if options["other"] is None else _offer(options["other"], at)
    if options["plan"] is not None and supposed:
        return Wanted(frame=frame, alone=_offer(options["plan"], at), other=other, supposed=supposed)
    subject = Subject(
        customer=options["customer"] or "", subscription=options["subscription"] or "", plan=options["plan"] or ""
    )
    return Wanted(frame=frame, subject=subject, other=other, supposed=supposed)


def _offer(reference: str, at: datetime) -> Offer:
    if not reference.endswith(".json"):
        return simulation_offers.named(reference=reference)
    file = Path(reference)
    if not file.is_file():
        raise CommandError(f"There is no file {file}.")
    if file.stat().st_size > MAX_FILE:
        raise CommandError(f"{file} is too large for a plan.")
    try:
        content = json.loads(file.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{file} is not JSON: {error}") from error
    return simulation_offers.draft(content=content, at=at)


@contextmanager
def _listed(file: Path | None, wanted: Wanted) -> Iterator[Callable[[Outcome], None]]:
    """Give what writes a contract to the file; nothing is written without one."""
    if file is None:
        yield _unlisted
        return
    other = "" if wanted.other is None else wanted.other.label
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(simulation_exports.COLUMNS)
        yield lambda outcome: writer.writerows(simulation_exports.rows(outcome, other_plan=other))


def _unlisted(outcome: Outcome) -> None:
    """Write a contract nowhere."""


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no day: write 2026-01-01.") from error
