"""Rendered documents: the file that went out, with its digest."""

from django.db import models

from config.kernel import db
from invoicing.models.credit_notes import CreditNote
from invoicing.models.invoices import Invoice
from invoicing.models.receipts import PaymentReceipt


class Document(db.Base):
    """A file of an issued invoice, credit note or receipt. ``sha256`` is of its bytes; it is rendered once and kept.

    The annex of a long invoice has all its lines, of which the PDF then shows the sums.
    """

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        ANNEX_CSV = "annex_csv", "annex, CSV"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="documents")
    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, null=True, related_name="documents")
    payment_receipt = models.ForeignKey(PaymentReceipt, on_delete=models.PROTECT, null=True, related_name="documents")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    file = models.FileField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "kind"], name="invoicing_document_kind"),
            models.UniqueConstraint(fields=["credit_note", "kind"], name="invoicing_document_credit_note_kind"),
            models.UniqueConstraint(fields=["payment_receipt", "kind"], name="invoicing_document_receipt_kind"),
            models.CheckConstraint(
                condition=models.Q(invoice__isnull=False, credit_note__isnull=True, payment_receipt__isnull=True)
                | models.Q(invoice__isnull=True, credit_note__isnull=False, payment_receipt__isnull=True)
                | models.Q(invoice__isnull=True, credit_note__isnull=True, payment_receipt__isnull=False),
                name="invoicing_document_of_one",
            ),
        ]

    def __str__(self) -> str:
        return self.file.name
