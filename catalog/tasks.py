"""Background work of this app: the versions of plans whose moment has come."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from catalog.services import versions
from config.kernel import jobs

jobs.register(
    jobs.PeriodicJob(
        name="plan_versions",
        service="catalog.services.versions.turn_due",
        task="catalog.tasks.turn_plan_versions",
        minutes="*",
        description="Sells the versions of plans whose moment has come.",
    )
)


@shared_task(name="catalog.tasks.turn_plan_versions")
def turn_plan_versions(**_: Any) -> None:
    """Sell what is to be sold from now on."""
    versions.turn_due(as_of=timezone.now())
