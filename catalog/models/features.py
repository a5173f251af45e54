"""Features that the product unlocks, what can be set of each, and what plans give of them.

Features belong to plans, not to their versions: they have no price, and a change reaches everybody on the plan at once.
"""

from django.db import models

from catalog.models.plans import Plan
from config.kernel import db


class Feature(db.Base):
    """Something that a customer may or may not use. The product asks for it by its code."""

    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=600, blank=True, default="")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=models.Q(deleted_at__isnull=True), name="catalog_feature_code"
            ),
            models.CheckConstraint(condition=~models.Q(code=""), name="catalog_feature_has_code"),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class Privilege(db.Base):
    """What can be set of a feature: a number, a text, yes or no, or one of ``select_options``."""

    class ValueType(models.TextChoices):
        INTEGER = "integer", "number"
        STRING = "string", "text"
        BOOLEAN = "boolean", "yes or no"
        SELECT = "select", "one of"

    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="privileges")
    code = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="")
    value_type = models.CharField(max_length=16, choices=ValueType.choices, default=ValueType.STRING)
    select_options = models.JSONField(default=list, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["feature", "code"], condition=models.Q(deleted_at__isnull=True), name="catalog_privilege_code"
            ),
            models.CheckConstraint(condition=~models.Q(code=""), name="catalog_privilege_has_code"),
            models.CheckConstraint(
                condition=(models.Q(value_type="select") & ~models.Q(select_options=[]))
                | (~models.Q(value_type="select") & models.Q(select_options=[])),
                name="catalog_privilege_options",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class PlanEntitlement(db.Base):
    """A feature that a plan gives."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="entitlements")
    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="plan_entitlements")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["plan", "feature"], name="catalog_plan_entitlement_feature")]

    def __str__(self) -> str:
        return f"{self.feature} of {self.plan}"


class PlanPrivilege(db.Base):
    """What a plan sets of a feature that it gives: a JSON number, text or boolean, as the privilege's type says."""

    entitlement = models.ForeignKey(PlanEntitlement, on_delete=models.CASCADE, related_name="privileges")
    privilege = models.ForeignKey(Privilege, on_delete=models.PROTECT, related_name="plan_privileges")
    value = models.JSONField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["entitlement", "privilege"], name="catalog_plan_privilege_privilege")
        ]

    def __str__(self) -> str:
        return f"{self.privilege}: {self.value}"
