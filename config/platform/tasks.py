"""Periodic jobs of features that do not exist yet: trials, usage thresholds, wallets, fees paid in advance."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from config.kernel import jobs

LATER = {
    "trial_ended": "Bill the plans whose trial ended.",
    "usage": "Look for usage that crossed a threshold.",
    "wallets": "Bring the running balances of wallets up to date.",
    "advance_charges": "Invoice the usage that was paid in advance.",
}

for position, (name, description) in enumerate(LATER.items()):
    jobs.register(
        jobs.PeriodicJob(
            name=name,
            service="config.platform.services.later.nothing",
            task="config.platform.tasks.later",
            minutes=str(10 + position),
            description=f"{description} Not there yet: does nothing.",
        )
    )


@shared_task
def later(**_: object) -> None:
    """Run a job that has no feature yet."""
    jobs.run(next(iter(LATER)), as_of=timezone.now())
