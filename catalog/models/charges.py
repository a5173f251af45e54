"""Usage charges of a plan version, and the prices they set for some values of an event's properties."""

import uuid

from django.db import models

from catalog.models.metrics import BillableMetric
from catalog.models.plans import PlanVersion
from catalog.models.pricing_units import PricingUnit
from catalog.models.taxes import Tax
from config.kernel import db


class Charge(db.Base):
    """The price of one metric in one plan version.

    ``key`` stays the same over the versions of a plan: interfaces know a charge by it, and what a subscription was
    billed for is kept apart by it. ``properties`` are the price as the API gives it: decimals as strings.
    A ``prorated`` charge counts the days that units are there. ``min_amount_cents`` is the least that a whole period
    costs, in minor units of the version's currency.

    One that is paid in advance is billed event by event: on an invoice of its own at once, or, unless ``invoiceable``,
    as a fee that stands alone; ``regroup_paid_fees`` gathers those that were paid on one invoice later. The price may
    be in a ``pricing_unit``, of which one is worth ``conversion_rate`` of the version's currency. ``tax_inclusive``
    says whether the price is gross; null is as the version.
    """

    class Regroup(models.TextChoices):
        NO = "", "no"
        INVOICE = "invoice", "on an invoice"

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
    pay_in_advance = models.BooleanField(default=False)
    invoiceable = models.BooleanField(default=True)
    regroup_paid_fees = models.CharField(max_length=16, choices=Regroup.choices, blank=True, default=Regroup.NO)
    prorated = models.BooleanField(default=False)
    pricing_unit = models.ForeignKey(PricingUnit, on_delete=models.PROTECT, null=True, related_name="charges")
    conversion_rate = models.DecimalField(max_digits=40, decimal_places=15, null=True)
    min_amount_cents = models.PositiveBigIntegerField(default=0)
    properties = models.JSONField(default=dict)
    position = models.PositiveIntegerField(default=0)
    tax_inclusive = models.BooleanField(null=True)
    taxes = models.ManyToManyField(Tax, blank=True, related_name="charges")

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["plan_version", "key"], name="catalog_charge_key"),
            models.UniqueConstraint(fields=["plan_version", "code"], name="catalog_charge_code"),
            models.CheckConstraint(
                condition=models.Q(invoiceable=True) | models.Q(pay_in_advance=True), name="catalog_charge_invoiceable"
            ),
            models.CheckConstraint(
                condition=models.Q(regroup_paid_fees="") | models.Q(invoiceable=False), name="catalog_charge_regroup"
            ),
            models.CheckConstraint(
                condition=models.Q(pay_in_advance=False) | models.Q(min_amount_cents=0),
                name="catalog_charge_advance_minimum",
            ),
            models.CheckConstraint(
                condition=models.Q(pay_in_advance=False) | ~models.Q(charge_model="volume"),
                name="catalog_charge_advance_model",
            ),
            models.CheckConstraint(
                condition=models.Q(pricing_unit__isnull=True, conversion_rate__isnull=True)
                | models.Q(pricing_unit__isnull=False, conversion_rate__gt=0),
                name="catalog_charge_conversion",
            ),
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
