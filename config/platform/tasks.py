"""Periodic jobs of features that do not exist yet: wallets.

They are known by name, so that `manage.py run_jobs` may name them already, and have no place in the schedule.
"""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from config.kernel import jobs

LATER = {
    "wallets": "Bring the running balances of wallets up to date.",
}

for name, description in LATER.items():
    jobs.register(
        jobs.PeriodicJob(
            name=name,
            service="config.platform.services.later.nothing",
            task="config.platform.tasks.later",
            minutes="",
            description=f"{description} Not there yet: does nothing.",
        )
    )


@shared_task
def later(**_: object) -> None:
    """Run a job that has no feature yet."""
    jobs.run(next(iter(LATER)), as_of=timezone.now())
