"""The installation: one organisation with any number of selling entities."""

from django.db import models

from config.kernel import db


class Installation(db.Base):
    """The one row that names this installation. ``singleton`` lets the database refuse a second one.

    ``late_usage_policy`` is what happens to usage that comes after its time was billed, where nothing else was agreed;
    ``late_usage_waive_below`` is in the currency of whatever it is compared with. With ``billing_needs_sign_off``
    billing runs bill only what was rehearsed and signed off.
    """

    class LateUsagePolicy(models.TextChoices):
        HOLD = "hold", "hold for a person"
        BILL = "bill", "bill with the next invoice"
        CORRECT = "correct", "correct at once"
        WAIVE = "waive", "waive below an amount"

    name = models.CharField(max_length=255, default="Quittance")
    late_usage_policy = models.CharField(max_length=16, choices=LateUsagePolicy.choices, default=LateUsagePolicy.HOLD)
    late_usage_waive_below = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    billing_needs_sign_off = models.BooleanField(default=False)
    records_personal_views = models.BooleanField(default=False)
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(singleton=True), name="platform_installation_single"),
            models.CheckConstraint(
                condition=~models.Q(late_usage_policy="waive") | models.Q(late_usage_waive_below__gt=0),
                name="platform_installation_late_usage",
            ),
        ]

    def __str__(self) -> str:
        return self.name
