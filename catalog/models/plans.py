"""Plans and their versions. A version that somebody bought is never edited: a change is a new version."""

from django.db import models

from catalog.models.taxes import Tax
from config.kernel import db


class Plan(db.Base):
    """What is offered under a code. Price and charges are those of its versions."""

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    invoice_display_name = models.CharField(max_length=255, blank=True, default="")
    description = models.TextField(blank=True, default="")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(deleted_at__isnull=True), name="catalog_plan_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlanVersion(db.Base):
    """One price list of a plan. ``amount`` is the fee of a whole interval, billed in arrears."""

    class Interval(models.TextChoices):
        WEEKLY = "weekly", "weekly"
        MONTHLY = "monthly", "monthly"
        QUARTERLY = "quarterly", "quarterly"
        SEMIANNUAL = "semiannual", "half-yearly"
        YEARLY = "yearly", "yearly"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    is_current = models.BooleanField(default=True)
    interval = models.CharField(max_length=16, choices=Interval.choices)
    currency = db.CurrencyField()
    amount = db.money_field()
    taxes = models.ManyToManyField(Tax, blank=True, related_name="plan_versions")

    class Meta:
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="catalog_plan_version_number"),
            models.UniqueConstraint(
                fields=["plan"], condition=models.Q(is_current=True), name="catalog_plan_version_current"
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="catalog_plan_version_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"
