"""What a subscription used before it was billed here."""

from django.db import models
from django.utils import timezone

from config.kernel import db
from customers.models import Customer


class LifetimeUsage(db.Base):
    """What a customer's subscription of an external id used in an earlier system, through all changes of its plan.

    In minor units of the subscription's currency; it counts with what is billed here, and is never billed itself. There
    is no row where nothing was told.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="lifetime_usages")
    external_subscription_id = models.CharField(max_length=255)
    historical_amount_cents = models.PositiveBigIntegerField(default=0)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "lifetime usage"
        verbose_name_plural = "lifetime usages"
        constraints = [
            models.UniqueConstraint(fields=["customer", "external_subscription_id"], name="billing_lifetime_usage_once")
        ]

    def __str__(self) -> str:
        return self.external_subscription_id
