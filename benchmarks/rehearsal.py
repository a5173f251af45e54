"""How long a rehearsal of a billing run takes, as a multiple of the run itself, and of the run that was signed off.

    PYTHONPATH=. .venv/bin/python benchmarks/rehearsal.py [--subscriptions 1000] [--events 100000]

Makes a database of its own beside the configured one and drops it at the end. Every subscription has a fee and five
charges. Measured are the run of May, the rehearsal of June with the same usage, which is compared with May, and the run
that bills what was signed off, with its checks.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402 - Django is set up first
from django.db import connection  # noqa: E402

from benchmarks import preloading, rating  # noqa: E402
from billing.models import BillingRun, Rehearsal  # noqa: E402
from billing.services import event_partitions, rehearsal_billing, rehearsal_computing, rehearsals, runs  # noqa: E402
from config.kernel import actors, jobs  # noqa: E402
from config.kernel.actors import Actor  # noqa: E402

JUNE, JULY = (datetime(2026, month, 1, 12, tzinfo=UTC) for month in (6, 7))


def main() -> None:
    """Measure, and print seconds and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--subscriptions", type=int, default=1000)
    options.add_argument("--events", type=int, default=100_000)
    given = options.parse_args()
    jobs.enqueue = _drop  # documents and mail are not measured here
    configured = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        rating.sell(given.subscriptions)
        preloading.fill(
            rating.EVENTS.format(subscriptions=given.subscriptions, codes="','".join(rating.CODES)), given.events
        )
        print(f"{given.subscriptions:,} subscriptions, {given.events:,} events in the month, in seconds")
        plain = taken(lambda: runs.run(as_of=JUNE, trigger="manual", actor=actors.SYSTEM), "run", given.subscriptions)
        use_the_same_again()
        before = peak()
        rehearsal = taken(lambda: rehearse(JULY), "rehearsal", given.subscriptions)
        print(f"  {peak() - before} MB more memory at the peak, {before} MB before")
        signed = taken(bill, "signed-off run", given.subscriptions)
        print(f"RATIO rehearsal, multiple of the run | {rehearsal / plain:.2f}")
        print(f"RATIO signed-off run, multiple of the run | {signed / plain:.2f}")
    finally:
        connection.creation.destroy_test_db(configured, verbosity=0)


def use_the_same_again() -> None:
    """Let the events of May happen in June too."""
    event_partitions.ensure(months=[(2026, 6)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {event_partitions.TABLE} ({preloading.COLUMNS})
            SELECT gen_random_uuid(), external_subscription_id, 'june-' || transaction_id, code,
                "timestamp" + interval '31 days', received_at, fingerprint, value_source, value, properties
            FROM {event_partitions.name(preloading.MAY)} WHERE "timestamp" < '2026-05-31'"""
        )
        cursor.execute("ANALYZE")


def _drop(path: str, **kwargs: object) -> None:
    """Send nothing."""


def rehearse(as_of: datetime) -> None:
    """Rehearse the run at a clock."""
    row = rehearsals.request(as_of=as_of, actor=actors.SYSTEM, at=as_of)
    rehearsal_computing.compute(rehearsal_id=row.pk, at=as_of)


def bill() -> BillingRun:
    """Sign the rehearsal off and bill it. Raises AssertionError where something was refused."""
    row = Rehearsal.objects.get()
    user = User.objects.create_user("second")
    person = Actor(kind="user", label="second", user_id=user.pk)
    rehearsals.sign_off(rehearsal_id=row.pk, acknowledged=row.flagged_count, actor=person, at=row.as_of)
    done = rehearsal_billing.bill(rehearsal_id=row.pk, actor=person, at=row.as_of)
    if done.failures_count or done.invoices_count != row.invoices_count:
        raise AssertionError(f"{done.failures_count} refused, {done.invoices_count} billed")
    return done


def taken(work: Callable[[], object], label: str, count: int) -> float:
    """Print and return the seconds that something takes."""
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    print(f"{label:<16} {seconds:.1f}, {seconds / count * 1000:.1f} ms each", flush=True)
    return seconds


def peak() -> int:
    """Return the most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
