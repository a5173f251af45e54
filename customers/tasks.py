"""Background work of this app: coupons whose time is over, asking about VAT numbers. A task makes one service call."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from config.kernel import jobs
from customers.services import coupons, vat_checks

jobs.register(
    jobs.PeriodicJob(
        name="vat_checks",
        service="customers.services.vat_checks.run",
        task="customers.tasks.check_vat_numbers",
        minutes="*",
        description="Asks the register about VAT numbers that are due, and decides the taxes of customers that wait.",
    )
)
jobs.register(
    jobs.PeriodicJob(
        name="coupons",
        service="customers.services.coupons.expire_due",
        task="customers.tasks.expire_coupons",
        minutes="30",
        description="Ends the coupons whose time is over, and takes them off customers.",
    )
)


@shared_task(name="customers.tasks.expire_coupons")
def expire_coupons(**_: Any) -> None:
    """End what is over."""
    coupons.expire_due(as_of=timezone.now())


@shared_task(name="customers.tasks.check_vat_numbers")
def check_vat_numbers(**_: Any) -> None:
    """Ask about the numbers that are due."""
    vat_checks.run(as_of=timezone.now())
