"""``manage.py create_api_key NAME``: sets the installation up where it is not yet, and makes a key for the API."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.kernel import actors, errors
from config.platform.services import api_keys
from customers.services import billing_entities


class Command(BaseCommand):
    """Prints the key on its last line. It cannot be shown again: only a digest is stored."""

    help = "Make an API key and print it on the last line. It is shown this once only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name."""
        parser.add_argument("name", metavar="NAME", help="Who or what will use the key.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key."""
        at = timezone.now()
        actor = actors.Actor(kind="system", label="manage.py create_api_key")
        try:
            billing_entities.ensure_default(at=at, actor=actor)
            made = api_keys.create(name=options["name"], actor=actor, at=at)
        except errors.DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"API key {made.key.name!r}. Keep it: it is not shown again.")
        self.stdout.write(made.secret)
