"""`manage.py serve`: what it says before and after the programs run. The programs themselves are stood in for."""

from __future__ import annotations

import io
import logging
from typing import Any, Self

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError

from config import health, supervisor, upgrading
from config import logging as structured_logging

CREATE_USER = ".venv/bin/python manage.py createsuperuser"


class Running:
    """Programs of which one is given up at once."""

    def __init__(self, programs: Any, *, output: Any) -> None:
        assert [one.name for one in programs] == ["web", "worker", "beat"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def wait(self) -> tuple[str, int]:
        return "worker", 3


@pytest.fixture(autouse=True)
def _no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "Supervisor", Running)
    monkeypatch.setattr(supervisor, "interruptible", lambda: None)
    monkeypatch.setattr(supervisor, "is_taken", lambda **_: False)
    monkeypatch.setattr("config.management.commands.serve.connections.close_all", lambda: None)


@pytest.mark.django_db
def test_an_installation_without_people_says_how_to_make_one() -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="worker ended again and again, last with exit code 3"):
        call_command("serve", no_migrate=True, stdout=out)
    assert "Nobody can sign in yet" in out.getvalue()
    assert CREATE_USER in out.getvalue()

    User.objects.create_superuser("ada")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("serve", no_migrate=True, stdout=out)
    assert "Nobody can sign in yet" not in out.getvalue()


def test_a_database_that_is_away_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(upgrading, "bring_up_to_date", away)
    with pytest.raises(CommandError, match="connection refused\n`make doctor` says what to do"):
        call_command("serve", stdout=io.StringIO())


@pytest.mark.parametrize("pending", [0, 3])
def test_a_database_that_is_brought_up_to_date_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, pending: int
) -> None:
    def migrate(name: str, *, stdout: Any, **_: object) -> None:
        for number in range(pending):
            stdout.write(f"  Applying x.000{number}...")
            stdout.write(" OK\n")

    monkeypatch.setattr(health, "pending_migrations", lambda: ["x"] * pending)
    monkeypatch.setattr(upgrading, "call_command", migrate)
    monkeypatch.setattr(upgrading, "SAY_SECONDS", 0)
    said: list[str] = []
    upgrading.bring_up_to_date(say=said.append)
    told = [text for text in said if "embedded" not in text]
    assert len(told) == (0 if not pending else 7)
    assert told[-1:] == (["  3 of 3 steps done."] if pending else [])


@pytest.mark.parametrize(
    ("options", "level"),
    [({"level": "INFO"}, "WARNING"), ({"level": "INFO", "tasks": True}, None), ({"level": "DEBUG"}, None)],
)
def test_tasks_are_quiet_unless_asked_for(options: dict[str, Any], level: str | None) -> None:
    loggers = structured_logging.configuration(log_format="human", **options)["loggers"]
    assert loggers["celery.app.trace"].get("level") == loggers["celery.worker.strategy"].get("level") == level


@pytest.mark.parametrize(("level", "line"), [("INFO", "GET /"), ("WARNING", "GET / request_id=r1")])
def test_people_see_the_id_of_a_request_where_something_went_wrong(level: str, line: str) -> None:
    number = logging.getLevelName(level)
    record = logging.makeLogRecord({"msg": "GET /", "levelno": number, "request_id": "r1"})
    assert structured_logging.HumanFormatter().format(record) == line
