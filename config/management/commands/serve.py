"""`manage.py serve`: web server, task worker and scheduler together, until Ctrl-C."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import base
from django.db import DatabaseError, connections

from config import supervisor, upgrading
from config.localdb.errors import LocalDatabaseError
from config.platform.services import schedule

CREATE_USER = ".venv/bin/python manage.py createsuperuser"


class Command(base.BaseCommand):
    help = "Run the web server, a task worker and the scheduler together. Ctrl-C stops all three."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.WEB_HOST, help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=settings.WEB_PORT, help="port (default: %(default)s)")
        parser.add_argument("--no-migrate", action="store_true", help="do not bring the database up to date first")

    def handle(self, *args: Any, host: str, port: int, no_migrate: bool, **options: Any) -> None:
        if supervisor.is_taken(host=host, port=port):
            raise base.CommandError(f"Port {port} is in use: set WEB_PORT to a free one, or stop what listens there.")
        supervisor.interruptible()
        try:
            name, code = self._serve(host, port, migrate=not no_migrate)
        except KeyboardInterrupt:
            self.stdout.write(f"Stopped.{supervisor.database_left()}")
            return
        except (DatabaseError, LocalDatabaseError) as error:
            raise base.CommandError(f"The database: {error}\n`make doctor` says what to do.") from error
        raise base.CommandError(
            f"{name} ended again and again, last with exit code {code}, so everything was stopped. "
            f"Its last lines are above; `make doctor` may know why."
        )

    def _serve(self, host: str, port: int, *, migrate: bool) -> tuple[str, int]:
        """Serve until a program is given up; return its name and exit code."""
        if migrate:
            upgrading.bring_up_to_date(say=self._say)
            schedule.sync()
        can_sign_in = self._can_sign_in(is_hint=not migrate)
        connections.close_all()
        programs = [supervisor.web(host=host, port=port), supervisor.worker(), supervisor.beat()]
        self._say(f"Serving at http://{host}:{port}/ - Ctrl-C stops it.")
        if not can_sign_in:
            self._say(f"Nobody can sign in yet. Make the first user in another terminal:\n  {CREATE_USER}")
        with supervisor.Supervisor(programs, output=self.stdout) as running:
            return running.wait()

    def _can_sign_in(self, *, is_hint: bool) -> bool:
        """Say whether anybody can; where it is a hint alone, a database that is not there yet stops nothing."""
        try:
            return get_user_model().objects.filter(is_active=True, is_staff=True).exists()
        except DatabaseError:
            if not is_hint:
                raise
            return True

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
