"""Tax rates that documents apply."""

from django.db import models

from config.kernel import db


class Tax(db.Base):
    """A tax. ``rate`` is a fraction: 0.19 for 19 %.

    Its ``origin`` says who keeps it: people, the product (the EU's rates), or an engine that works taxes out.
    ``legal_note`` is printed on documents on which the tax stands, for example why it is nothing.
    """

    class Origin(models.TextChoices):
        MANUAL = "manual", "kept by hand"
        EU = "eu", "kept by the product: VAT of the EU"
        ENGINE = "engine", "told by a tax engine"

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    rate = models.DecimalField(max_digits=12, decimal_places=8)
    origin = models.CharField(max_length=16, choices=Origin.choices, default=Origin.MANUAL, editable=False)
    legal_note = models.TextField(blank=True, default="")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "taxes"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(deleted_at__isnull=True), name="catalog_tax_code"
            ),
            models.CheckConstraint(condition=models.Q(rate__gte=0), name="catalog_tax_rate_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name
