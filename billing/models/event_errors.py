"""How far usage events were looked through for those that are no good, to tell of them."""

from django.db import models
from django.db.models import Q


class EventErrorCursor(models.Model):
    """Which transactions were over when events were looked at the last time, as PostgreSQL writes such a snapshot."""

    singleton = models.BooleanField(primary_key=True, default=True)
    snapshot = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(singleton=True), name="billing_event_error_cursor_single")]

    def __str__(self) -> str:
        return self.snapshot
