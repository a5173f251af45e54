"""Wallets and usage: who is to be looked at, alerts on wallets and what they told, and each time that a rule fired.

The wallets themselves, with their ongoing balance and their rules, are invoicing's.
"""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from config.kernel import db
from customers.models import Customer
from invoicing.models import RecurringTransactionRule, Wallet

_PLACES = {"max_digits": 40, "decimal_places": 15}


class WalletCursor(models.Model):
    """How far events were looked through for customers with wallets: a mark of transactions."""

    singleton = models.BooleanField(primary_key=True, default=True)
    position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(singleton=True), name="billing_wallet_cursor_single")]

    def __str__(self) -> str:
        return str(self.position)


class WalletCheck(db.Base):
    """A customer whose wallets are to be looked at. Gone when that is done.

    There may be several of one customer: whoever writes one waits for nobody, and keeps nobody waiting.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="wallet_checks")
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "check of wallets"
        verbose_name_plural = "checks of wallets"
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.customer)


class WalletDepletion(db.Base):
    """Current usage left nothing of a wallet: the fact that others are told of, once until something is left again."""

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="depletions")
    number = models.PositiveIntegerField()
    currency = db.CurrencyField()
    ongoing_balance_amount = db.money_field("ongoing balance")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["wallet", "number"], name="billing_wallet_depletion_once"),
            models.CheckConstraint(condition=Q(ongoing_balance_amount__lte=0), name="billing_wallet_depletion_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.wallet} {self.number}"


class TopUpFiring(db.Base):
    """A rule that came to top up its wallet, with the figures that it went by, in credits. Append-only.

    ``day`` is the local day of an interval rule, for which it fires once. It may have found that nothing lacked, or
    have been refused for ``reason``.
    """

    class Outcome(models.TextChoices):
        TOPPED_UP = "topped_up", "topped up"
        NOTHING = "nothing", "nothing lacked"
        REFUSED = "refused", "refused"

    rule = models.ForeignKey(RecurringTransactionRule, on_delete=models.PROTECT, related_name="firings")
    number = models.PositiveIntegerField()
    day = models.DateField(null=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    reason = models.TextField(blank=True, default="")
    ongoing_credits = models.DecimalField(**_PLACES)
    pending_credits = models.DecimalField(**_PLACES)
    paid_credits = models.DecimalField(default=Decimal, **_PLACES)
    granted_credits = models.DecimalField(default=Decimal, **_PLACES)

    class Meta:
        verbose_name = "firing of a top-up rule"
        verbose_name_plural = "firings of top-up rules"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="billing_top_up_firing_once"),
            models.UniqueConstraint(
                fields=["rule", "day"], condition=Q(day__isnull=False), name="billing_top_up_firing_day"
            ),
            models.CheckConstraint(
                condition=Q(outcome="topped_up") & (Q(paid_credits__gt=0) | Q(granted_credits__gt=0))
                | ~Q(outcome="topped_up"),
                name="billing_top_up_firing_credits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.number}"


class WalletAlert(db.Base):
    """Values of a wallet that somebody wants to hear of when it falls to them.

    Values are minor units of the wallet's currency, or credits. ``previous_value`` is what was seen last; ``firings``
    counts how often thresholds were crossed. A deleted one is kept with what it told.
    """

    class Type(models.TextChoices):
        BALANCE_AMOUNT = "wallet_balance_amount", "balance"
        CREDITS_BALANCE = "wallet_credits_balance", "credits"
        ONGOING_BALANCE_AMOUNT = "wallet_ongoing_balance_amount", "ongoing balance"
        CREDITS_ONGOING_BALANCE = "wallet_credits_ongoing_balance", "ongoing credits"

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="alerts")
    alert_type = models.CharField(max_length=64, choices=Type.choices)
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="")
    previous_value = models.DecimalField(**_PLACES)
    last_processed_at = models.DateTimeField(null=True, editable=False)
    firings = models.PositiveIntegerField(default=0, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "code"], condition=Q(deleted_at__isnull=True), name="billing_wallet_alert_code"
            ),
            models.UniqueConstraint(
                fields=["wallet", "alert_type"], condition=Q(deleted_at__isnull=True), name="billing_wallet_alert_type"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class WalletAlertThreshold(db.Base):
    """A value of an alert on a wallet; a recurring one is a step below the lowest of the others."""

    alert = models.ForeignKey(WalletAlert, on_delete=models.PROTECT, related_name="thresholds")
    code = models.CharField(max_length=255, blank=True, default="")
    value = models.DecimalField(**_PLACES)
    recurring = models.BooleanField(default=False)

    class Meta:
        ordering = ["recurring", "-value", "id"]
        constraints = [
            models.UniqueConstraint(fields=["alert", "value", "recurring"], name="billing_wallet_threshold_value"),
            models.UniqueConstraint(
                fields=["alert"], condition=Q(recurring=True), name="billing_wallet_threshold_recurring"
            ),
            models.CheckConstraint(
                condition=Q(recurring=True, value__gt=0) | Q(recurring=False, value__gte=0),
                name="billing_wallet_threshold_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.code or str(self.value)


class TriggeredWalletAlert(db.Base):
    """An alert on a wallet that fired: the fact that others are told of, with the thresholds that the value fell to.

    What the alert was is kept as it was then. ``crossed`` has code, value (as text) and whether it recurs of each.
    ``number`` counts the firings of the alert: the same move is told once. Amounts are minor units of ``currency``.
    """

    alert = models.ForeignKey(WalletAlert, on_delete=models.PROTECT, related_name="triggered")
    number = models.PositiveIntegerField()
    alert_type = models.CharField(max_length=64, choices=WalletAlert.Type.choices)
    alert_code = models.CharField(max_length=255)
    alert_name = models.CharField(max_length=255, blank=True, default="")
    currency = db.CurrencyField()
    previous_value = models.DecimalField(**_PLACES)
    current_value = models.DecimalField(**_PLACES)
    crossed = models.JSONField()
    triggered_at = models.DateTimeField()

    class Meta:
        ordering = ["-triggered_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["alert", "number"], name="billing_triggered_wallet_alert_once"),
            models.CheckConstraint(
                condition=Q(current_value__lt=F("previous_value")), name="billing_triggered_wallet_alert_falls"
            ),
        ]
        indexes = [models.Index(fields=["-triggered_at", "-id"], name="billing_triggered_wallet_at")]

    def __str__(self) -> str:
        return self.alert_name or self.alert_code
