"""`manage.py load_vat_rates [FILE]`: load the rates of VAT that come with the product, or a newer list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from catalog.services import vat_rates
from config.kernel import actors, errors


class Command(BaseCommand):
    """Load rates of VAT."""

    help = "Loads the standard rates of VAT of the EU and its territories, and gives the taxes the rates of today."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a file in the format vat-rates/1."""
        parser.add_argument("file", nargs="?", type=Path, default=vat_rates.PACKAGED, help="a newer list")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the list and say what changed."""
        try:
            loaded = vat_rates.load(actor=actors.SYSTEM, at=timezone.now(), path=options["file"])
        except errors.DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{loaded.rates} rates loaded, {loaded.taxes} taxes made or changed.")
