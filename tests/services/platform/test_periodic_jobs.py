"""Periodic jobs by hand and by schedule."""

from __future__ import annotations

from datetime import datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from config.kernel import jobs
from config.platform.services import schedule
from config.platform.tasks import LATER
from tests.factories.platform import AT

pytestmark = pytest.mark.django_db

ran: list[tuple[str, datetime]] = []


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
        name: jobs.PeriodicJob(name, f"{__name__}.{fn}", "config.platform.tasks.later", "5", "d")
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


def test_jobs_without_a_feature_do_nothing() -> None:
    out = run(*LATER).splitlines()
    assert out == [f"{name}: nothing to do: there is no such feature yet" for name in LATER]


def test_every_job_gets_its_row_once() -> None:
    assert schedule.sync() == list(jobs.periodic_jobs())
    assert schedule.sync() == []
    assert set(PeriodicTask.objects.values_list("name", flat=True)) == jobs.periodic_jobs().keys()


def test_what_staff_changed_stays(known: None) -> None:
    schedule.sync()
    night = CrontabSchedule.objects.create(minute="0", hour="3")
    PeriodicTask.objects.filter(name="billing").update(crontab=night, enabled=False, task="an.old.path")
    PeriodicTask.objects.create(name="their own", task="some.task", crontab=night)
    assert schedule.sync() == []
    row = PeriodicTask.objects.get(name="billing")
    assert (row.crontab, row.enabled, row.task) == (night, False, "config.platform.tasks.later")
    assert PeriodicTask.objects.filter(name="their own").exists()


def test_times_that_staff_made_twice_do_not_stop_the_schedule() -> None:
    for _ in range(2):
        CrontabSchedule.objects.create(minute="25", timezone="UTC")
    PeriodicTask.objects.filter(name="overdue").delete()
    assert "overdue" in schedule.sync()
    assert PeriodicTask.objects.get(name="overdue").crontab.minute == "25"
