"""Work that is followed: what a page says at once, what it asks for while the work goes on, and how fast it is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from billing.admin import live_progress
from billing.admin.live_progress import LiveProgress
from billing.models import BillingRun
from tests.admin.conftest import NOW
from tests.factories.company import Company


def url(name: str, row: BillingRun) -> str:
    return reverse(f"admin:billing_billingrun_{name}", args=[row.pk])


@pytest.mark.parametrize(
    ("done", "total", "is_running", "percent"),
    [
        (0, 0, True, 0),
        (0, 0, False, 100),
        (1, 3, True, 33),
        (999, 1000, True, 99),
        (1000, 1000, True, 99),  # something is still to be written
        (1000, 1000, False, 100),
        (5, 3, False, 100),
    ],
)
def test_whole_percent(done: int, total: int, is_running: bool, percent: int) -> None:
    assert LiveProgress("x", done, total, is_running, url="").percent == percent


@pytest.mark.parametrize(
    ("done", "total", "seconds", "told"),
    [
        (0, 10, 5, ""),
        (10, 10, 5, ""),
        (3, 10, 0, ""),
        (50, 100, 5, "10 a second · about 5 s left"),  # 50 / 5; 50 / 10
        (7, 100, 2, "3.5 a second · about 27 s left"),  # 93 / 3.5 = 26.57
        (2, 8, 4, "30 a minute · about 12 s left"),  # half a one in a second
        (3000, 10000, 100, "30 a second · about 4 min left"),  # 7000 / 30 = 233 s
        (1, 1000, 60, "1 a minute · about 16 h 39 min left"),
    ],
)
def test_pace(done: int, total: int, seconds: int, told: str) -> None:
    assert live_progress.pace(done=done, total=total, started=NOW, at=NOW + timedelta(seconds=seconds)) == told
    assert live_progress.pace(done=done, total=total, started=None, at=NOW) == ""


@pytest.mark.django_db
def test_a_run_has_the_same(finance: Client, company: Company) -> None:
    run = BillingRun.objects.create(
        as_of=NOW, created_at=NOW, trigger="test", customers_total=8, customers_done=2, invoices_count=3
    )
    found = finance.get(url("progress", run)).json()
    assert (found["is_running"], found["percent"], found["texts"]["invoices"]) == (True, 25, "3")
    assert finance.get(url("progress", company.run)).json()["is_running"] is False
    assert url("progress", company.run) not in finance.get(url("change", company.run)).content.decode()
