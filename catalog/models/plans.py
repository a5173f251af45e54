"""Plans and their versions. A version that somebody bought is never edited: a change is a new version."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models

from catalog.models.taxes import Tax
from config.kernel import db


class Plan(db.Base):
    """What is offered under a code. Price and charges are those of its versions.

    ``metadata`` are notes of engineers, by key. From ``deletion_asked_at`` on nobody can buy it any more: it is retired
    as soon as those who have it have ended.
    """

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    invoice_display_name = models.CharField(max_length=255, blank=True, default="")
    description = models.TextField(blank=True, default="")
    metadata = models.JSONField(default=dict, blank=True, editable=False)
    deletion_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
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
    """One price list of a plan. ``amount`` is the fee of a whole interval, billed before it or when it is over.

    ``tax_inclusive`` says that its prices are gross: fee, fixed charges, and usage but for charges that say otherwise.
    ``trial_period`` is the number of days, from the start of a subscription, for which no fee is billed.
    ``bill_charges_monthly`` bills the usage of half-years and years every month, ``bill_fixed_charges_monthly`` their
    fixed charges.

    A version with a ``base`` is private: made of the base with other terms (``overrides``, as they were asked for), for
    one contract; it is never sold and never current. One that ``is_scheduled`` is sold from its ``effective_at`` on,
    unless it is withdrawn before; there is one at most. One that ``moves_existing`` was given to everybody who had the
    plan when it came; else they kept theirs.
    """

    class Interval(models.TextChoices):
        WEEKLY = "weekly", "weekly"
        MONTHLY = "monthly", "monthly"
        QUARTERLY = "quarterly", "quarterly"
        SEMIANNUAL = "semiannual", "half-yearly"
        YEARLY = "yearly", "yearly"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    is_current = models.BooleanField(default=True)
    base = models.ForeignKey("self", on_delete=models.PROTECT, null=True, editable=False, related_name="private")
    overrides = models.JSONField(default=dict, editable=False)
    effective_at = models.DateTimeField(null=True, editable=False)
    is_scheduled = models.BooleanField(default=False, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    moves_existing = models.BooleanField(default=True, editable=False)
    interval = models.CharField(max_length=16, choices=Interval.choices)
    currency = db.CurrencyField()
    amount = db.money_field()
    pay_in_advance = models.BooleanField(default=False)
    trial_period = models.DecimalField(max_digits=10, decimal_places=5, default=Decimal(0))
    bill_charges_monthly = models.BooleanField(default=False)
    bill_fixed_charges_monthly = models.BooleanField(default=False)
    tax_inclusive = models.BooleanField(default=False)
    taxes = models.ManyToManyField(Tax, blank=True, related_name="plan_versions")

    class Meta:
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="catalog_plan_version_number"),
            models.UniqueConstraint(
                fields=["plan"], condition=models.Q(is_current=True), name="catalog_plan_version_current"
            ),
            models.CheckConstraint(
                condition=models.Q(base__isnull=True) | models.Q(is_current=False),
                name="catalog_plan_version_private",
            ),
            models.UniqueConstraint(
                fields=["plan"], condition=models.Q(is_scheduled=True), name="catalog_plan_version_scheduled"
            ),
            models.CheckConstraint(
                condition=models.Q(is_scheduled=False)
                | models.Q(is_current=False, effective_at__isnull=False, base__isnull=True, withdrawn_at__isnull=True),
                name="catalog_plan_version_waits",
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True) | models.Q(is_current=False),
                name="catalog_plan_version_withdrawn",
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="catalog_plan_version_amount"),
            models.CheckConstraint(condition=models.Q(trial_period__gte=0), name="catalog_plan_version_trial"),
            models.CheckConstraint(
                condition=models.Q(bill_charges_monthly=False, bill_fixed_charges_monthly=False)
                | models.Q(interval__in=["semiannual", "yearly"]),
                name="catalog_plan_version_split",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"

    @property
    def public_uuid(self) -> UUID:
        """By what interfaces know it: the plan it is a price list of, or itself where it is private."""
        return self.plan.uuid if self.base_id is None else self.uuid

    @property
    def name(self) -> str:
        """The plan's name, or the one that was agreed on for a private version."""
        return self.overrides.get("name") or self.plan.name

    @property
    def invoice_display_name(self) -> str:
        """The plan's name on documents, where it has one of its own there, or the one that was agreed on."""
        return self.overrides.get("invoice_display_name") or self.plan.invoice_display_name

    @property
    def description(self) -> str:
        """The plan's description, or the one that was agreed on for a private version."""
        return self.overrides.get("description") or self.plan.description

    @property
    def name_on_invoices(self) -> str:
        """What documents call it."""
        own = self.overrides.get("invoice_display_name") or self.overrides.get("name")
        return own or self.plan.invoice_display_name or self.plan.name

    @property
    def commitment(self) -> Any:
        """What an interval costs at least, a `MinimumCommitment`, or none. One query unless it is at hand."""
        return getattr(self, "minimum_commitment", None)
