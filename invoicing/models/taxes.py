"""The taxes of an invoice: one group for each tax, rounded once."""

from django.db import models

from catalog.models import Tax
from config.kernel import db
from invoicing.models.invoices import Invoice


class InvoiceTax(db.Base):
    """One tax group of an invoice: its net base and its tax. ``rate`` is a fraction."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="applied_taxes")
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT, related_name="+")
    tax_code = models.CharField(max_length=255)
    tax_name = models.CharField(max_length=255)
    tax_description = models.TextField(blank=True, default="")
    rate = models.DecimalField(max_digits=12, decimal_places=8)
    currency = db.CurrencyField()
    base_amount = db.money_field()
    amount = db.money_field()

    class Meta:
        verbose_name = "invoice tax"
        verbose_name_plural = "invoice taxes"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["invoice", "tax"], name="invoicing_invoice_tax")]

    def __str__(self) -> str:
        return self.tax_name
