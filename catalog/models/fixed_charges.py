"""Fixed charges of a plan version: add-ons that come with the plan in a number that is agreed, not counted."""

import uuid

from django.db import models

from catalog.models.add_ons import AddOn
from catalog.models.plans import PlanVersion
from catalog.models.taxes import Tax
from config.kernel import db


class FixedCharge(db.Base):
    """The price of an agreed number of an add-on in one plan version.

    ``key`` stays the same over the versions of a plan. ``units`` is the number that a subscription has unless it agreed
    on another. A ``prorated`` one counts the days on which units are there.
    """

    class Model(models.TextChoices):
        STANDARD = "standard", "standard"
        GRADUATED = "graduated", "graduated"
        VOLUME = "volume", "volume"

    key = models.UUIDField(default=uuid.uuid4, editable=False)
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="fixed_charges")
    add_on = models.ForeignKey(AddOn, on_delete=models.PROTECT, related_name="fixed_charges")
    code = models.CharField(max_length=255)
    invoice_display_name = models.CharField(max_length=255, blank=True, default="")
    charge_model = models.CharField(max_length=32, choices=Model.choices)
    pay_in_advance = models.BooleanField(default=False)
    prorated = models.BooleanField(default=False)
    units = models.DecimalField(max_digits=40, decimal_places=15)
    properties = models.JSONField(default=dict)
    position = models.PositiveIntegerField(default=0)
    taxes = models.ManyToManyField(Tax, blank=True, related_name="fixed_charges")

    class Meta:
        verbose_name = "fixed charge"
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["plan_version", "key"], name="catalog_fixed_charge_key"),
            models.UniqueConstraint(fields=["plan_version", "code"], name="catalog_fixed_charge_code"),
            models.CheckConstraint(condition=models.Q(units__gte=0), name="catalog_fixed_charge_units"),
            models.CheckConstraint(
                condition=models.Q(pay_in_advance=False)
                | models.Q(charge_model="standard")
                | models.Q(charge_model="graduated", prorated=False),
                name="catalog_fixed_charge_advance",
            ),
        ]

    def __str__(self) -> str:
        return self.invoice_display_name or self.code
