"""`manage.py doctor`: says what is well and what to do about what is not, and changes nothing."""

import io
import os
import pathlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from kombu import Connection

from config import diagnosis, diagnosis_findings, diagnosis_inside, health, pdf_check
from config.platform.services import first_steps, schedule
from customers.services import billing_entities, default_taxes
from tests.factories import platform

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
    schedule.sync()
    PeriodicTask.objects.update(last_run_at=timezone.now())
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
    assert diagnosis_findings.healthy([*diagnosis.storage(), *diagnosis.mail_server()])
    assert list(tmp_path.iterdir()) == []


def test_debug_and_open_hosts_are_findings(settings: Any) -> None:
    assert diagnosis_findings.healthy(diagnosis.addresses())
    settings.ALLOWED_HOSTS = ["*"]
    assert not diagnosis_findings.healthy(diagnosis.addresses())
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.DEBUG = True
    assert not diagnosis_findings.healthy(diagnosis.addresses())


def test_a_secret_key_others_can_read_is_a_finding(settings: Any, tmp_path: pathlib.Path) -> None:
    settings.DATA_DIR = tmp_path
    path = tmp_path / "secret_key"
    path.write_text("abc\n")
    settings.SECRET_KEY = "abc"
    path.chmod(0o644)
    assert not diagnosis_findings.healthy(diagnosis.secret_key())
    path.chmod(0o600)
    assert diagnosis_findings.healthy(diagnosis.secret_key())


def _hints(findings: list[diagnosis_findings.Finding]) -> list[str]:
    assert diagnosis_findings.healthy(findings)  # hints are no faults
    return [finding.text for finding in findings if finding.advice]


@pytest.mark.django_db
def test_an_incomplete_company_is_a_hint() -> None:
    entity = billing_entities.ensure_default(at=AT)
    [text] = _hints(diagnosis_inside.companies())
    assert text.endswith(
        "no full address; no bank details; e-mails of invoices are off; applies no tax, so its invoices are issued"
        " without one;"
        " invoices are due at once (payment term of 0 days)"
    )
    values = {
        "address_line1": "Quay 1",
        "city": "Berlin",
        "country": "DE",
        "iban": "DE66100991000048177302",
        "email_settings": ["invoice.finalized"],
        "net_payment_term": 14,
    }
    billing_entities.update(code=entity.code, values=values, actor=platform.ACTOR, at=AT)
    [text] = _hints(diagnosis_inside.companies())
    assert text.endswith(": applies no tax, so its invoices are issued without one")
    ticked = first_steps.tick(code="no_tax", actor=platform.ACTOR, at=AT)
    assert _hints(diagnosis_inside.companies()) == []
    ticked.delete()
    default_taxes.create(
        values={"code": "vat", "name": "VAT", "rate": Decimal("0.19")}, applied=True, actor=platform.ACTOR, at=AT
    )
    assert _hints(diagnosis_inside.companies()) == []


@pytest.mark.django_db
def test_a_scheduler_that_is_silent_is_a_hint() -> None:
    PeriodicTask.objects.all().delete()
    assert _hints(diagnosis_inside.scheduler(at=AT)) == ["no job is on the schedule"]
    times = CrontabSchedule.objects.create(minute="*/5")
    job = PeriodicTask.objects.create(name="deliveries", task="x", crontab=times)
    assert _hints(diagnosis_inside.scheduler(at=AT)) == ["has never sent a job"]
    for minutes, hints in ((14, 0), (16, 1)):
        PeriodicTask.objects.filter(pk=job.pk).update(last_run_at=AT - timedelta(minutes=minutes))
        assert len(_hints(diagnosis_inside.scheduler(at=AT))) == hints


def test_messages_that_nobody_takes_are_a_hint(settings: Any, tmp_path: pathlib.Path) -> None:
    settings.CELERY_BROKER_URL = "filesystem://"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_in": str(tmp_path)}
    assert _hints(diagnosis_inside.worker(at=AT)) == []
    message = tmp_path / "1_a.celery.msg"
    message.write_text("{}")
    for minutes, hints in ((14, []), (16, ["1 messages are waiting for it"])):
        written = (AT - timedelta(minutes=minutes)).timestamp()
        os.utime(message, (written, written))
        assert _hints(diagnosis_inside.worker(at=AT)) == hints


def test_messages_of_a_real_broker_are_counted(settings: Any) -> None:
    settings.CELERY_BROKER_URL = "memory://"
    with Connection("memory://") as broker, broker.SimpleQueue(diagnosis_inside.QUEUE) as queue:
        for number in range(diagnosis_inside.MANY_MESSAGES):
            queue.put(number)
        assert _hints(diagnosis_inside.worker(at=AT)) == []
        queue.put("one more")
        assert _hints(diagnosis_inside.worker(at=AT)) == ["501 messages are waiting for it"]
        queue.clear()


def test_a_broker_that_is_away_is_not_told_twice(settings: Any) -> None:
    settings.CELERY_BROKER_URL = "amqp://127.0.0.1:9//"
    assert diagnosis_inside.worker(at=AT) == []
