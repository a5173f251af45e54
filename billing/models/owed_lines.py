"""What was billed too little and waits for the next invoice."""

from django.db import models
from django.db.models import Q

from config.kernel import db
from customers.models import BillingEntity, Customer
from invoicing.models import CorrectedLine, InvoiceLine


class OwedLine(db.Base):
    """The difference of a corrected line, which the customer's next invoice of the same seller and currency bills.

    ``amount`` is in the terms of the corrected line's price. ``apart`` is the external id of the subscription whose
    invoices are shared with no other. ``line`` bills it; ``dropped_at`` says that nothing does, as the invoice that it
    corrects was voided.
    """

    corrected = models.OneToOneField(CorrectedLine, on_delete=models.PROTECT, related_name="owed")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="owed_lines")
    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="+")
    apart = models.CharField(max_length=255, blank=True, default="")
    currency = db.CurrencyField()
    amount = db.money_field()
    units = models.DecimalField(max_digits=40, decimal_places=15)
    unit_amount = models.DecimalField(max_digits=40, decimal_places=15)
    line = models.OneToOneField(InvoiceLine, on_delete=models.PROTECT, null=True, related_name="owed")
    dropped_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "line for the next invoice"
        verbose_name_plural = "lines for the next invoice"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="billing_owed_line_amount"),
            models.CheckConstraint(
                condition=Q(dropped_at__isnull=True) | Q(line__isnull=True), name="billing_owed_line_dropped"
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer"],
                condition=Q(line__isnull=True, dropped_at__isnull=True),
                name="billing_owed_line_waiting",
            ),
        ]

    def __str__(self) -> str:
        return str(self.corrected)
