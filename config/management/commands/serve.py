"""`manage.py serve`: web server, task worker and scheduler together, until Ctrl-C."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import base, call_command
from django.db import connections

from config import supervisor
from config.platform.services import schedule


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
        if not no_migrate:
            call_command("migrate", interactive=False, verbosity=0)
            schedule.sync()
        connections.close_all()
        programs = [supervisor.web(host=host, port=port), supervisor.worker(), supervisor.beat()]
        self.stdout.write(f"Serving at http://{host}:{port}/ - Ctrl-C stops it.")
        try:
            with supervisor.Supervisor(programs, output=self.stdout) as running:
                name, code = running.wait()
        except KeyboardInterrupt:
            self.stdout.write(f"Stopped.{supervisor.database_left()}")
            return
        raise base.CommandError(f"{name} ended with exit code {code}; its last lines are above.")
