"""Alerts on usage, spend caps and notices of ends: what was agreed, what was seen last, and each time that it was told.

Alerts and caps go for all subscriptions of an external id, through all changes of its plan.
"""

from django.db import models
from django.db.models import Q

from billing.models.subscriptions import Subscription
from catalog.models import BillableMetric
from config.kernel import db
from customers.models import Customer


class UsageAlert(db.Base):
    """Values of a subscription's usage that somebody wants to hear of when they are reached.

    Values are minor units of the subscription's currency, or units. ``previous_value`` is what was seen last, of
    ``subscription`` and in the period that ``period_from_at`` and ``period_to_at`` bound; ``firings`` counts how often
    thresholds were crossed. A deleted one is kept with what it told.
    """

    class Type(models.TextChoices):
        CURRENT_USAGE_AMOUNT = "current_usage_amount", "amount used in the period"
        LIFETIME_USAGE_AMOUNT = "lifetime_usage_amount", "amount used since the first day"
        METRIC_CURRENT_USAGE_AMOUNT = "billable_metric_current_usage_amount", "amount of a metric in the period"
        METRIC_CURRENT_USAGE_UNITS = "billable_metric_current_usage_units", "units of a metric in the period"
        METRIC_LIFETIME_USAGE_UNITS = "billable_metric_lifetime_usage_units", "units of a metric since the first day"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="usage_alerts")
    external_subscription_id = models.CharField(max_length=255)
    alert_type = models.CharField(max_length=64, choices=Type.choices)
    metric = models.ForeignKey(BillableMetric, on_delete=models.PROTECT, null=True, related_name="usage_alerts")
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="")
    previous_value = models.DecimalField(max_digits=40, decimal_places=15, default=0)
    last_processed_at = models.DateTimeField(null=True, editable=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, related_name="seen_alerts", editable=False
    )
    period_from_at = models.DateTimeField(null=True, editable=False)
    period_to_at = models.DateTimeField(null=True, editable=False)
    firings = models.PositiveIntegerField(default=0, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "external_subscription_id", "code"],
                condition=Q(deleted_at__isnull=True),
                name="billing_usage_alert_code",
            ),
            models.UniqueConstraint(
                fields=["customer", "external_subscription_id", "alert_type", "metric"],
                condition=Q(deleted_at__isnull=True),
                nulls_distinct=False,
                name="billing_usage_alert_type",
            ),
            models.CheckConstraint(
                condition=Q(alert_type__startswith="billable_metric_", metric__isnull=False)
                | ~Q(alert_type__startswith="billable_metric_") & Q(metric__isnull=True),
                name="billing_usage_alert_metric",
            ),
        ]
        indexes = [
            models.Index(
                fields=["external_subscription_id"],
                condition=Q(deleted_at__isnull=True),
                name="billing_usage_alert_external",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class AlertThreshold(db.Base):
    """A value of an alert; a recurring one is a step beyond the highest of the others."""

    alert = models.ForeignKey(UsageAlert, on_delete=models.PROTECT, related_name="thresholds")
    code = models.CharField(max_length=255, blank=True, default="")
    value = models.DecimalField(max_digits=40, decimal_places=15)
    recurring = models.BooleanField(default=False)

    class Meta:
        ordering = ["recurring", "value", "id"]
        constraints = [
            models.UniqueConstraint(fields=["alert", "value", "recurring"], name="billing_alert_threshold_value"),
            models.UniqueConstraint(
                fields=["alert"], condition=Q(recurring=True), name="billing_alert_threshold_recurring"
            ),
            models.CheckConstraint(condition=Q(value__gt=0), name="billing_alert_threshold_positive"),
        ]

    def __str__(self) -> str:
        return self.code or str(self.value)


class TriggeredAlert(db.Base):
    """An alert that fired: the fact that others are told of, with the thresholds that the value crossed by its move.

    What the alert was is kept as it was then. ``crossed`` has code, value (as text) and whether it recurs of each.
    ``number`` counts the firings of the alert: the same move is told once. Amounts are minor units of ``currency``.
    """

    alert = models.ForeignKey(UsageAlert, on_delete=models.PROTECT, related_name="triggered")
    number = models.PositiveIntegerField()
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="triggered_alerts")
    alert_type = models.CharField(max_length=64, choices=UsageAlert.Type.choices)
    alert_code = models.CharField(max_length=255)
    alert_name = models.CharField(max_length=255, blank=True, default="")
    metric_code = models.CharField(max_length=255, blank=True, default="")
    currency = db.CurrencyField()
    previous_value = models.DecimalField(max_digits=40, decimal_places=15)
    current_value = models.DecimalField(max_digits=40, decimal_places=15)
    crossed = models.JSONField()
    period_from_at = models.DateTimeField()
    period_to_at = models.DateTimeField()
    triggered_at = models.DateTimeField()

    class Meta:
        ordering = ["-triggered_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["alert", "number"], name="billing_triggered_alert_once"),
            models.CheckConstraint(
                condition=Q(current_value__gt=models.F("previous_value")), name="billing_triggered_alert_grows"
            ),
        ]
        indexes = [models.Index(fields=["-triggered_at", "-id"], name="billing_triggered_alert_at")]

    def __str__(self) -> str:
        return self.alert_name or self.alert_code


class SpendCap(db.Base):
    """How much usage a subscription is meant to have in a billing period, net, in minor units of its plan's currency.

    It refuses nothing: who sends usage is told once it is reached. ``spent_cents`` is what was used by
    ``last_processed_at`` in the period of ``subscription`` from ``period_from_at`` to ``period_to_at``;
    ``reached_at`` is when it was seen that this reached the cap, and goes for that period alone.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="spend_caps")
    external_subscription_id = models.CharField(max_length=255)
    amount_cents = models.PositiveBigIntegerField()
    spent_cents = models.BigIntegerField(default=0)
    last_processed_at = models.DateTimeField(null=True, editable=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, null=True, related_name="seen_caps", editable=False
    )
    period_from_at = models.DateTimeField(null=True, editable=False)
    period_to_at = models.DateTimeField(null=True, editable=False)
    reached_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "external_subscription_id"], name="billing_spend_cap_once"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="billing_spend_cap_positive"),
            models.CheckConstraint(
                condition=Q(reached_at__isnull=True) | Q(period_to_at__isnull=False),
                name="billing_spend_cap_period",
            ),
        ]
        indexes = [
            models.Index(fields=["external_subscription_id"], name="billing_spend_cap_external"),
            models.Index(
                fields=["external_subscription_id"],
                condition=Q(reached_at__isnull=False),
                name="billing_spend_cap_reached",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.external_subscription_id} {self.amount_cents}"


class AlertCursor(models.Model):
    """How far events were looked through for subscriptions with alerts and caps: a mark of transactions."""

    singleton = models.BooleanField(primary_key=True, default=True)
    position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(singleton=True), name="billing_alert_cursor_single")]

    def __str__(self) -> str:
        return str(self.position)


class AlertCheck(db.Base):
    """A subscription whose usage is to be held against its alerts and cap. Gone when that is done."""

    subscription = models.OneToOneField(Subscription, on_delete=models.PROTECT, related_name="alert_check")
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "check of alerts"
        verbose_name_plural = "checks of alerts"
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.subscription)


class SubscriptionNotice(db.Base):
    """A notice that a subscription comes to its agreed end: the fact that others are told of.

    One for each number of days before an end, once; an end that moved has notices of its own, and those of the one
    before are not shown any more.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="notices")
    ending_at = models.DateTimeField()
    days_before = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = "notice of an end"
        verbose_name_plural = "notices of ends"
        ordering = ["ending_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "ending_at", "days_before"], name="billing_subscription_notice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} in {self.days_before} days"
