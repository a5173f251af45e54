"""Background work: messages to tasks, and the register of periodic jobs.

A message is only a wake-up: what has to be done is a row in the database, so a lost message costs time and no more.
Periodic jobs are registered once by the app that owns them and reached three ways: the scheduler, an admin action and
``manage.py run_jobs``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

from config.kernel import errors

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PeriodicJob:
    """A job that runs by the clock.

    ``service`` is the dotted path of a function ``fn(*, as_of: datetime) -> object`` that may run any number of times;
    ``task`` the Celery task that calls it; ``minutes`` the crontab minutes of the hour at which it is due, empty for a
    job that the scheduler does not run; ``hours`` the crontab hours, in UTC. ``is_live`` is a job that shares time
    with others, such as by leases: it needs the present even where many jobs run one after the other.
    """

    name: str
    service: str
    task: str
    minutes: str
    description: str
    hours: str = "*"
    is_live: bool = False


_periodic: dict[str, PeriodicJob] = {}


def register(job: PeriodicJob) -> None:
    """Add a periodic job. Registering the same job again changes nothing; another one of its name is refused."""
    if _periodic.setdefault(job.name, job) != job:
        raise ValueError(f"there is a periodic job {job.name!r} already")


def periodic_jobs() -> Mapping[str, PeriodicJob]:
    """The registered periodic jobs by name, in the order of their registration."""
    return dict(_periodic)


def run(name: str, *, as_of: datetime) -> object:
    """Run a periodic job now, in this process, at the clock ``as_of``. Raises NotFound for an unknown name."""
    if name not in _periodic:
        raise errors.NotFound("job_not_found", f"There is no job {name!r}. Known: {', '.join(_periodic)}.")
    service: Callable[..., object] = import_string(_periodic[name].service)
    return service(as_of=as_of)


def enqueue(path: str, **kwargs: Any) -> None:
    """Send a task by its dotted path once the current transaction is committed; at once outside of one.

    A rolled back transaction sends nothing. Arguments must be plain JSON values.
    """
    transaction.on_commit(lambda: _send(path, kwargs))


def wake(path: str, *, after: timedelta) -> None:
    """Send a task by its dotted path that begins after a while, once the current transaction is committed.

    For work whose time the rows know already, and which a sweeper would find a little later. Where tasks run on the
    spot no time goes by, so nothing is sent: whoever moves the clock runs the job.
    """
    if not current_app.conf.task_always_eager:
        transaction.on_commit(lambda: _send(path, {}, countdown=max(after.total_seconds(), 0)))


def _send(path: str, kwargs: dict[str, Any], **options: Any) -> None:
    if current_app.conf.task_always_eager:
        current_app.tasks[path].apply(kwargs=kwargs, throw=True)
        return
    try:
        current_app.send_task(path, kwargs=kwargs, **options)
    # The broker is away (OSError: its directory). What was to be done is committed already; the sweeper will find it.
    except (OperationalError, OSError) as error:
        log.warning("broker unreachable, %s is left to the sweeper: %s", path, error)
