"""Payments and what they pay."""

from django.db import models

from config.kernel import db
from customers.models import Customer
from invoicing.models.invoices import Invoice
from invoicing.models.payment_requests import PaymentRequest


class Payment(db.Base):
    """Money received from a customer, recorded by a person or an API client.

    ``payment_request`` is the one that asked for it, where its invoices were asked for together.
    """

    class Kind(models.TextChoices):
        MANUAL = "manual", "manual"

    class Status(models.TextChoices):
        SUCCEEDED = "succeeded", "succeeded"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="payments")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.MANUAL)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.SUCCEEDED)
    currency = db.CurrencyField()
    amount = db.money_field()
    reference = models.CharField(max_length=255)
    payment_request = models.ForeignKey(
        PaymentRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="payments"
    )
    paid_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=255, null=True, blank=True, unique=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_payment_amount")]
        indexes = [models.Index(fields=["-created_at", "-id"], name="invoicing_payment_recent")]

    def __str__(self) -> str:
        return f"{self.reference or 'Payment'} {self.amount}"


class PaymentAllocation(db.Base):
    """The part of a payment that pays one invoice."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    currency = db.CurrencyField()
    amount = db.money_field()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "invoice"], name="invoicing_allocation"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_allocation_amount"),
        ]

    def __str__(self) -> str:
        return str(self.amount)
