"""Verbs done on all rows that a list shows, over more than one page: the order, and what became of each row."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel import db


class BulkRun(db.Base):
    """What a person ordered: a verb of a model with the values typed, on the rows that the list's ``query`` showed.

    ``address`` and ``client`` say from where it was ordered; the audit trail of each row has them.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        ENDED = "ended", "ended"
        STOPPED = "stopped", "stopped"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person_label = models.CharField(max_length=255)
    object_type = models.CharField(max_length=64)
    verb = models.CharField(max_length=64)
    label = models.CharField(max_length=255)
    query = models.CharField(max_length=2000, blank=True, default="")
    values = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    total = models.PositiveIntegerField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=64, blank=True, default="")
    client = models.CharField(max_length=512, blank=True, default="")

    class Meta:
        verbose_name = "bulk run"
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], ended_at__isnull=True)
                | Q(state__in=["ended", "stopped"], ended_at__isnull=False),
                name="platform_bulk_run_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(ended_at__isnull=True), name="platform_bulk_run_open"),
            models.Index(fields=["person", "-id"], name="platform_bulk_run_person"),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.total:,} rows"


class BulkRow(models.Model):
    """One row of a bulk run and what became of it. Written in the same transaction as what was done to the row."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "waiting"
        DONE = "done", "done"
        REFUSED = "refused", "refused"
        ASKED = "asked", "asked"
        SKIPPED = "skipped", "skipped"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(BulkRun, on_delete=models.PROTECT, related_name="rows")
    object_id = models.BigIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.WAITING)
    object_label = models.CharField(max_length=255, blank=True, default="")
    remark = models.CharField(max_length=1000, blank=True, default="")
    at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "row of a bulk run"
        verbose_name_plural = "rows of bulk runs"
        ordering = ["id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["run", "object_id"], name="platform_bulk_row_once")]
        indexes = [models.Index(fields=["run", "outcome", "id"], name="platform_bulk_row_outcome")]

    def __str__(self) -> str:
        return self.object_label or str(self.object_id)
