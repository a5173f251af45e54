"""``manage.py run_jobs [JOB …]``: the periodic jobs, now and in this process, at the current clock."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.kernel import jobs

ORDER = (
    "activate_pending",
    "terminate_ended",
    "trial_ended",
    "billing",
    "usage",
    "wallets",
    "advance_charges",
    "finalize",
    "overdue",
)
"""The order of all jobs of a day: contracts, then what they owe, then documents. Jobs missing here come last."""


class Command(BaseCommand):
    """Runs jobs in the order given; all of them, in the order of a day, when none is named."""

    help = "Run the named periodic jobs now, in this process and in order; all of them when none is named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the names."""
        parser.add_argument("jobs", nargs="*", metavar="JOB", help="Such as billing, finalize, overdue.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run each job at the same instant and print what it says. An unknown name runs nothing at all."""
        known = jobs.periodic_jobs()
        names = options["jobs"] or sorted(known, key=_rank)
        unknown = [name for name in names if name not in known]
        if unknown:
            raise CommandError(f"There is no job {unknown[0]!r}. Known: {', '.join(sorted(known))}.")
        as_of = timezone.now()
        for name in names:
            result = jobs.run(name, as_of=as_of)
            self.stdout.write(f"{name}: {'done' if result is None else result}")


def _rank(name: str) -> tuple[int, str]:
    return ORDER.index(name) if name in ORDER else len(ORDER), name
