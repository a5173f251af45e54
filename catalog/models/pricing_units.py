"""Pricing units: credits, tokens and the like, in which a charge may be priced before it becomes money."""

from django.db import models

from config.kernel import db


class PricingUnit(db.Base):
    """A unit of account of the seller's own. What one is worth is agreed by each charge that is priced in it."""

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    short_name = models.CharField(max_length=3)
    description = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "pricing unit"
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["code"], name="catalog_pricing_unit_code")]

    def __str__(self) -> str:
        return self.name
