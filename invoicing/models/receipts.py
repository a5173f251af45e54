"""Receipts: what a customer has in hand for money that was received. No workflow."""

from django.db import models

from config.kernel import db
from customers.models import BillingEntity
from invoicing.models.payments import Payment


class PaymentReceipt(db.Base):
    """The receipt of one payment, numbered by its seller without a gap.

    ``snapshot`` is all that its document says: seller and buyer, the invoices that were paid, language and time zone.
    It never changes.
    """

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="receipt")
    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="payment_receipts")
    sequential_id = models.PositiveBigIntegerField()
    number = models.CharField(max_length=64)
    snapshot = models.JSONField()

    class Meta:
        verbose_name = "payment receipt"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["billing_entity", "sequential_id"], name="invoicing_receipt_sequence"),
            models.UniqueConstraint(fields=["billing_entity", "number"], name="invoicing_receipt_number"),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="invoicing_receipt_recent")]

    def __str__(self) -> str:
        return self.number
