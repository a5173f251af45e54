"""Payment requests: overdue invoices of a customer that are asked for together. No workflow."""

from django.db import models

from config.kernel import db
from customers.models import BillingEntity, Customer
from invoicing.models.invoices import Invoice


class PaymentRequest(db.Base):
    """Overdue invoices of one customer, seller and currency, asked for in one sum.

    ``amount`` is what was due and not disputed when it was asked for, and stays. ``payment_status`` is succeeded once
    nothing of its invoices is due any more, whichever payments did that. ``email`` is where it was sent, empty where
    nobody could be written to.
    """

    class PaymentStatus(models.TextChoices):
        PENDING = "pending", "pending"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payment_requests")
    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="payment_requests")
    currency = db.CurrencyField()
    amount = db.money_field()
    email = models.CharField(max_length=1000, blank=True, default="")
    payment_status = models.CharField(
        max_length=16, choices=PaymentStatus.choices, default=PaymentStatus.PENDING, editable=False
    )
    paid_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "payment request"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_payment_request_amount"),
            models.CheckConstraint(
                condition=models.Q(payment_status="succeeded", paid_at__isnull=False)
                | (~models.Q(payment_status="succeeded") & models.Q(paid_at__isnull=True)),
                name="invoicing_payment_request_paid_at",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="invoicing_request_recent")]

    def __str__(self) -> str:
        return f"Payment request of {self.amount}"


class PaymentRequestInvoice(db.Base):
    """An invoice of a payment request, with what of it was asked for."""

    payment_request = models.ForeignKey(PaymentRequest, on_delete=models.PROTECT, related_name="parts")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payment_request_parts")
    currency = db.CurrencyField()
    amount = db.money_field()

    class Meta:
        verbose_name = "invoice of a payment request"
        verbose_name_plural = "invoices of payment requests"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payment_request", "invoice"], name="invoicing_payment_request_once"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_payment_request_part"),
        ]

    def __str__(self) -> str:
        return str(self.amount)
