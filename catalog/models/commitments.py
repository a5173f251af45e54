"""Minimum commitments of plan versions: what an interval costs at least."""

import uuid

from django.db import models

from catalog.models.plans import PlanVersion
from catalog.models.taxes import Tax
from config.kernel import db


class MinimumCommitment(db.Base):
    """What a whole interval of one plan version comes to at least, in minor units of the version's currency.

    ``key`` stays the same over the versions of a plan. Without taxes of its own the plan's apply.
    """

    key = models.UUIDField(default=uuid.uuid4, editable=False)
    plan_version = models.OneToOneField(PlanVersion, on_delete=models.CASCADE, related_name="minimum_commitment")
    amount_cents = models.PositiveBigIntegerField()
    invoice_display_name = models.CharField(max_length=255, blank=True, default="")
    taxes = models.ManyToManyField(Tax, blank=True, related_name="minimum_commitments")

    class Meta:
        verbose_name = "minimum commitment"
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_cents__gt=0), name="catalog_minimum_commitment_amount"),
        ]

    def __str__(self) -> str:
        return self.invoice_display_name or "Minimum commitment"
