"""``manage.py run_jobs [JOB …]``: the periodic jobs, now and in this process, at the current clock."""

from __future__ import annotations

import dataclasses
from argparse import ArgumentParser
from collections.abc import Mapping, Sized
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model
from django.utils import timezone

from config.kernel import jobs

ORDER = (
    "plan_versions",
    "activate_pending",
    "activation_timeouts",
    "resume_paused",
    "terminate_ended",
    "trial_ended",
    "plan_changes",
    "plan_migrations",
    "advance_events",
    "parked_accounts",
    "billing",
    "rehearsals",
    "rehearsed_billing",
    "late_usage",
    "usage",
    "alerts",
    "ending_notices",
    "event_errors",
    "wallets",
    "wallet_top_ups",
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
        """Run the jobs at one instant, live ones at the present, and print what they say. An unknown name runs none."""
        known = jobs.periodic_jobs()
        names = options["jobs"] or sorted(known, key=_rank)
        unknown = [name for name in names if name not in known]
        if unknown:
            raise CommandError(f"There is no job {unknown[0]!r}. Known: {', '.join(sorted(known))}.")
        as_of = timezone.now()
        for name in names:
            result = jobs.run(name, as_of=timezone.now() if known[name].is_live else as_of)
            self.stdout.write(f"{name}: {_told(result)}")


def _told(result: object) -> str:
    """Say in words what a job returned: what it counted, then a line for each thing that failed."""
    if result is None:
        return "done"
    if isinstance(result, Model):
        return f"{result} {result.get_status_display()}" if hasattr(result, "get_status_display") else str(result)
    if isinstance(result, int):
        return f"{result} done"
    if not dataclasses.is_dataclass(result):
        return str(result)
    counts, reasons = [], []
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        name = field.name.replace("_", " ")
        if dataclasses.is_dataclass(value):
            counts.append(f"{name} ({_told(value)})")
            continue
        counts.append(f"{len(value) if isinstance(value, Sized) else value} {name}")
        if isinstance(value, Mapping):
            reasons += [f"\n  {key}: {reason}" for key, reason in value.items()]
    return ", ".join(counts) + "".join(reasons)


def _rank(name: str) -> tuple[int, str]:
    return ORDER.index(name) if name in ORDER else len(ORDER), name
