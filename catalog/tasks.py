"""Background work of this app: versions of plans whose moment has come, rates of VAT that come into force."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from catalog.services import vat_rates, versions
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
jobs.register(
    jobs.PeriodicJob(
        name="vat_rates",
        service="catalog.services.vat_rates.follow",
        task="catalog.tasks.follow_vat_rates",
        minutes="1",
        description="Gives the taxes of the EU the rates that are in force today.",
    )
)


@shared_task(name="catalog.tasks.follow_vat_rates")
def follow_vat_rates(**_: Any) -> None:
    """Give taxes the rates of today."""
    vat_rates.follow(as_of=timezone.now())


@shared_task(name="catalog.tasks.turn_plan_versions")
def turn_plan_versions(**_: Any) -> None:
    """Sell what is to be sold from now on."""
    versions.turn_due(as_of=timezone.now())
