"""Usage thresholds of subscriptions themselves, those that were passed, and which subscriptions are to be looked at."""

import uuid

from django.db import models
from django.db.models import Q

from billing.models.subscriptions import Subscription
from config.kernel import db
from customers.models import Customer
from invoicing.models import Invoice


class SubscriptionThreshold(db.Base):
    """A usage threshold that was agreed on with a customer for a subscription, in place of its plan's.

    It goes for all subscriptions of the external id, through all changes of its plan, as lifetime usage does. Amounts
    are minor units of the subscription's currency.
    """

    key = models.UUIDField(default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="usage_thresholds")
    external_subscription_id = models.CharField(max_length=255)
    amount_cents = models.PositiveBigIntegerField()
    recurring = models.BooleanField(default=False)
    name = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        verbose_name = "usage threshold of a subscription"
        verbose_name_plural = "usage thresholds of subscriptions"
        ordering = ["recurring", "amount_cents", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "external_subscription_id", "amount_cents", "recurring"],
                name="billing_usage_threshold_amount",
            ),
            models.UniqueConstraint(
                fields=["customer", "external_subscription_id"],
                condition=Q(recurring=True),
                name="billing_usage_threshold_recurring",
            ),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="billing_usage_threshold_positive"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.amount_cents)


class AppliedUsageThreshold(db.Base):
    """A usage threshold that was passed: the fact that others are told of, and what it was billed by.

    What the threshold was is kept as it was then. ``invoiced_cents`` is the lifetime usage that was billed before,
    ``lifetime_cents`` all of it at that moment, ``usage_cents`` that of the period from ``period_from_at`` on, net and
    in minor units. Where nothing new was to be billed there is no invoice. The same threshold is passed once from a
    level.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="applied_usage_thresholds")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="applied_usage_thresholds")
    threshold_key = models.UUIDField()
    amount_cents = models.PositiveBigIntegerField()
    recurring = models.BooleanField(default=False)
    name = models.CharField(max_length=255, blank=True, default="")
    currency = db.CurrencyField()
    invoiced_cents = models.BigIntegerField()
    lifetime_cents = models.BigIntegerField()
    usage_cents = models.BigIntegerField()
    period_from_at = models.DateTimeField()
    period_to_at = models.DateTimeField()

    class Meta:
        verbose_name = "passed usage threshold"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "period_from_at", "threshold_key", "invoiced_cents"],
                name="billing_applied_threshold_once",
            ),
            models.CheckConstraint(
                condition=Q(lifetime_cents__gt=models.F("invoiced_cents")), name="billing_applied_threshold_grows"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.name or self.amount_cents}"


class ThresholdCursor(models.Model):
    """How far events were looked through for subscriptions with thresholds: a mark of transactions."""

    singleton = models.BooleanField(primary_key=True, default=True)
    position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(singleton=True), name="billing_threshold_cursor_single")]

    def __str__(self) -> str:
        return str(self.position)


class ThresholdCheck(db.Base):
    """A subscription whose usage is to be held against its thresholds. Gone when that is done."""

    subscription = models.OneToOneField(Subscription, on_delete=models.PROTECT, related_name="threshold_check")
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "check of usage thresholds"
        verbose_name_plural = "checks of usage thresholds"
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.subscription)
