"""Coupons that customers have."""

from django.db import models
from moneyed import Money

from catalog.models import Coupon
from config.kernel import db
from customers.models.customers import Customer


class AppliedCoupon(db.Base):
    """A coupon that a customer has, on terms of its own: an ``amount`` in one currency or a ``rate`` (a fraction).

    ``used_amount`` is what an amount took off so far: one that is used once may do so on several invoices until
    nothing is left. A recurring one is used on ``frequency_duration_remaining`` more invoices. ``ended_by`` says why it
    takes off nothing any more.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "active"
        TERMINATED = "terminated", "terminated"

    class EndedBy(models.TextChoices):
        NOTHING = "", "not ended"
        USE = "use", "used up"
        REMOVAL = "removal", "taken off"
        EXPIRY = "expiry", "expired"

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="applied")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="applied_coupons")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    ended_by = models.CharField(max_length=16, choices=EndedBy.choices, blank=True, default=EndedBy.NOTHING)
    currency = db.CurrencyField(blank=True, default="")
    amount = db.money_field(null=True, blank=True)
    used_amount = db.money_field("used", null=True, blank=True)
    rate = models.DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    frequency = models.CharField(max_length=16, choices=Coupon.Frequency.choices)
    frequency_duration = models.PositiveIntegerField(null=True, blank=True)
    frequency_duration_remaining = models.PositiveIntegerField(null=True, blank=True)
    terminated_at = models.DateTimeField(null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "applied coupon"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(amount__gt=0, used_amount__gte=0, rate__isnull=True) & ~models.Q(currency=""))
                | models.Q(amount__isnull=True, used_amount__isnull=True, currency="", rate__gt=0, rate__lte=1),
                name="customers_applied_coupon_terms",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    frequency="recurring",
                    frequency_duration__gt=0,
                    frequency_duration_remaining__gte=0,
                    frequency_duration_remaining__lte=models.F("frequency_duration"),
                )
                | models.Q(
                    frequency__in=["once", "forever"],
                    frequency_duration__isnull=True,
                    frequency_duration_remaining__isnull=True,
                ),
                name="customers_applied_coupon_frequency",
            ),
            models.CheckConstraint(
                condition=~models.Q(frequency="once")
                | models.Q(amount__isnull=True)
                | models.Q(used_amount__lte=models.F("amount")),
                name="customers_applied_coupon_used",
            ),
            models.CheckConstraint(
                condition=models.Q(status="active", terminated_at__isnull=True, ended_by="")
                | (models.Q(status="terminated", terminated_at__isnull=False) & ~models.Q(ended_by="")),
                name="customers_applied_coupon_status",
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer", "created_at"],
                condition=models.Q(status="active"),
                name="customers_coupon_active",
            ),
            models.Index(fields=["-created_at", "-id"], name="customers_coupon_recent"),
        ]

    def __str__(self) -> str:
        return self.coupon.name

    @property
    def left(self) -> Money | None:
        """What may still be taken off by an amount that is used once; None of all others."""
        if self.amount is None or self.frequency != Coupon.Frequency.ONCE:
            return None
        return self.amount - self.used_amount
