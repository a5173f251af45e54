"""Rendered documents: the file that went out, with its digest."""

from django.db import models

from config.kernel import db
from invoicing.models.invoices import Invoice


class Document(db.Base):
    """The file of a finalized invoice. ``sha256`` is of its bytes; a document is rendered once and kept."""

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    file = models.FileField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["invoice", "kind"], name="invoicing_document_kind")]

    def __str__(self) -> str:
        return self.file.name
