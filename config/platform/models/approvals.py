"""Second persons: which actions need one, and what somebody asked to have done. Rules are data; a request is kept."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from moneyed import Money

from config.kernel import db


class ApprovalRule(db.Base):
    """An action needs a second person of a group: always, or above an amount in one currency.

    ``action`` is a code of the register of `config.platform.services.approval_actions`. ``counts`` says what is held
    against the limit: the amount alone, or with what the same document, or the same customer, had of the same action
    before, ``days`` back (null: ever). Rules are switched off, never deleted: requests tell which group decided.
    """

    class Counts(models.TextChoices):
        EACH = "each", "each by itself"
        DOCUMENT = "document", "all of the same document"
        CUSTOMER = "customer", "all of the same customer"

    action = models.CharField(max_length=64)
    currency = db.CurrencyField(blank=True, default="")
    above_amount = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    counts = models.CharField(max_length=16, choices=Counts.choices, default=Counts.DOCUMENT)
    days = models.PositiveSmallIntegerField(null=True, blank=True)
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "approval rule"
        ordering = ["action", "currency", "above_amount", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(currency="", above_amount__isnull=True)
                | (~Q(currency="") & Q(above_amount__isnull=False, above_amount__gte=0)),
                name="platform_approval_rule_limit",
            ),
            models.CheckConstraint(
                condition=Q(days__isnull=True) | (Q(days__gt=0) & ~Q(counts="each")), name="platform_approval_rule_days"
            ),
            models.UniqueConstraint(
                fields=["action", "currency", "above_amount", "group"],
                condition=Q(is_active=True),
                nulls_distinct=False,
                name="platform_approval_rule_once",
            ),
        ]
        indexes = [models.Index(fields=["action"], condition=Q(is_active=True), name="platform_approval_rule_action")]

    def __str__(self) -> str:
        return f"{self.action.replace('_', ' ').capitalize()}: {self.group}"

    @property
    def limit(self) -> Money | None:
        """The amount above which it applies; None for always."""
        return None if self.above_amount is None else Money(self.above_amount, self.currency)


class ApprovalRequest(db.Base):
    """What a person wants done and may not do alone. It is done with these values once another person approves it.

    ``verb`` is the name of what does it, on the model ``object_type``; ``object_id`` is null where it makes something
    new. ``values`` are the fields of its form as they were sent, ``shown`` is the preview as it was seen then, and
    ``groups`` are those whose people may approve: ``asked_of`` has their ids, as they were when it was asked. ``total``
    is what was held against the limit: the ``amount`` with what went before it. What was asked and who decided never
    changes; the database holds that.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "waits"
        APPROVED = "approved", "approved and done"
        REJECTED = "rejected", "rejected"
        WITHDRAWN = "withdrawn", "withdrawn"
        FAILED = "failed", "could not be done"

    action = models.CharField(max_length=64)
    verb = models.CharField(max_length=64)
    verb_label = models.CharField(max_length=255)
    object_type = models.CharField(max_length=64)
    object_id = models.BigIntegerField(null=True)
    object_label = models.CharField(max_length=255)
    currency = db.CurrencyField(blank=True, default="")
    amount = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    total = models.DecimalField(max_digits=20, decimal_places=4, null=True)
    values = models.JSONField(default=dict)
    shown = models.JSONField(default=list)
    reason = models.TextField(blank=True, default="")
    groups = models.ManyToManyField(Group, related_name="+")
    asked_of = models.JSONField(default=list, editable=False)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.WAITING)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    remark = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "approval request"
        verbose_name_plural = "approvals"
        ordering = ["-asked_at", "-id"]
        permissions = [("decide_approvalrequest", "Can approve or reject what others ask for")]
        constraints = [
            models.UniqueConstraint(
                fields=["action", "object_type", "object_id"],
                condition=Q(status="waiting"),
                name="platform_approval_waits_once",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(status="waiting") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="platform_approval_decided",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(status="withdrawn") | ~Q(decided_by=F("asked_by")),
                name="platform_approval_not_own",
            ),
            models.CheckConstraint(
                condition=~Q(status="withdrawn") | Q(decided_by=F("asked_by")), name="platform_approval_own_withdrawal"
            ),
        ]
        indexes = [
            models.Index(fields=["-asked_at", "-id"], name="platform_approval_at"),
            models.Index(fields=["asked_at"], condition=Q(status="waiting"), name="platform_approval_waiting"),
            models.Index(fields=["object_type", "object_id"], name="platform_approval_object"),
            models.Index(fields=["asked_by", "status"], name="platform_approval_asker"),
        ]

    def __str__(self) -> str:
        return f"{self.verb_label}: {self.object_label}"

    @property
    def money(self) -> Money | None:
        """The amount that it is about; None where there is none."""
        return None if self.amount is None else Money(self.amount, self.currency)
