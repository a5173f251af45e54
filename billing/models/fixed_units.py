"""The number of units of fixed charges that subscriptions have, over time."""

import uuid

from django.db import models

from billing.models.subscriptions import Subscription
from config.kernel import db


class FixedChargeUnits(db.Base):
    """From ``effective_at`` on a subscription has this many units of a fixed charge. Rows are added, never changed.

    ``fixed_charge_key`` is the fixed charge's key, which outlives the versions of its plan. Among rows that take effect
    before the same moment the one written last counts. ``is_override`` says that the subscription agreed on a number of
    its own, which a change of the plan's does not touch. One that ``bills_at_once`` counts within a period that is paid
    in advance: what it adds has an invoice of its own.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="fixed_charge_units")
    fixed_charge_key = models.UUIDField(default=uuid.uuid4)
    units = models.DecimalField(max_digits=40, decimal_places=15)
    effective_at = models.DateTimeField()
    is_override = models.BooleanField(default=False)
    bills_at_once = models.BooleanField(default=False)

    class Meta:
        verbose_name = "units of a fixed charge"
        verbose_name_plural = "units of fixed charges"
        ordering = ["subscription", "fixed_charge_key", "created_at", "id"]
        permissions = [("change_units", "Can change the units of a subscription's fixed charges")]
        constraints = [models.CheckConstraint(condition=models.Q(units__gte=0), name="billing_fixed_units")]
        indexes = [
            models.Index(fields=["subscription", "fixed_charge_key", "effective_at"], name="billing_fixed_units_time"),
            models.Index(
                fields=["subscription"], condition=models.Q(bills_at_once=True), name="billing_fixed_units_at_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.units}"
