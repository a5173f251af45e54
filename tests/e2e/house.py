"""A whole installation on the test's database: web server, worker and scheduler as `manage.py serve` starts them, and a
mail server that keeps what it is given. Owns starting and ending it.
"""

from __future__ import annotations

import email
import email.policy
import os
import pathlib
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, TypeVar

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from django.db import connection

from config import environment
from tests.factories import receivers

T = TypeVar("T")

PATIENCE = 120
"""Seconds that a loaded machine may take for what is done in a moment."""


class Inbox:
    """The mail server of the customers."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message."""
        self.envelopes.append(envelope)
        return "250 OK"

    def messages(self) -> list[EmailMessage]:
        """What arrived, oldest first."""
        return [email.message_from_bytes(each.content or b"", policy=email.policy.default) for each in self.envelopes]


@dataclass
class House:
    """A running installation."""

    url: str
    inbox: Inbox

    def mail(self, *, subject: str) -> EmailMessage:
        """Wait for the first message whose subject has these words."""
        return eventually(
            lambda: next((each for each in self.inbox.messages() if subject in str(each["Subject"])), None),
            f"a mail with the subject {subject!r} among {[str(each['Subject']) for each in self.inbox.messages()]}",
        )


def eventually(look: Callable[[], T | None], what: str) -> T:
    """Look until there is something."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


@contextmanager
def running(folder: pathlib.Path) -> Iterator[House]:
    """Run an installation on the database of the test, with its files in ``folder``, until the end of the block."""
    port, mail_port = receivers.free_port(), receivers.free_port()
    inbox = Inbox()
    mail_server = Controller(inbox, hostname="127.0.0.1", port=mail_port)
    mail_server.start()
    own = {
        "DATABASE_URL": _database_url(),
        "DATA_DIR": str(folder),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "WEB_PROCESSES": "1",
        "WORKER_PROCESSES": "1",
        "CELERY_BROKER_URL": "",
    }
    log = (folder / "log").open("wb")
    command = [sys.executable, "manage.py", "serve", "--no-migrate", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=environment.BASE_DIR, env={**os.environ, **own}, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        house = House(f"http://127.0.0.1:{port}", inbox)
        eventually(lambda: _answers(process, house.url, folder), "the installation to answer")
        yield house
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
        log.close()
        mail_server.stop()


def _answers(process: subprocess.Popen[bytes], url: str, folder: pathlib.Path) -> bool:
    assert process.poll() is None, (folder / "log").read_text()[-4000:]
    try:
        return httpx.get(f"{url}/admin/login/", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _database_url() -> str:
    """The address of the database that the test uses, as the settings take it."""
    connection.ensure_connection()
    info = connection.connection.info
    place = urllib.parse.urlencode({"host": info.host, "port": info.port})
    who = urllib.parse.quote(info.user, safe="")
    password = f":{urllib.parse.quote(info.password, safe='')}" if info.password else ""
    return f"postgres://{who}{password}@/{info.dbname}?{place}"
