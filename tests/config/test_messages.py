"""A broker that is away: what was to be done is committed, so whoever asked is not told of a failure."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from kombu.exceptions import OperationalError

from config.kernel import jobs


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError("refused"), PermissionError("no directory"), TimeoutError()])
def test_a_message_that_cannot_be_sent_is_left_to_the_sweeper(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    away = SimpleNamespace(conf=SimpleNamespace(task_always_eager=False), send_task=fail)
    monkeypatch.setattr(jobs, "current_app", away)

    with django_capture_on_commit_callbacks(execute=True):
        jobs.enqueue("billing.tasks.run_billing")

    assert "billing.tasks.run_billing is left to the sweeper" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize(("after", "seconds"), [(timedelta(seconds=3.2), [3.2]), (timedelta(seconds=-1), [0])])
def test_a_wake_up_is_sent_after_the_commit_with_its_delay(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, after: timedelta, seconds: list[float]
) -> None:
    sent: list[float] = []

    def send_task(_path: str, *, kwargs: dict[str, Any], countdown: float) -> None:
        assert kwargs == {}
        sent.append(countdown)

    broker = SimpleNamespace(conf=SimpleNamespace(task_always_eager=False), send_task=send_task)
    monkeypatch.setattr(jobs, "current_app", broker)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.wake("config.platform.tasks.deliver_webhooks", after=after)
        assert sent == []
    assert sent == seconds
    broker.conf.task_always_eager = True  # no time goes by: nothing is sent, and nothing runs
    with django_capture_on_commit_callbacks(execute=True):
        jobs.wake("config.platform.tasks.deliver_webhooks", after=after)
    assert sent == seconds
