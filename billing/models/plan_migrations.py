"""Moving subscriptions from one version of their plan to another: what is asked for, who agreed, what came of each."""

from django.conf import settings
from django.db import models

from billing.models.subscriptions import Subscription
from catalog.models import Plan, PlanVersion
from config.kernel import db


class PlanMigration(db.Base):
    """The wish to move the subscriptions of a plan to one of its versions, from another one or from all others.

    What it does to each was computed at ``previewed_at``. Whoever approves it is neither who made nor who submitted it.
    ``change_date`` is a local date of each customer.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        SUBMITTED = "submitted", "waits for approval"
        APPROVED = "approved", "approved"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "done with failures"
        WITHDRAWN = "withdrawn", "withdrawn"

    class Timing(models.TextChoices):
        NOW = "now", "now"
        PERIOD_END = "period_end", "at the end of each period"
        DATE = "date", "on a date"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="migrations")
    from_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, null=True, related_name="+")
    to_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    timing = models.CharField(max_length=16, choices=Timing.choices, default=Timing.NOW)
    change_date = models.DateField(null=True)
    reason = models.TextField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    made_by_label = models.CharField(max_length=255)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    previewed_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = "plan migration"
        ordering = ["-created_at", "-id"]
        permissions = [("approve_plan_migration", "Can approve plan migrations that somebody else made")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state__in=["approved", "running", "done", "failed"])
                | models.Q(approved_by__isnull=False, approved_at__isnull=False),
                name="billing_plan_migration_approved",
            ),
            models.CheckConstraint(
                condition=~models.Q(approved_by=models.F("made_by")) & ~models.Q(approved_by=models.F("submitted_by")),
                name="billing_plan_migration_second_person",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["submitted", "approved", "running", "done", "failed"])
                | models.Q(submitted_by__isnull=False, previewed_at__isnull=False),
                name="billing_plan_migration_submitted",
            ),
            models.CheckConstraint(
                condition=models.Q(timing="date", change_date__isnull=False)
                | (~models.Q(timing="date") & models.Q(change_date__isnull=True)),
                name="billing_plan_migration_date",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan}: to version {self.to_version.number}"


class PlanMigrationItem(db.Base):
    """One subscription of a migration: what its next invoice comes to before and after, and what became of it.

    Amounts are those of the next invoice without tax, on the usage that is stored so far, in the currency of the
    version to move to; none where there is no next invoice. ``seen`` is what the subscription was when they were
    computed.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        MOVED = "moved", "moved"
        SCHEDULED = "scheduled", "scheduled"
        SKIPPED = "skipped", "left out"
        FAILED = "failed", "failed"

    migration = models.ForeignKey(PlanMigration, on_delete=models.PROTECT, related_name="items")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="plan_migrations")
    from_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    reason_code = models.CharField(max_length=255, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    seen = models.CharField(max_length=255)
    currency = db.CurrencyField()
    before_amount = db.money_field(null=True)
    after_amount = db.money_field(null=True)
    difference_amount = db.money_field(null=True)
    moved_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "plan migration item"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["migration", "subscription"], name="billing_plan_migration_item"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["moved", "scheduled"]) | models.Q(moved_at__isnull=False),
                name="billing_plan_migration_item_moved",
            ),
        ]
        indexes = [models.Index(fields=["migration", "state"], name="billing_plan_migration_state")]

    def __str__(self) -> str:
        return str(self.subscription)
