"""Coupons: what may be taken off invoices before taxes. Who has one is the customers app's."""

from django.db import models

from catalog.models.metrics import BillableMetric
from catalog.models.plans import Plan
from config.kernel import db


class Coupon(db.Base):
    """An offer to take an ``amount`` in one currency, or a ``rate`` (a fraction) of what is billed, off invoices.

    It does so once, on ``frequency_duration`` invoices, or on every one. With ``plans`` it lowers what is billed of
    these plans alone, with ``metrics`` the usage of these metrics alone; it never has both. It may be applied until it
    is terminated; from ``expires_at`` on it takes off nothing any more. One that is not reusable is applied to a
    customer once.
    """

    class Kind(models.TextChoices):
        FIXED_AMOUNT = "fixed_amount", "amount"
        PERCENTAGE = "percentage", "percentage"

    class Frequency(models.TextChoices):
        ONCE = "once", "once"
        RECURRING = "recurring", "on some invoices"
        FOREVER = "forever", "on every invoice"

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    currency = db.CurrencyField(blank=True, default="")
    amount = db.money_field(null=True, blank=True)
    rate = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    frequency = models.CharField(max_length=16, choices=Frequency.choices)
    frequency_duration = models.PositiveIntegerField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    is_reusable = models.BooleanField(default=True)
    plans = models.ManyToManyField(Plan, blank=True, related_name="coupons")
    metrics = models.ManyToManyField(BillableMetric, blank=True, related_name="coupons")
    terminated_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("terminate_coupon", "Can terminate coupon")]
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(deleted_at__isnull=True), name="catalog_coupon_code"
            ),
            models.CheckConstraint(
                condition=(models.Q(kind="fixed_amount", amount__gt=0, rate__isnull=True) & ~models.Q(currency=""))
                | models.Q(kind="percentage", amount__isnull=True, currency="", rate__gt=0, rate__lte=1),
                name="catalog_coupon_terms",
            ),
            models.CheckConstraint(
                condition=models.Q(frequency="recurring", frequency_duration__gt=0)
                | models.Q(frequency__in=["once", "forever"], frequency_duration__isnull=True),
                name="catalog_coupon_frequency",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(expires_at__isnull=False, deleted_at__isnull=True),
                name="catalog_coupon_expiry",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether it may be applied, as far as is written: one that expired is terminated by the hour."""
        return self.terminated_at is None and self.deleted_at is None
