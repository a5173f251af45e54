"""Usage charges of a plan version, and the prices they set for some values of an event's properties."""

import uuid

from django.db import models

from catalog.models.metrics import BillableMetric
from catalog.models.plans import PlanVersion
from catalog.models.taxes import Tax
from config.kernel import db


class Charge(db.Base):
    """The price of one metric in one plan version.

    ``key`` stays the same over the versions of a plan: interfaces know a charge by it, and what a subscription was
    billed for is kept apart by it. ``properties`` are the price as the API gives it: decimals as strings.
    A ``prorated`` charge counts the days that units are there. ``min_amount_cents`` is the least that a whole period
    costs, in minor units of the version's currency.
    """

    class Model(models.TextChoices):
        STANDARD = "standard", "standard"
        GRADUATED = "graduated", "graduated"
        PACKAGE = "package", "package"
        VOLUME = "volume", "volume"
        PERCENTAGE = "percentage", "percentage"
        GRADUATED_PERCENTAGE = "graduated_percentage", "graduated percentage"
        DYNAMIC = "dynamic", "dynamic"

    key = models.UUIDField(default=uuid.uuid4, editable=False)
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="charges")
    metric = models.ForeignKey(BillableMetric, on_delete=models.PROTECT, related_name="charges")
    code = models.CharField(max_length=255)
    invoice_display_name = models.CharField(max_length=255, blank=True, default="")
    charge_model = models.CharField(max_length=32, choices=Model.choices)
    prorated = models.BooleanField(default=False)
    min_amount_cents = models.PositiveBigIntegerField(default=0)
    properties = models.JSONField(default=dict)
    position = models.PositiveIntegerField(default=0)
    taxes = models.ManyToManyField(Tax, blank=True, related_name="charges")

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["plan_version", "key"], name="catalog_charge_key"),
            models.UniqueConstraint(fields=["plan_version", "code"], name="catalog_charge_code"),
        ]

    def __str__(self) -> str:
        return self.invoice_display_name or self.code


class ChargeFilter(db.Base):
    """Another price for the events whose properties have these values: {key: [value, …]}."""

    key = models.UUIDField(default=uuid.uuid4, editable=False)
    charge = models.ForeignKey(Charge, on_delete=models.CASCADE, related_name="filters")
    invoice_display_name = models.CharField(max_length=255, blank=True, default="")
    values = models.JSONField(default=dict)
    properties = models.JSONField(default=dict)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["charge", "key"], name="catalog_charge_filter_key")]

    def __str__(self) -> str:
        return self.invoice_display_name or ", ".join(
            f"{key}: {'/'.join(map(str, v))}" for key, v in self.values.items()
        )
