"""Late usage: what came, or was corrected, after its time was billed, and what was decided about its money."""

from django.db import models
from django.db.models import F, Q

from billing.models.rated import BilledPeriod
from billing.models.subscriptions import Subscription
from catalog.models import Charge, ChargeFilter
from config.kernel import db
from invoicing.models import InvoiceLine


class LateUsage(db.Base):
    """The late usage of one charge, filter and group in one billed period: an entry of the inbox.

    ``settled_amount`` is what was billed or decided for it before, ``total_amount`` what all usage of the period comes
    to, ``amount`` what is open: less than nothing is the customer's. While it is held it follows the events; decided
    once, it stays, and what comes later makes another row for the rest. ``horizon`` is the mark up to which events were
    surely seen. What is to be billed waits for an invoice while it has no ``line``.
    """

    class State(models.TextChoices):
        HELD = "held", "held"
        TO_BILL = "to_bill", "billed with the next invoice"
        CORRECTED = "corrected", "corrected"
        WAIVED = "waived", "waived"
        NO_EFFECT = "no_effect", "no money effect"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="late_usage")
    period = models.ForeignKey(BilledPeriod, on_delete=models.PROTECT, related_name="late_usage")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="+")
    charge_filter = models.ForeignKey(ChargeFilter, on_delete=models.PROTECT, null=True, related_name="+")
    group = models.JSONField(default=dict, blank=True)
    is_true_up = models.BooleanField(default=False)
    item_key = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.HELD)
    currency = db.CurrencyField()
    settled_amount = db.money_field("settled before")
    total_amount = db.money_field("all usage")
    amount = db.money_field("open")
    settled_units = models.DecimalField(max_digits=40, decimal_places=15)
    total_units = models.DecimalField(max_digits=40, decimal_places=15)
    events_count = models.IntegerField()
    first_received_at = models.DateTimeField(null=True)
    last_received_at = models.DateTimeField(null=True)
    trace = models.JSONField()
    trace_sha256 = models.CharField(max_length=64)
    horizon = models.BigIntegerField()
    note = models.CharField(max_length=255, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.CharField(max_length=255, blank=True, default="")
    line = models.OneToOneField(InvoiceLine, on_delete=models.PROTECT, null=True, related_name="late_usage")
    credit_note_id = models.UUIDField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "late usage"
        verbose_name_plural = "late usage"
        ordering = ["-created_at", "-id"]
        permissions = [
            ("decide_lateusage", "Can decide about late usage"),
            ("set_lateusage_policy", "Can set the policy for late usage"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["period", "item_key"], condition=Q(state="held"), name="billing_late_usage_held_once"
            ),
            models.CheckConstraint(
                condition=Q(amount=F("total_amount") - F("settled_amount")), name="billing_late_usage_amount"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["held", "no_effect"], decided_at__isnull=True, line__isnull=True)
                | Q(state__in=["to_bill", "corrected", "waived"], decided_at__isnull=False),
                name="billing_late_usage_decided",
            ),
            models.CheckConstraint(
                condition=~Q(state="waived") | Q(line__isnull=True, credit_note_id__isnull=True),
                name="billing_late_usage_waived",
            ),
            models.CheckConstraint(
                condition=~Q(state="corrected") | Q(line__isnull=False) | Q(credit_note_id__isnull=False),
                name="billing_late_usage_corrected",
            ),
            models.CheckConstraint(
                condition=~Q(state="to_bill") | Q(credit_note_id__isnull=True), name="billing_late_usage_to_bill"
            ),
            models.CheckConstraint(condition=~Q(state="no_effect") | Q(amount=0), name="billing_late_usage_no_effect"),
        ]
        indexes = [
            models.Index(fields=["state", "-created_at"], name="billing_late_usage_inbox"),
            models.Index(
                fields=["subscription"],
                condition=Q(state="to_bill", line__isnull=True),
                name="billing_late_usage_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.charge} {self.period.billing_date}"


class LateUsageCursor(models.Model):
    """How far events were looked through for late ones: a mark of transactions, which no clock can move."""

    singleton = models.BooleanField(primary_key=True, default=True)
    position = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(singleton=True), name="billing_late_cursor_single")]

    def __str__(self) -> str:
        return str(self.position)


class LateUsageCheck(db.Base):
    """A billed period that has to be rated anew, because events came for it. Gone when that is done."""

    period = models.OneToOneField(BilledPeriod, on_delete=models.PROTECT, related_name="late_usage_check")
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "check of a billed period"
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.period)
