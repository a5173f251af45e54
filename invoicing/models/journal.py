"""Journal exports: what of the ledger was handed to a general ledger, with its files. Append-only."""

from django.db import models

from config.kernel import db
from customers.models import BillingEntity


class JournalExport(db.Base):
    """An export of a seller's journal: the entries up to ``last_known_id`` and ``until_date`` that none before it had.

    ``last_known_id`` is the booking sequence up to which everything was settled; ``until_date`` the last accounting
    day, or none. ``since_date`` is the first day of its period: entries of earlier days are late postings, counted in
    ``late_count``. ``totals`` are debits and credits by currency, as decimals in text.
    """

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="journal_exports")
    number = models.PositiveIntegerField()
    since_date = models.DateField(null=True)
    until_date = models.DateField(null=True)
    last_known_id = models.BigIntegerField()
    entries_count = models.PositiveBigIntegerField()
    late_count = models.PositiveBigIntegerField()
    first_entry_id = models.BigIntegerField(null=True)
    last_entry_id = models.BigIntegerField(null=True)
    totals = models.JSONField(default=dict)
    csv_sha256 = models.CharField(max_length=64)
    json_sha256 = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=255, null=True)

    class Meta:
        verbose_name = "journal export"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["billing_entity", "number"], name="invoicing_export_number"),
            models.UniqueConstraint(fields=["billing_entity", "until_date"], name="invoicing_export_period"),
            models.UniqueConstraint(fields=["billing_entity", "idempotency_key"], name="invoicing_export_key"),
        ]

    def __str__(self) -> str:
        return f"Journal {self.number}"


class JournalPart(db.Base):
    """A piece of an export's file, compressed. The pieces of a format in their order are the file."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        JSON = "json", "JSON"

    export = models.ForeignKey(JournalExport, on_delete=models.PROTECT, related_name="parts")
    format = models.CharField(max_length=8, choices=Format.choices)
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        verbose_name = "part of a journal export"
        verbose_name_plural = "parts of journal exports"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["export", "format", "position"], name="invoicing_journal_part")]

    def __str__(self) -> str:
        return f"{self.format} {self.position}"
