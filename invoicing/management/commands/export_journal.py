"""Exports a billing entity's journal to a file, for a general ledger. The work is the service's."""

from __future__ import annotations

import pathlib
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.kernel import actors, errors
from customers.queries import billing_entities
from invoicing.services import journal_exports


class Command(BaseCommand):
    """Write what was not exported yet, up to a day or all of it."""

    help = "Exports the journal of a billing entity: the same day again gives the same file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Ask whose, up to which day, in which form, and where to."""
        parser.add_argument("billing_entity", help="code of the billing entity")
        parser.add_argument("--until", type=date.fromisoformat, help="last accounting day (YYYY-MM-DD); default: all")
        parser.add_argument("--format", choices=["csv", "json"], default="csv")
        parser.add_argument("--output", default=".", help="folder to write the file into; default: this one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export and write."""
        folder = pathlib.Path(options["output"])
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        try:
            export = journal_exports.create(
                billing_entity_id=billing_entities.by_code(code=options["billing_entity"]).pk,
                until_date=options["until"],
                actor=actors.job("export_journal"),
                at=timezone.now(),
            )
        except errors.DomainError as refusal:
            raise CommandError(refusal.message) from None
        path = folder / journal_exports.file_name(export=export, kind=options["format"])
        with path.open("wb") as file:
            for piece in journal_exports.content(export=export, kind=options["format"]):
                file.write(piece)
        self.stdout.write(f"{path}: {export.entries_count} bookings, {export.late_count} of them late")
