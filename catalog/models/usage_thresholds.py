"""Usage thresholds of a plan version: amounts at which what was used so far is billed at once."""

import uuid

from django.db import models

from catalog.models.plans import PlanVersion
from config.kernel import db


class UsageThreshold(db.Base):
    """An amount of lifetime usage in minor units of the version's currency.

    A recurring one is a step beyond the highest of the others. ``key`` stays the same over the versions of a plan:
    interfaces know a threshold by it.
    """

    key = models.UUIDField(default=uuid.uuid4, editable=False)
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="usage_thresholds")
    amount_cents = models.PositiveBigIntegerField()
    recurring = models.BooleanField(default=False)
    name = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        verbose_name = "usage threshold"
        ordering = ["recurring", "amount_cents", "id"]
        constraints = [
            models.UniqueConstraint(fields=["plan_version", "key"], name="catalog_usage_threshold_key"),
            models.UniqueConstraint(
                fields=["plan_version", "amount_cents", "recurring"], name="catalog_usage_threshold_amount"
            ),
            models.UniqueConstraint(
                fields=["plan_version"],
                condition=models.Q(recurring=True),
                name="catalog_usage_threshold_recurring",
            ),
            models.CheckConstraint(condition=models.Q(amount_cents__gt=0), name="catalog_usage_threshold_positive"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.amount_cents)
