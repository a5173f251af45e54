"""Wallets: credits that customers bought or were given, and the rules that top them up. No workflow.

What goes in and out of a wallet is next door, in ``wallet_transactions``.
"""

from decimal import Decimal

from django.db import models

from catalog.models import BillableMetric
from config.kernel import db
from customers.models import BillingEntity, Customer

CREDIT_DIGITS = 30
CREDIT_PLACES = 5
"""Credits are kept with five decimals; what is finer is cut off."""


class Wallet(db.Base):
    """Credits of a customer in one currency. A credit is worth ``rate_amount`` of it; it pays invoices with their tax.

    Of two wallets that of the lower ``priority`` pays first, then the older. One with ``fee_types`` or metrics pays
    lines of these kinds, or of the usage of these metrics, alone. ``credits_balance`` and ``balance_amount`` are what
    settled transactions brought in less what they took out; ``consumed_…`` is what invoices took.

    The ongoing balance is the balance less the current usage that it will have to pay, as of ``ongoing_refreshed_at``;
    it may be negative, and ``depleted_ongoing_balance`` says that nothing is left of it.

    ``custom_section_ids`` are the texts of invoices for purchases, where the wallet has its own: null leaves them to
    its customer, an empty list is none at all. Its rule and a single purchase may have others.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "active"
        TERMINATED = "terminated", "terminated"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="wallets")
    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="wallets")
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    currency = db.CurrencyField()
    rate_amount = models.DecimalField("worth of one credit", max_digits=30, decimal_places=12)
    priority = models.PositiveSmallIntegerField(default=50)
    expiration_at = models.DateTimeField(null=True, blank=True)
    paid_top_up_min_amount = db.money_field("smallest purchase", null=True, blank=True)
    paid_top_up_max_amount = db.money_field("largest purchase", null=True, blank=True)
    fee_types = models.JSONField("kinds of lines", default=list, blank=True)
    billable_metrics = models.ManyToManyField(BillableMetric, blank=True, related_name="wallets")
    invoice_requires_successful_payment = models.BooleanField("issue invoices once they are paid", default=False)
    purchase_order_number = models.CharField(max_length=255, blank=True, default="")
    metadata = models.JSONField(default=dict, blank=True)
    custom_section_ids = models.JSONField(null=True, editable=False)
    credits_balance = models.DecimalField(
        "credits", max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES, default=Decimal
    )
    balance_amount = db.money_field("balance", default=Decimal)
    consumed_credits = models.DecimalField(max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES, default=Decimal)
    consumed_amount = db.money_field("consumed", default=Decimal)
    last_balance_sync_at = models.DateTimeField(null=True, editable=False)
    last_consumed_credit_at = models.DateTimeField(null=True, editable=False)
    credits_ongoing_balance = models.DecimalField(
        "ongoing credits", max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES, default=Decimal
    )
    ongoing_balance_amount = db.money_field("ongoing balance", default=Decimal)
    credits_ongoing_usage = models.DecimalField(
        "credits of current usage", max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES, default=Decimal
    )
    ongoing_usage_amount = db.money_field("current usage", default=Decimal)
    depleted_ongoing_balance = models.BooleanField(default=False, editable=False)
    ongoing_refreshed_at = models.DateTimeField(null=True, editable=False)
    terminated_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("top_up_wallet", "Can top up wallet"),
            ("void_wallet_credits", "Can void credits of a wallet"),
            ("terminate_wallet", "Can terminate wallet"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "code"], condition=models.Q(status="active"), name="invoicing_wallet_code"
            ),
            models.CheckConstraint(condition=models.Q(rate_amount__gt=0), name="invoicing_wallet_rate"),
            models.CheckConstraint(
                condition=models.Q(priority__gte=1, priority__lte=50), name="invoicing_wallet_priority"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    credits_balance__gte=0, balance_amount__gte=0, consumed_credits__gte=0, consumed_amount__gte=0
                ),
                name="invoicing_wallet_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(status="active", terminated_at__isnull=True)
                | models.Q(status="terminated", terminated_at__isnull=False),
                name="invoicing_wallet_terminated_at",
            ),
            models.CheckConstraint(
                condition=(models.Q(paid_top_up_min_amount__isnull=True) | models.Q(paid_top_up_min_amount__gt=0))
                & (models.Q(paid_top_up_max_amount__isnull=True) | models.Q(paid_top_up_max_amount__gt=0))
                & (
                    models.Q(paid_top_up_min_amount__isnull=True)
                    | models.Q(paid_top_up_max_amount__isnull=True)
                    | models.Q(paid_top_up_max_amount__gte=models.F("paid_top_up_min_amount"))
                ),
                name="invoicing_wallet_top_up_limits",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="invoicing_wallet_recent"),
            models.Index(
                fields=["customer", "priority", "created_at"],
                condition=models.Q(status="active"),
                name="invoicing_wallet_active",
            ),
            models.Index(
                fields=["expiration_at"],
                condition=models.Q(status="active", expiration_at__isnull=False),
                name="invoicing_wallet_expiring",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class RecurringTransactionRule(db.Base):
    """Tops up a wallet by itself: every ``interval``, or when its ongoing balance falls to ``threshold_credits``.

    A fixed rule adds the same credits each time, a target rule what lacks to ``target_ongoing_balance``: bought, or
    given with ``grants_target_top_up``. ``held_until`` is until when it waits after a purchase that was declined,
    ``warned_at`` when it last fired suspiciously often.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "active"
        TERMINATED = "terminated", "terminated"

    class Trigger(models.TextChoices):
        INTERVAL = "interval", "every interval"
        THRESHOLD = "threshold", "below a threshold"

    class Method(models.TextChoices):
        FIXED = "fixed", "the same each time"
        TARGET = "target", "up to a target"

    class Interval(models.TextChoices):
        NONE = "", "none"
        WEEKLY = "weekly", "weekly"
        MONTHLY = "monthly", "monthly"
        QUARTERLY = "quarterly", "quarterly"
        SEMIANNUAL = "semiannual", "half-yearly"
        YEARLY = "yearly", "yearly"

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="recurring_transaction_rules")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    method = models.CharField(max_length=16, choices=Method.choices, default=Method.FIXED)
    interval = models.CharField(max_length=16, choices=Interval.choices, blank=True, default=Interval.NONE)
    paid_credits = models.DecimalField(max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES, default=Decimal)
    granted_credits = models.DecimalField(max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES, default=Decimal)
    grants_target_top_up = models.BooleanField(default=False)
    threshold_credits = models.DecimalField(max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES, default=Decimal)
    target_ongoing_balance = models.DecimalField(
        max_digits=CREDIT_DIGITS, decimal_places=CREDIT_PLACES, null=True, blank=True
    )
    started_at = models.DateTimeField(null=True, blank=True)
    expiration_at = models.DateTimeField(null=True, blank=True)
    invoice_requires_successful_payment = models.BooleanField(default=False)
    ignore_paid_top_up_limits = models.BooleanField(default=False)
    purchase_order_number = models.CharField(max_length=255, blank=True, default="")
    transaction_name = models.CharField(max_length=255, blank=True, default="")
    transaction_metadata = models.JSONField(default=list, blank=True)
    custom_section_ids = models.JSONField(null=True, editable=False)
    held_until = models.DateTimeField(null=True, editable=False)
    warned_at = models.DateTimeField(null=True, editable=False)
    terminated_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "recurring top-up"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["wallet"], condition=models.Q(status="active"), name="invoicing_rule_one_active"
            ),
            models.CheckConstraint(
                condition=models.Q(trigger="interval") & ~models.Q(interval="")
                | models.Q(trigger="threshold", interval=""),
                name="invoicing_rule_interval",
            ),
            models.CheckConstraint(
                condition=~models.Q(method="target") | models.Q(target_ongoing_balance__isnull=False),
                name="invoicing_rule_target",
            ),
            models.CheckConstraint(
                condition=models.Q(paid_credits__gte=0, granted_credits__gte=0), name="invoicing_rule_credits"
            ),
            models.CheckConstraint(
                condition=models.Q(status="active", terminated_at__isnull=True)
                | models.Q(status="terminated", terminated_at__isnull=False),
                name="invoicing_rule_terminated_at",
            ),
        ]
        indexes = [
            models.Index(fields=["trigger", "id"], condition=models.Q(status="active"), name="invoicing_rule_active"),
        ]

    def __str__(self) -> str:
        return f"{self.get_trigger_display()} {self.wallet}"
