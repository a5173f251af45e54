"""How many usage events there are, kept by a job: counting millions of them takes longer than a page may. Never a basis
of billing, which reads the events themselves; it can be emptied at any time and is counted anew.
"""

from django.db import models
from django.db.models import Q


class UsageCount(models.Model):
    """The events of a code in a quarter of an hour, by their own timestamps. All time zones' days are made of these."""

    id = models.BigAutoField(primary_key=True)
    starts_at = models.DateTimeField()
    code = models.TextField()
    events = models.BigIntegerField()

    class Meta:
        verbose_name = "count of usage events"
        verbose_name_plural = "counts of usage events"
        constraints = [models.UniqueConstraint(fields=["starts_at", "code"], name="billing_usage_count_once")]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} {self.code}: {self.events}"


class UsageCountCursor(models.Model):
    """How far events were counted: a mark of transactions, with when that was done.

    ``not_billable`` has the numbers of events of the last sixty days that nobody can bill, by reason (``counts``), and
    which ``subscriptions`` they name, by reason and nothing where those are too many; nothing where there are so few
    events that whoever asks counts them at once.
    """

    singleton = models.BooleanField(primary_key=True, default=True)
    position = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)
    not_billable = models.JSONField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(singleton=True), name="billing_usage_count_cursor_single")]

    def __str__(self) -> str:
        return str(self.position)
