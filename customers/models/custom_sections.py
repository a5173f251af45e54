"""Custom sections: texts that documents carry below their totals. Where they apply is said by sellers and customers."""

from django.db import models

from config.kernel import db


class InvoiceCustomSection(db.Base):
    """A text for documents. ``display_name`` is its heading there, ``details`` what it says; ``name`` is for staff."""

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    display_name = models.CharField("heading", max_length=255, blank=True, default="")
    details = models.TextField(blank=True, default="")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "custom section"
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(deleted_at__isnull=True), name="customers_section_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name
