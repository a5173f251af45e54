"""What `manage.py doctor` looks at: one function per part of the surroundings, each giving findings with what to do.

It only looks: nothing is repaired, sent or created, but for a probe file that it removes again. What the installation
itself says of its companies and programs is `config.diagnosis_inside`'s.
"""

import datetime
import os
import pathlib
import stat
import uuid

from django.conf import settings
from django.core import mail
from django.db import DatabaseError, connection
from kombu import Connection
from kombu.exceptions import OperationalError

from config import diagnosis_inside, health, pdf_check
from config.diagnosis_findings import Finding
from config.localdb.errors import LocalDatabaseError

OLDEST_POSTGRESQL = 150000
CLOCK_SECONDS = 30
EARLIEST_SENSIBLE_YEAR = 2025


def examine(*, at: datetime.datetime) -> list[Finding]:
    """Look at everything and return the findings in a fixed order. `at` is the aware current time."""
    findings = [*database(at=at)]
    for check in (broker, mail_server, pdf_libraries, storage, secret_key, addresses):
        findings += check()
    if findings[0].ok and all(finding.ok for finding in findings if finding.name == "migrations"):
        findings += diagnosis_inside.companies()
        findings += diagnosis_inside.scheduler(at=at)
        findings += diagnosis_inside.worker(at=at)
    return findings


def database(*, at: datetime.datetime) -> list[Finding]:
    """Is there a database, new enough, with every migration, and does its clock agree with `at`?"""
    embedded = settings.DATABASES["default"]["ENGINE"] == "config.localdb"
    kind = "embedded" if embedded else "from DATABASE_URL"
    try:
        connection.ensure_connection()
        version = connection.pg_version
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            [clock] = cursor.fetchone()
        pending = health.pending_migrations()
    except (DatabaseError, LocalDatabaseError) as error:
        advice = "See .data/postgres.log." if embedded else "Check DATABASE_URL and that the server is up."
        return [Finding("database", ok=False, text=f"{kind}: {_first_line(error)}", advice=advice)]
    text = f"PostgreSQL {version // 10000}.{version % 10000}, {kind}"
    new_enough = version >= OLDEST_POSTGRESQL
    apart = abs((clock - at).total_seconds())
    return [
        Finding("database", new_enough, text, "" if new_enough else "PostgreSQL 15 or newer is needed."),
        Finding(
            "migrations",
            not pending,
            f"{len(pending)} pending" if pending else "up to date",
            "Run `make migrate` (`manage.py migrate`)." if pending else "",
        ),
        _clock(at=at, apart=apart),
    ]


def _clock(*, at: datetime.datetime, apart: float) -> Finding:
    ok = apart < CLOCK_SECONDS and at.year >= EARLIEST_SENSIBLE_YEAR
    text = f"{at:%Y-%m-%d %H:%M:%S} {settings.TIME_ZONE}, {apart:.0f} s from the database's"
    return Finding("clock", ok, text, "" if ok else "Set the clocks of both machines (NTP).")


def broker() -> list[Finding]:
    """Does the broker of the task messages answer?"""
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        return [
            _writable("broker", pathlib.Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]), "files in")
        ]
    target = Connection(settings.CELERY_BROKER_URL, connect_timeout=3)
    try:
        target.ensure_connection(max_retries=1, timeout=3)
    except (OperationalError, OSError) as error:
        return [
            Finding("broker", ok=False, text=_first_line(error), advice="Check CELERY_BROKER_URL and that it is up.")
        ]
    finally:
        target.release()
    return [Finding("broker", ok=True, text=target.as_uri())]  # as_uri hides the password


def mail_server() -> list[Finding]:
    """Can mail be handed over? A mail server is connected to; nothing is sent."""
    if settings.EMAIL_BACKEND == "config.mail.EmlBackend":
        return [_writable("mail", pathlib.Path(settings.EMAIL_FILE_PATH), "no server: messages become files in")]
    backend = mail.get_connection()
    try:
        backend.open()
        backend.close()
    except OSError as error:  # smtplib's errors are OSErrors too
        advice = "Check EMAIL_URL: host, port, user and password, and TLS."
        return [Finding("mail", ok=False, text=f"{settings.EMAIL_BACKEND}: {_first_line(error)}", advice=advice)]
    return [Finding("mail", ok=True, text=settings.EMAIL_BACKEND)]


def pdf_libraries() -> list[Finding]:
    """Can a PDF be written, with a real font?"""
    problem = pdf_check.problem()
    advice = "Run `sh scripts/system-libraries.sh`: it installs them, or says which packages are missing."
    return [
        Finding(
            "pdf", not problem, problem or "WeasyPrint, its libraries and fonts are there", advice if problem else ""
        )
    ]


def storage() -> list[Finding]:
    """Can documents be stored?"""
    return [_writable("storage", pathlib.Path(settings.MEDIA_ROOT), "documents in")]


def secret_key() -> list[Finding]:
    """Is the generated secret key private, if it is the one in use?"""
    path = settings.DATA_DIR / "secret_key"
    if not path.is_file() or path.read_text().strip() != settings.SECRET_KEY:
        return [Finding("secret key", ok=True, text="from SECRET_KEY")]
    private = not stat.S_IMODE(path.stat().st_mode) & 0o077
    return [Finding("secret key", private, f"in {path}", "" if private else f"Others can read it: chmod 600 {path}")]


def addresses() -> list[Finding]:
    """Is the public address consistent with the rest of the settings?"""
    if settings.DEBUG:
        return [Finding("address", ok=False, text="DEBUG is on", advice="Unset DEBUG wherever others can reach it.")]
    if "*" in settings.ALLOWED_HOSTS:
        return [Finding("address", ok=False, text="ALLOWED_HOSTS has *", advice="Name the hosts.")]
    return [Finding("address", ok=True, text=settings.PUBLIC_URL)]


def _writable(name: str, folder: pathlib.Path, text: str) -> Finding:
    """Try with a real file: rights, a full disk and a read-only mount all show that way."""
    parent = next(place for place in [folder, *folder.parents] if place.is_dir())
    probe = parent / f".probe-{os.getpid()}-{uuid.uuid4().hex}"
    try:
        probe.write_text("probe")
        probe.unlink()
    except OSError as error:
        return Finding(name, ok=False, text=f"{folder}: {error.strerror}", advice="Make it writable, or free space.")
    return Finding(name, ok=True, text=f"{text} {folder}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
