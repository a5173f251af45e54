"""Subscriptions: which customer bought which plan version, from when and how it is billed."""

from django.db import models

from catalog.models import PlanVersion
from config.kernel import db
from customers.models import Customer


class Subscription(db.Base):
    """A customer's contract on one plan version.

    ``subscription_at`` anchors anniversary periods; service runs from ``started_at`` until ``terminated_at``.
    ``next_billing_date`` is the local date of the oldest unbilled billing day, kept by the services. Until
    ``trial_ends_at`` no plan fee is billed; ``trial_ended_at`` says that its end was dealt with.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        ACTIVE = "active", "active"
        TERMINATED = "terminated", "terminated"
        CANCELED = "canceled", "canceled"

    class BillingTime(models.TextChoices):
        CALENDAR = "calendar", "calendar"
        ANNIVERSARY = "anniversary", "anniversary"

    class BackdatedBilling(models.TextChoices):
        SKIP = "skip", "from the next renewal on"
        BILL = "bill", "elapsed periods too"

    class OnTermination(models.TextChoices):
        GENERATE = "generate", "make a last invoice"
        SKIP = "skip", "no last invoice"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="subscriptions")
    external_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status.choices)
    billing_time = models.CharField(max_length=16, choices=BillingTime.choices, default=BillingTime.CALENDAR)
    backdated_billing = models.CharField(max_length=8, choices=BackdatedBilling.choices, default=BackdatedBilling.SKIP)
    subscription_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ending_at = models.DateTimeField(null=True, blank=True)
    trial_ends_at = models.DateTimeField(null=True, editable=False)
    trial_ended_at = models.DateTimeField(null=True, editable=False)
    terminated_at = models.DateTimeField(null=True, editable=False)
    canceled_at = models.DateTimeField(null=True, editable=False)
    on_termination_invoice = models.CharField(
        max_length=16, choices=OnTermination.choices, default=OnTermination.GENERATE
    )
    next_billing_date = models.DateField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("terminate_subscription", "Can terminate subscription")]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                condition=models.Q(status__in=["pending", "active"]),
                name="billing_subscription_external_id",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["active", "terminated"]) | models.Q(started_at__isnull=False),
                name="billing_subscription_started",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="terminated") | models.Q(terminated_at__isnull=False),
                name="billing_subscription_terminated",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="canceled") | models.Q(canceled_at__isnull=False),
                name="billing_subscription_canceled",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="active") | models.Q(next_billing_date__isnull=False),
                name="billing_subscription_next_billing_date",
            ),
        ]
        indexes = [
            models.Index(fields=["external_id", "-created_at"], name="billing_subscription_external"),
            models.Index(
                fields=["next_billing_date", "customer"],
                condition=models.Q(next_billing_date__isnull=False),
                name="billing_subscription_due",
            ),
            models.Index(
                fields=["trial_ends_at"],
                condition=models.Q(status="active", trial_ended_at__isnull=True, trial_ends_at__isnull=False),
                name="billing_subscription_trial",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id
