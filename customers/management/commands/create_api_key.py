"""``manage.py create_api_key NAME [--rights R] [--expires DAY] [--limit N]``: sets the installation up where it is not
yet, and makes a key for the API.
"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import dateparse, timezone

from config.kernel import actors, errors
from config.platform.services import api_keys, rights
from customers.services import billing_entities


class Command(BaseCommand):
    """Prints the key on its last line. It cannot be shown again: only a digest is stored."""

    help = "Make an API key and print it on the last line. It is shown this once only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the name, and what the key may do, until when and how often."""
        parser.add_argument("name", metavar="NAME", help="Who or what will use the key.")
        parser.add_argument(
            "--rights",
            default=rights.EVERYTHING,
            help=f"One of {', '.join(rights.PRESETS)}, or resources with actions, such as event:write,plan:read+write.",
        )
        parser.add_argument("--expires", metavar="DAY", help="The last day (UTC) on which it is taken: 2027-12-31.")
        parser.add_argument("--limit", type=int, metavar="N", help="How many requests a minute it may send.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key."""
        at = timezone.now()
        actor = actors.Actor(kind="system", label="manage.py create_api_key")
        try:
            billing_entities.ensure_default(at=at, actor=actor)
            made = api_keys.create(
                name=options["name"],
                actor=actor,
                at=at,
                expires_at=_end(options["expires"]),
                rights=rights.parse(options["rights"]),
                rate_limit=options["limit"],
            )
        except errors.DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"API key {made.key.name!r}. Keep it: it is not shown again.")
        self.stdout.write(made.secret)


def _end(day: str | None) -> datetime | None:
    """Return the end of a day, which is the first instant of the next one. Raises CommandError for what is no day."""
    if day is None:
        return None
    try:
        found = dateparse.parse_date(day)
        end = None if found is None else datetime.combine(found, time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        end = None
    if end is None:
        raise CommandError(f"{day!r} is no day: write it as 2027-12-31.")
    return end
