"""Tax rates that documents apply."""

from django.db import models

from config.kernel import db


class Tax(db.Base):
    """A tax. ``rate`` is a fraction: 0.19 for 19 %."""

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    rate = models.DecimalField(max_digits=12, decimal_places=8)
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
