"""Corrections of invoices: who said what was right, why, which documents came of it, and what it did. Append-only."""

from django.db import models
from django.db.models import Q

from config.kernel import db
from invoicing.models.credit_notes import CreditNote
from invoicing.models.invoices import Invoice
from invoicing.models.lines import InvoiceLine


class Correction(db.Base):
    """A correction of one invoice, done once.

    ``asked`` is what was said to be right, ``plan`` what that asked for, ``effect`` what it did in figures.
    ``fingerprint`` is how the invoice stood before.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="corrections")
    reason = models.TextField()
    made_by = models.CharField(max_length=255)
    asked = models.JSONField()
    plan = models.JSONField()
    effect = models.JSONField()
    fingerprint = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True, unique=True, editable=False)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Correction of {self.invoice}"


class CorrectedLine(db.Base):
    """A line of an issued invoice before and after, in the terms of its price, and what made it so."""

    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="corrections")
    step = models.CharField(max_length=16)
    currency = db.CurrencyField()
    before_amount = db.money_field("before")
    after_amount = db.money_field("after")
    units = models.DecimalField(max_digits=40, decimal_places=15)
    unit_amount = models.DecimalField(max_digits=40, decimal_places=15)

    class Meta:
        verbose_name = "corrected line"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["correction", "line"], name="invoicing_corrected_line"),
            models.CheckConstraint(condition=Q(after_amount__gte=0), name="invoicing_corrected_line_amount"),
        ]

    def __str__(self) -> str:
        return str(self.line)


class CorrectionDocument(db.Base):
    """A document that a correction made: an invoice or a credit note."""

    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=32)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="corrects")
    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, null=True, related_name="corrects")

    class Meta:
        verbose_name = "document of a correction"
        verbose_name_plural = "documents of corrections"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["correction", "invoice"], name="invoicing_correction_invoice"),
            models.UniqueConstraint(fields=["correction", "credit_note"], name="invoicing_correction_note"),
            models.CheckConstraint(
                condition=Q(invoice__isnull=False, credit_note__isnull=True)
                | Q(invoice__isnull=True, credit_note__isnull=False),
                name="invoicing_correction_document_one",
            ),
        ]

    def __str__(self) -> str:
        return str(self.invoice or self.credit_note)
