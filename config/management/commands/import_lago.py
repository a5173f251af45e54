"""`manage.py import_lago`: bring catalogue, customers, subscriptions, coupons and wallets over from a running Lago."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import base
from django.utils import timezone
from tqdm import tqdm

from billing.services.takeovers import Since
from config.importing import moving, usage
from config.importing.house import House
from config.importing.kinds import Journey, Row
from config.importing.report import Report
from config.importing.source import Lago, Unreadable
from config.platform.services import installation
from customers.services import billing_entities


class Command(base.BaseCommand):
    """Reads through Lago's own API and never writes there. Again, it goes on where it stopped."""

    help = "Bring taxes, plans, customers, subscriptions, coupons and wallets over from a running Lago."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="address of the Lago API, such as https://api.example.com")
        parser.add_argument("--api-key", required=True, help="an API key of it that may read")
        parser.add_argument("--dry-run", action="store_true", help="do all of it, print the report and keep nothing")
        parser.add_argument("--only", default="", help=f"a list with commas of {', '.join(moving.NAMES)}")
        parser.add_argument("--report", type=Path, help="a file to write the whole report to, as JSON")
        parser.add_argument(
            "--from",
            dest="since",
            choices=[str(since) for since in Since],
            default=str(Since.NEXT),
            help="the first period of a running subscription that is billed here (default: %(default)s)",
        )

        parser.add_argument(
            "--compare-usage",
            action="store_true",
            help="bring nothing over: compare the usage of the running periods, subscription by subscription",
        )

    def handle(
        self,
        *args: Any,
        url: str,
        api_key: str,
        dry_run: bool,
        only: str,
        report: Path | None,
        since: str,
        compare_usage: bool,
        **options: Any,
    ) -> None:
        wanted = {name.strip() for name in only.split(",") if name.strip()}
        unknown = sorted(wanted - set(moving.NAMES))
        if unknown:
            raise base.CommandError(f"There is no {', '.join(unknown)}. Known are {', '.join(moving.NAMES)}.")
        at = timezone.now()
        installation.ensure(at=at)
        billing_entities.ensure_default(at=at)
        try:
            with Lago(url, api_key) as lago:
                journey = Journey(lago=lago, house=House(at=at), at=at, since=Since(since))
                if compare_usage:
                    self._compare(journey)
                    return
                found = moving.run(journey=journey, only=wanted, is_dry=dry_run, shown=self._shown)
        except Unreadable as error:
            raise base.CommandError(str(error)) from error
        self._tell(found, report)

    def _compare(self, journey: Journey) -> None:
        differing = 0
        for number, one in enumerate(usage.compare(journey), start=1):
            if one.there != one.here or one.differences:
                differing += 1
                self.stdout.write(str(one))
            self.stderr.write(f"{number} compared", ending="\r")
        if differing:
            raise base.CommandError(f"The usage of {differing} subscriptions differs.")
        self.stdout.write("The usage of all subscriptions is the same.")

    def _tell(self, found: Report, file: Path | None) -> None:
        self.stdout.write(found.text())
        if file is not None:
            try:
                file.write_text(found.json(), encoding="utf-8")
            except OSError as error:
                raise base.CommandError(f"The report could not be written: {error}") from error
        if found.stopped:
            kept = "" if found.is_dry else " What is here stays; run it again and it goes on."
            raise base.CommandError(f"{found.stopped}{kept}")
        if found.refused:
            others = "would be taken" if found.is_dry else "are here"
            raise base.CommandError(
                f"{found.refused} were refused. The others {others}; run it again once that is mended."
            )

    def _shown(self, name: str, rows: Iterator[Row]) -> Iterator[Row]:
        yield from tqdm(rows, desc=name, unit="", leave=False, disable=None)
