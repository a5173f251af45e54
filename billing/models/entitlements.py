"""What was agreed of features with one subscription, beside what its plan gives.

Belongs to the first subscription of a chain, so that it outlives changes of plan and pauses, and ends with the chain.
"""

from django.db import models

from billing.models.subscriptions import Subscription
from catalog.models import Feature, Privilege
from config.kernel import db


class SubscriptionEntitlement(db.Base):
    """A feature that a subscription has beside its plan, with values of its own, or that it does not have."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="entitlements")
    feature = models.ForeignKey(Feature, on_delete=models.PROTECT, related_name="subscription_entitlements")
    is_removed = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "feature"], name="billing_entitlement_feature"),
        ]

    def __str__(self) -> str:
        return f"{self.feature} of {self.subscription}"


class SubscriptionPrivilege(db.Base):
    """A value in place of the plan's, or none at all where the privilege was removed."""

    entitlement = models.ForeignKey(SubscriptionEntitlement, on_delete=models.CASCADE, related_name="privileges")
    privilege = models.ForeignKey(Privilege, on_delete=models.PROTECT, related_name="subscription_privileges")
    value = models.JSONField(null=True)
    is_removed = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["entitlement", "privilege"], name="billing_privilege_privilege"),
            models.CheckConstraint(
                condition=models.Q(is_removed=True, value__isnull=True)
                | models.Q(is_removed=False, value__isnull=False),
                name="billing_privilege_value",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.privilege}: {'removed' if self.is_removed else self.value}"
