"""Lines of drafts that a person set: kept beside the draft, so that computing it anew keeps them."""

from django.db import models

from billing.models.subscriptions import Subscription
from config.kernel import db
from invoicing.models import Invoice


class AdjustedLine(db.Base):
    """What a person set of a line of a draft. Frozen with its invoice.

    The line is the one of this subscription, ``item_key`` (plan fee, or charge, filter and group over all versions of
    the plan) and time, as it is computed anew; where there is no usage, ``charge_key``, ``filter_key`` and ``group``
    say which line is added. Null ``units`` or ``unit_amount``, or an empty ``label``, leave those as they are computed.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="adjusted_lines")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="adjusted_lines")
    item_key = models.BigIntegerField()
    charge_key = models.UUIDField(null=True, editable=False)
    filter_key = models.UUIDField(null=True, editable=False)
    group = models.JSONField(default=dict, blank=True)
    from_at = models.DateTimeField()
    to_at = models.DateTimeField()
    units = models.DecimalField(max_digits=40, decimal_places=15, null=True)
    unit_amount = models.DecimalField(max_digits=40, decimal_places=15, null=True)
    label = models.CharField(max_length=512, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    adjusted_by = models.CharField(max_length=255)
    adjusted_at = models.DateTimeField()

    class Meta:
        verbose_name = "adjusted line"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "subscription", "item_key", "from_at"], name="billing_adjusted_line_once"
            ),
            models.CheckConstraint(
                condition=models.Q(units__isnull=False) | models.Q(unit_amount__isnull=False) | ~models.Q(label=""),
                name="billing_adjusted_line_something",
            ),
            models.CheckConstraint(
                condition=(models.Q(units__isnull=True) | models.Q(units__gte=0))
                & (models.Q(unit_amount__isnull=True) | models.Q(unit_amount__gte=0)),
                name="billing_adjusted_line_amounts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.from_at:%Y-%m-%d}"
