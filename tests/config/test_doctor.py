"""`manage.py doctor`: says what is well and what to do about what is not, and changes nothing."""

import io
import pathlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from config import diagnosis, health, pdf_check

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: pathlib.Path) -> None:
    """No real PDF, and a mailbox of files."""
    monkeypatch.setattr(pdf_check, "problem", lambda: "")
    settings.EMAIL_BACKEND = "config.mail.EmlBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "outbox"
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.mark.django_db
def test_a_sound_installation_needs_nothing() -> None:
    out = io.StringIO()
    call_command("doctor", stdout=out, no_color=True)
    lines = out.getvalue().splitlines()
    assert [line[0] for line in lines] == ["✔"] * len(lines)
    assert "PostgreSQL" in out.getvalue()


@pytest.mark.django_db
def test_pending_migrations_fail_and_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "pending_migrations", lambda: ["catalog.0002_more", "billing.0003_more"])
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", stdout=out, no_color=True)
    assert "✘ migrations  2 pending" in out.getvalue()
    assert "make migrate" in out.getvalue()


def test_a_database_that_is_away_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(connection, "ensure_connection", away)
    [finding] = diagnosis.database(at=AT)
    assert not finding.ok
    assert finding.text.endswith("connection refused")
    assert finding.advice


@pytest.mark.django_db
def test_a_clock_that_disagrees_with_the_database_is_a_finding() -> None:
    clock = diagnosis.database(at=datetime.now(UTC) - timedelta(hours=1))[-1]
    assert (clock.name, clock.ok) == ("clock", False)
    assert "NTP" in clock.advice


def test_a_missing_library_names_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_check, "problem", lambda: "OSError: cannot load library 'libpango-1.0-0'")
    [finding] = diagnosis.pdf_libraries()
    assert not finding.ok
    assert "libpango" in finding.text
    assert "system-libraries.sh" in finding.advice


def test_storage_that_cannot_be_written_is_a_finding(settings: Any) -> None:
    settings.MEDIA_ROOT = "/proc/files"
    [finding] = diagnosis.storage()
    assert not finding.ok
    assert finding.advice


def test_looking_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    assert diagnosis.healthy([*diagnosis.storage(), *diagnosis.mail_server()])
    assert list(tmp_path.iterdir()) == []


def test_debug_and_open_hosts_are_findings(settings: Any) -> None:
    assert diagnosis.healthy(diagnosis.addresses())
    settings.ALLOWED_HOSTS = ["*"]
    assert not diagnosis.healthy(diagnosis.addresses())
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.DEBUG = True
    assert not diagnosis.healthy(diagnosis.addresses())


def test_a_secret_key_others_can_read_is_a_finding(settings: Any, tmp_path: pathlib.Path) -> None:
    settings.DATA_DIR = tmp_path
    path = tmp_path / "secret_key"
    path.write_text("abc\n")
    settings.SECRET_KEY = "abc"
    path.chmod(0o644)
    assert not diagnosis.healthy(diagnosis.secret_key())
    path.chmod(0o600)
    assert diagnosis.healthy(diagnosis.secret_key())
