"""``manage.py sync_schedule``: gives every periodic job its row in the scheduler's table."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.platform.services import schedule


class Command(BaseCommand):
    """Adds what is missing; what staff changed stays as it is."""

    help = "Add the periodic jobs that the schedule lacks. What was changed in the admin stays."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was added."""
        made = schedule.sync()
        self.stdout.write(f"Added: {', '.join(made)}." if made else "The schedule has every job.")
