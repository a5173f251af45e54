"""Background work of the installation itself: delivering webhooks, and forgetting what is old.

A message is a wake-up; the rows say what is to be done.
"""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from config.kernel import jobs
from config.platform.services import bulk_runs, deliveries, imports, purge

jobs.register(
    jobs.PeriodicJob(
        name="webhooks",
        service="config.platform.services.deliveries.sweep",
        task="config.platform.tasks.sweep_webhooks",
        minutes="*",
        description="Sends the webhooks that are due again, and those whose wake-up was lost.",
        is_live=True,
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="purge_webhooks",
        service="config.platform.services.deliveries.purge",
        task="config.platform.tasks.purge_webhooks",
        minutes="40",
        hours="3",
        description="Deletes events that were delivered long ago.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="purge_logs",
        service="config.platform.services.purge.run",
        task="config.platform.tasks.purge_logs",
        minutes="50",
        hours="3",
        description="Deletes old entries of the logs of requests, security and looks, and answers to idempotency keys.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="imports",
        service="config.platform.services.imports.run",
        task="config.platform.tasks.continue_imports",
        minutes="*",
        description="Goes on with imported files whose round was cut off.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="bulk_runs",
        service="config.platform.services.bulk_runs.sweep",
        task="config.platform.tasks.sweep_bulk_runs",
        minutes="*",
        description="Goes on with verbs on many rows whose worker was lost.",
    )
)


jobs.register(
    jobs.PeriodicJob(
        name="forget_imports",
        service="config.platform.services.imports.forget",
        task="config.platform.tasks.forget_imports",
        minutes="20",
        hours="4",
        description="Empties the rows of files that were imported long ago of what stood in them.",
    )
)


@shared_task(name="config.platform.tasks.forget_imports")
def forget_imports(**_: Any) -> None:
    """Forget what stood in rows of old files."""
    imports.forget(as_of=timezone.now())


@shared_task(name="config.platform.tasks.continue_imports")
def continue_imports(**_: Any) -> None:
    """Check and write the rows of imported files."""
    imports.run(as_of=timezone.now())


@shared_task(name="config.platform.tasks.run_bulk")
def run_bulk(*, run_id: int, **_: Any) -> None:
    """Do the next rows of a bulk run."""
    bulk_runs.go_on(run_id=run_id, at=timezone.now())


@shared_task(name="config.platform.tasks.sweep_bulk_runs")
def sweep_bulk_runs(**_: Any) -> None:
    """Go on with what was left."""
    bulk_runs.sweep(as_of=timezone.now())


@shared_task(name="config.platform.tasks.deliver_webhooks")
def deliver_webhooks(**_: Any) -> None:
    """Deliver what is due."""
    deliveries.run(as_of=timezone.now())


@shared_task(name="config.platform.tasks.sweep_webhooks")
def sweep_webhooks(**_: Any) -> None:
    """Deliver what is due and tidy up what cannot be delivered."""
    deliveries.sweep(as_of=timezone.now())


@shared_task(name="config.platform.tasks.purge_webhooks")
def purge_webhooks(**_: Any) -> None:
    """Delete old events."""
    deliveries.purge(as_of=timezone.now())


@shared_task(name="config.platform.tasks.purge_logs")
def purge_logs(**_: Any) -> None:
    """Delete what was logged and remembered for long enough."""
    purge.run(as_of=timezone.now())
