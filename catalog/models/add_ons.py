"""Add-ons: what is sold by the piece, on its own or as a fixed charge of a plan."""

from django.db import models

from catalog.models.taxes import Tax
from config.kernel import db


class AddOn(db.Base):
    """Something with a price of its own. ``amount`` is the price of one, where whoever sells it names no other.

    ``tax_inclusive`` says that its price is gross, where it is sold on its own.
    """

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    invoice_display_name = models.CharField(max_length=255, blank=True, default="")
    description = models.TextField(blank=True, default="")
    currency = db.CurrencyField()
    amount = db.money_field()
    tax_inclusive = models.BooleanField(default=False)
    taxes = models.ManyToManyField(Tax, blank=True, related_name="add_ons")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "add-on"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(deleted_at__isnull=True), name="catalog_add_on_code"
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="catalog_add_on_amount"),
        ]

    def __str__(self) -> str:
        return self.name
