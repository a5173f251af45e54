"""What a subscription waits for before it runs."""

from django.db import models

from billing.models.subscriptions import Subscription
from config.kernel import db
from invoicing.models import Invoice


class ActivationRule(db.Base):
    """A payment without which a subscription does not run.

    While it is pending, the subscription's first ``invoice`` waits for the payment, until ``expires_at`` if that is
    set, and the subscription has not started: ``started_at`` and ``next_billing_date`` are what it gets when paid.
    """

    class Type(models.TextChoices):
        PAYMENT = "payment", "the first payment"

    class Status(models.TextChoices):
        INACTIVE = "inactive", "waits for the start"
        PENDING = "pending", "waits for the payment"
        SATISFIED = "satisfied", "paid"
        DECLINED = "declined", "declined"
        FAILED = "failed", "the payment failed"
        EXPIRED = "expired", "not paid in time"
        NOT_APPLICABLE = "not_applicable", "nothing was to be paid"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="activation_rules")
    type = models.CharField(max_length=16, choices=Type.choices, default=Type.PAYMENT)
    timeout_hours = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.INACTIVE)
    expires_at = models.DateTimeField(null=True)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, null=True, related_name="activation_rule")
    started_at = models.DateTimeField(null=True)
    next_billing_date = models.DateField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "type"], name="billing_activation_rule_type"),
            models.CheckConstraint(
                condition=~models.Q(status="pending")
                | models.Q(invoice__isnull=False, started_at__isnull=False, next_billing_date__isnull=False),
                name="billing_activation_rule_pending",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(status="pending", expires_at__isnull=False),
                name="billing_activation_rule_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} of {self.subscription}"
