"""Periodic jobs by hand and by schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from billing.models import BillingRun
from billing.services.subscription_moves import Moved
from config.kernel import jobs
from config.platform.services import schedule
from invoicing.services.dispatch import Swept
from tests.factories.platform import AT

pytestmark = pytest.mark.django_db

ran: list[tuple[str, datetime]] = []


@dataclass(frozen=True)
class Counted:
    """A result with lists."""

    done: list[int]
    failed: list[int]


def first(*, as_of: datetime) -> str:
    """Stand in for a job."""
    ran.append(("first", as_of))
    return "2 things"


def second(*, as_of: datetime) -> None:
    """Stand in for a job that says nothing."""
    ran.append(("second", as_of))


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs instead of the installation's own."""
    ran.clear()
    found = {
        name: jobs.PeriodicJob(name, f"{__name__}.{fn}", "catalog.tasks.first", "5", "d")
        for name, fn in (("overdue", "second"), ("billing", "first"))
    }
    monkeypatch.setattr(jobs, "_periodic", found)


def run(*names: str) -> str:
    """Run jobs and return what was printed."""
    out = StringIO()
    call_command("run_jobs", *names, stdout=out)
    return out.getvalue()


def test_all_jobs_run_in_the_order_of_a_day(known: None) -> None:
    with time_machine.travel(AT, tick=False):
        assert run() == "billing: 2 things\noverdue: done\n"
    assert ran == [("first", AT), ("second", AT)]


def test_named_jobs_run_in_the_order_given(known: None) -> None:
    assert run("overdue", "billing", "overdue").splitlines() == ["overdue: done", "billing: 2 things", "overdue: done"]


def test_an_unknown_job_runs_nothing(known: None) -> None:
    with pytest.raises(CommandError, match=r"no job 'nope'\. Known: billing, overdue"):
        run("billing", "nope")
    assert ran == []


def test_the_names_that_others_rely_on_exist() -> None:
    names = {"billing", "activate_pending", "terminate_ended", "trial_ended", "finalize", "usage", "wallets"}
    assert names | {"advance_charges", "overdue"} <= jobs.periodic_jobs().keys()


def test_every_job_gets_its_row_once() -> None:
    expected = list(jobs.periodic_jobs())
    assert schedule.sync() == expected
    assert schedule.sync() == []
    assert set(PeriodicTask.objects.values_list("name", flat=True)) == set(expected)
    assert "billing" in expected


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (None, "done"),
        (3, "3 done"),
        (Moved(done=2, failed={}), "2 done, 0 failed"),
        (Moved(done=0, failed={"acme": "no plan", "b": "no tax"}), "0 done, 2 failed\n  acme: no plan\n  b: no tax"),
        (
            Swept(rendered=Counted([1, 2], []), credit_notes=Counted([3], []), sent=Counted([], [7])),
            "rendered (2 done, 0 failed), credit notes (1 done, 0 failed), sent (0 done, 1 failed)",
        ),
        (BillingRun(pk=7, status="succeeded"), "Run 7 succeeded"),
    ],
)
def test_results_are_told_in_words(known: None, monkeypatch: pytest.MonkeyPatch, result: object, told: str) -> None:
    monkeypatch.setattr(jobs, "run", lambda *_, **__: result)
    assert run("billing") == f"billing: {told}\n"


def test_what_staff_changed_stays(known: None) -> None:
    schedule.sync()
    night = CrontabSchedule.objects.create(minute="0", hour="3")
    PeriodicTask.objects.filter(name="billing").update(crontab=night, enabled=False, task="an.old.path")
    PeriodicTask.objects.create(name="their own", task="some.task", crontab=night)
    assert schedule.sync() == []
    row = PeriodicTask.objects.get(name="billing")
    assert (row.crontab, row.enabled, row.task) == (night, False, "catalog.tasks.first")
    assert PeriodicTask.objects.filter(name="their own").exists()


def test_times_that_staff_made_twice_do_not_stop_the_schedule() -> None:
    for _ in range(2):
        CrontabSchedule.objects.create(minute="25", timezone="UTC")
    PeriodicTask.objects.filter(name="overdue").delete()
    assert "overdue" in schedule.sync()
    assert PeriodicTask.objects.get(name="overdue").crontab.minute == "25"
