"""Rehearsals of billing runs: every invoice that a run would make, why it differs from the last one, who agreed to it.

Owns also the rules by which an invoice is conspicuous, and the accounts that are parked.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from billing.models.runs import BillingRun
from config.kernel import db
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice


class Rehearsal(db.Base):
    """A billing run at the clock ``as_of`` that wrote no invoice.

    Signed off by a second person it can be billed: by the ``run``, which refuses what is not as it was agreed. Where an
    API key asked, ``behind`` are the ids of the people who know its secret: none of them is a second person.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting to be computed"
        RUNNING = "running", "being computed"
        READY = "ready", "to be reviewed"
        FAILED = "failed", "broken off"
        SIGNED_OFF = "signed_off", "signed off"
        BILLED = "billed", "billed"
        DROPPED = "dropped", "dropped"

    as_of = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    reason = models.TextField(blank=True, default="")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    requested_label = models.CharField(max_length=255)
    behind = models.JSONField(default=list, editable=False)
    customers_total = models.PositiveIntegerField(default=0)
    customers_done = models.PositiveIntegerField(default=0)
    invoices_count = models.PositiveIntegerField(default=0)
    flagged_count = models.PositiveIntegerField(default=0)
    failures_count = models.PositiveIntegerField(default=0)
    parked_count = models.PositiveIntegerField(default=0)
    computed_until = models.BigIntegerField(default=0, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, default="")
    signed_off_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    signed_off_at = models.DateTimeField(null=True, editable=False)
    remark = models.TextField(blank=True, default="")
    bill_asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    bill_asked_label = models.CharField(max_length=255, blank=True, default="")
    bill_asked_at = models.DateTimeField(null=True, editable=False)
    run = models.OneToOneField(BillingRun, on_delete=models.PROTECT, null=True, related_name="rehearsal")
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("start_rehearsal", "Can rehearse billing runs"),
            ("sign_off_rehearsal", "Can sign off rehearsed billing runs"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=["signed_off", "billed"], signed_off_at__isnull=False, signed_off_by__isnull=False
                )
                | ~Q(state__in=["signed_off", "billed"]),
                name="billing_rehearsal_signed_off",
            ),
            models.CheckConstraint(
                condition=Q(signed_off_by__isnull=True)
                | Q(requested_by__isnull=True)
                | ~Q(signed_off_by=models.F("requested_by")),
                name="billing_rehearsal_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"Rehearsal {self.pk}"


class RehearsedInvoice(db.Base):
    """An invoice that the run would make, or the reason why there would be none.

    The customer, the day, the seller, the currency and the order number find the real one again (``group_sha256``).
    ``inputs`` are digests by name of what it was computed from, ``inputs_sha256`` that of them all; ``lines`` and
    ``previous_lines`` what it says beside the one before; ``causes`` the difference to that by cause, in minor units;
    ``flags`` the rules that it met: {"rule", "kind", "says"}.
    """

    rehearsal = models.ForeignKey(Rehearsal, on_delete=models.PROTECT, related_name="invoices")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, null=True, related_name="+")
    billing_date = models.DateField(null=True)
    purchase_order_number = models.CharField(max_length=255, blank=True, default="")
    group_sha256 = models.CharField(max_length=64)
    currency = db.CurrencyField(blank=True, default="")
    subtotal_amount = db.money_field("before tax", null=True)
    tax_amount = db.money_field("tax", null=True)
    total_amount = db.money_field("total", null=True)
    due_amount = db.money_field("to be paid", null=True)
    previous = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="+")
    previous_subtotal_amount = db.money_field("last period, before tax", null=True)
    previous_amount = db.money_field("last period", null=True)
    expected_amount = db.money_field("agreed recurring value", null=True)
    difference_amount = db.money_field("difference", null=True)
    causes = models.JSONField(default=dict)
    flags = models.JSONField(default=list)
    is_flagged = models.BooleanField(default=False)
    lines = models.JSONField(default=list)
    previous_lines = models.JSONField(default=list)
    inputs = models.JSONField(default=dict)
    inputs_sha256 = models.CharField(max_length=64, blank=True, default="")
    error_code = models.CharField(max_length=255, blank=True, default="")
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "rehearsed invoice"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["rehearsal", "group_sha256"], name="billing_rehearsed_invoice_once"),
        ]
        indexes = [
            models.Index(fields=["rehearsal", "customer"], name="billing_rehearsed_customer"),
            models.Index(fields=["rehearsal", "id"], condition=Q(is_flagged=True), name="billing_rehearsed_flagged"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} {self.billing_date}" if self.billing_date else str(self.customer)


class OutlierRule(db.Base):
    """When a rehearsed invoice is conspicuous. ``factor`` is of last period's amount, ``amount`` in ``currency``."""

    class Kind(models.TextChoices):
        TIMES_MORE = "times_more", "so many times last period"
        TIMES_LESS = "times_less", "less than this part of last period"
        NEGATIVE = "negative", "negative"
        ZERO_USAGE = "zero_usage", "no usage where there always was some"
        NEW_TAX = "new_tax", "another tax treatment"
        NO_PURCHASE_ORDER = "no_purchase_order", "no purchase order number where there was one"
        ABOVE_AMOUNT = "above_amount", "above an amount"
        OFF_CONTRACT = "off_contract", "off the agreed recurring value by this part"

    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=32, choices=Kind.choices)
    factor = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)
    currency = db.CurrencyField(blank=True, default="")
    amount = db.money_field("amount", null=True, blank=True)
    is_active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "outlier rule"
        ordering = ["kind", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind__in=["times_more", "times_less", "off_contract"]) | Q(factor__gt=0),
                name="billing_outlier_rule_factor",
            ),
            models.CheckConstraint(
                condition=~Q(kind="above_amount") | Q(amount__isnull=False) & ~Q(currency=""),
                name="billing_outlier_rule_amount",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ParkedAccount(db.Base):
    """A customer whom no billing run bills until it is released, or until the day ``until`` comes."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="parkings")
    reason = models.TextField()
    parked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    parked_label = models.CharField(max_length=255)
    parked_at = models.DateTimeField()
    until = models.DateField(null=True, blank=True)
    rehearsal = models.ForeignKey(Rehearsal, on_delete=models.PROTECT, null=True, related_name="parkings")
    released_label = models.CharField(max_length=255, blank=True, default="")
    released_at = models.DateTimeField(null=True, editable=False)
    release_reason = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "parked account"
        ordering = ["-parked_at", "-id"]
        permissions = [("park_account", "Can park accounts and release them")]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(released_at__isnull=True), name="billing_parked_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="billing_parked_reason"),
        ]

    def __str__(self) -> str:
        return str(self.customer)
