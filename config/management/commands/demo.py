"""`manage.py demo`: the sample company, its real usage, its bills, and the admin to look at them, until Ctrl-C."""

import os
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.management import base
from django.db import DatabaseError, connections
from django.utils import timezone

from config import supervisor
from config.demo import (
    closing,
    comparing,
    hosting,
    installation,
    integrations,
    selling,
    sights,
    staff,
    state,
    summary,
    tour,
    waiting,
)
from config.demo.api import Api, Refused
from config.demo.buyers import Buyer
from config.demo.hosting import Host
from config.demo.receiver import Receiver
from config.kernel import actors, errors
from config.localdb import server
from config.localdb.errors import LocalDatabaseError
from invoicing.services import books_checks

_EXPECTED = (Refused, errors.DomainError, LocalDatabaseError, DatabaseError, RuntimeError, OSError, httpx.HTTPError)
_OFF = frozenset({"", "0", "no", "off", "false"})
_SAMPLE = 30


class Command(base.BaseCommand):
    """Starts the programs, tells the story through the API and stays. Again, it goes on with the same data."""

    help = "Load the sample company and its usage through the API, bill it, and show it until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        leave = os.environ.get("DEMO_EXIT", "").lower() not in _OFF
        parser.add_argument("--host", default=settings.WEB_HOST, help="address to listen on (default: %(default)s)")
        parser.add_argument(
            "--port", type=int, default=settings.WEB_PORT, help="first port to try (default: %(default)s)"
        )
        parser.add_argument("--exit", action="store_true", default=leave, help="stop everything when all is there")

    def handle(self, *args: Any, host: str, port: int, exit: bool, **options: Any) -> None:  # noqa: A002
        supervisor.interruptible()
        try:
            try:
                self._run(host, port, leave=exit)
            finally:
                connections.close_all()
                if exit and settings.DATABASES["default"]["ENGINE"] == "config.localdb":
                    server.stop(settings.DATA_DIR)
        except _EXPECTED as error:
            raise base.CommandError(str(error)) from error
        except KeyboardInterrupt:
            left = "" if exit else supervisor.database_left()
            self.stdout.write(f"\nStopped.{left} `make demo` goes on with the same data; `make clean-data` deletes it.")
            if exit:
                raise base.CommandError("It was stopped before all was there.") from None

    def _run(self, host: str, port: int, *, leave: bool) -> None:
        folder = settings.DATA_DIR / "demo"
        known = tour.set_up(folder=folder, at=timezone.now(), say=self._say)
        free = hosting.free_port(host, port)
        if free != port:
            self.stdout.write(f"Port {port} is taken; taking {free}.")
        journal = hosting.Journal(folder / "server.log")
        with Receiver() as receiver, Host(host=host, port=free, journal=journal) as running:
            running.wait_until_ready(tell=self._say)
            self.stdout.write(f"Web server, worker and scheduler are up: {running.url}/")
            self._integrate(running, known, receiver)
            rows = tour.play(host=running, known=known, say=self._say, clock=timezone.now)
            self.stdout.write(f"\n{comparing.table(rows)}\n")
            if not all(row.equal for row in rows):
                raise base.CommandError("What is invoiced differs from what was logged.")
            self._check_books()
            self._conclude(running, known, folder)
            if not leave:
                self.stdout.write("Ctrl-C stops it.")
                running.stay()

    def _integrate(self, running: Host, known: state.State, receiver: Receiver) -> None:
        integrations.keys(at=timezone.now())
        with Api(running.url, known.api_key) as api:
            integrations.listen(api, url=receiver.url)

    def _check_books(self) -> None:
        row = books_checks.run(as_of=timezone.now(), trigger="command", actor=actors.job("demo"), sample=_SAMPLE)
        if row.broken_count:
            raise base.CommandError(f"{row.broken_count} checks of the books do not hold: see manage.py check_books.")
        self.stdout.write(f"Books: all {row.checks_count} checks hold.\n")

    def _conclude(self, running: Host, known: state.State, folder: Path) -> None:
        people = tour.Material.read(known.last_month).buyers
        ids = [buyer.external_id for buyer in people]
        with Api(running.url, known.api_key) as api:
            integrations.ask_for_payment(api, people)
            portal = integrations.portal(api, people)
        self._staff(running, known, people)
        self.stdout.write(f"Worth a look:\n{sights.text(people, url=running.url)}\n\n")
        facts = {
            "Invoices": summary.invoices(external_ids=ids),
            "PDFs": f"{settings.MEDIA_ROOT / 'invoices'}",
            "E-mails": f"{settings.EMAIL_FILE_PATH}: {summary.mails(external_ids=ids)}",
            "Output": f"{running.journal.path}",
            "API key": f"ends with {known.api_key[-4:]}, whole in {state.key_file(folder)}",
            "API docs": f"{running.url}/api/docs/",
            "Portal": f"{portal} (a customer's own pages, for half a day)",
            "Admin": f"{running.url}/admin/",
            "User": installation.USER,
            "Password": known.password or "the one you chose",
            "People": f"{', '.join(f'{one.username} ({one.role})' for one in staff.PEOPLE)}, with the same password",
        }
        for name, text in facts.items():
            self.stdout.write(f"  {name:<10}{text}")

    def _staff(self, running: Host, known: state.State, people: Sequence[Buyer]) -> None:
        """Let the people of the house quote, park and rehearse, and wait until the rehearsal is computed."""
        staff.hire(password=known.password)
        selling.make(people, at=timezone.now())
        closing.make(people, at=timezone.now())
        waiting.until_done(
            closing.waiting,
            job="rehearsals",
            what="rehearsals",
            clock=timezone.now,
            moved=lambda _: None,
            check=running.check,
        )

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
