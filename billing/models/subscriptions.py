"""Subscriptions: which customer bought which plan version, from when and how it is billed."""

from __future__ import annotations

from datetime import date

from django.db import models

from catalog.models import PlanVersion
from config.kernel import db
from customers.models import BillingEntity, Customer


class Subscription(db.Base):
    """A customer's contract on one plan version.

    ``subscription_at`` anchors anniversary periods, on the local date that it had when the subscription began
    (``anchor_date``): a later change of the time zone moves midnights, not dates. Service runs from ``started_at``
    until ``terminated_at``. ``next_billing_date`` is the local date of the oldest unbilled billing day, kept by the
    services. It is billed by its customer's ``billing_entity`` unless it has one of its own; its days are the
    customer's all the same. ``custom_section_ids`` are the texts of its invoices where it has its own: none at all
    where the list is empty. Until ``trial_ends_at`` no plan fee is billed; ``trial_ended_at`` says that its end was
    dealt with. Without a ``late_usage_policy`` of its own the installation's goes; ``late_usage_waive_below`` is in the
    plan's currency.

    A change of plan is a subscription of its own, with the same external id: it follows its ``previous`` one from the
    very instant at which that ends. A change for the period's end waits until its ``change_date``, a local date;
    ``ended_by`` says which kind of change ended a subscription. ``change_timing`` says that somebody chose when the
    change takes effect; without it the prices decide.

    A pause is the end of one subscription, by a pause, and the wait of its follower on the same plan until it resumes:
    on its ``change_date`` where there is one. The follower is ``paused_at`` the end of the one before. ``pause_fee`` is
    that of the pause that ended a subscription, or that it waits in. ``fee_from`` is the first local day whose plan fee
    a resumed subscription bills: the days before it are paid, or, with whole periods, those of its own period count
    too; while it waits, the first one that was not paid at the pause. One that is incomplete waits for a first payment.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "pending"
        ACTIVE = "active", "active"
        TERMINATED = "terminated", "terminated"
        CANCELED = "canceled", "canceled"
        PAUSED = "paused", "paused"
        INCOMPLETE = "incomplete", "waits for a payment"

    class BillingTime(models.TextChoices):
        CALENDAR = "calendar", "calendar"
        ANNIVERSARY = "anniversary", "anniversary"

    class BackdatedBilling(models.TextChoices):
        SKIP = "skip", "from the next renewal on"
        BILL = "bill", "elapsed periods too"

    class OnTermination(models.TextChoices):
        GENERATE = "generate", "make a last invoice"
        SKIP = "skip", "no last invoice"

    class LateUsagePolicy(models.TextChoices):
        INSTALLATION = "", "the installation's"
        HOLD = "hold", "hold for a person"
        BILL = "bill", "bill with the next invoice"
        CORRECT = "correct", "correct at once"
        WAIVE = "waive", "waive below an amount"

    class UnusedTime(models.TextChoices):
        CREDIT = "credit", "credit it for later invoices"
        REFUND = "refund", "pay back what was paid of it, credit the rest"
        OFFSET = "offset", "pay back what was paid of it, take the rest off what is due"
        SKIP = "skip", "keep it"

    class EndedBy(models.TextChoices):
        UPGRADE = "upgrade", "a change of plan within a period"
        DOWNGRADE = "downgrade", "a change of plan at the end of a period"
        PAUSE = "pause", "a pause"

    class ChangeTiming(models.TextChoices):
        AUTOMATIC = "", "as the prices decide"
        NOW = "now", "now"
        PERIOD_END = "period_end", "at the end of the period"
        DATE = "date", "on a date"

    class PauseFee(models.TextChoices):
        PRORATED = "prorated", "by the days it runs"
        WHOLE = "whole", "whole periods"

    class CancellationReason(models.TextChoices):
        NONE = "", "none"
        PAYMENT_FAILED = "payment_failed", "the payment failed"
        TIMEOUT = "timeout", "the payment did not come in time"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    billing_entity = models.ForeignKey(
        BillingEntity, on_delete=models.PROTECT, null=True, blank=True, related_name="subscriptions"
    )
    custom_section_ids = models.JSONField(null=True, editable=False)
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="subscriptions")
    external_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status.choices)
    billing_time = models.CharField(max_length=16, choices=BillingTime.choices, default=BillingTime.CALENDAR)
    backdated_billing = models.CharField(max_length=8, choices=BackdatedBilling.choices, default=BackdatedBilling.SKIP)
    subscription_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    anchor_date = models.DateField(null=True, editable=False)
    usage_from_at = models.DateTimeField(null=True, editable=False)
    ending_at = models.DateTimeField(null=True, blank=True)
    trial_ends_at = models.DateTimeField(null=True, editable=False)
    trial_ended_at = models.DateTimeField(null=True, editable=False)
    terminated_at = models.DateTimeField(null=True, editable=False)
    canceled_at = models.DateTimeField(null=True, editable=False)
    on_termination_invoice = models.CharField(
        max_length=16, choices=OnTermination.choices, default=OnTermination.GENERATE
    )
    on_termination_credit_note = models.CharField(
        max_length=16, choices=UnusedTime.choices, blank=True, default="", verbose_name="unused time"
    )
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, editable=False, related_name="followers")
    change_date = models.DateField(null=True, editable=False)
    ended_by = models.CharField(max_length=16, choices=EndedBy.choices, blank=True, default="", editable=False)
    change_timing = models.CharField(
        max_length=16, choices=ChangeTiming.choices, blank=True, default="", editable=False
    )
    fee_from = models.DateField(null=True, editable=False)
    paused_at = models.DateTimeField(null=True, editable=False)
    pause_fee = models.CharField(max_length=16, choices=PauseFee.choices, blank=True, default="", editable=False)
    activated_at = models.DateTimeField(null=True, editable=False)
    cancellation_reason = models.CharField(
        max_length=16, choices=CancellationReason.choices, blank=True, default="", editable=False
    )
    contract_item = models.ForeignKey(
        "billing.ContractItem", on_delete=models.PROTECT, null=True, related_name="subscriptions", editable=False
    )
    purchase_order_number = models.CharField(max_length=255, blank=True, default="")
    consolidate_invoice = models.BooleanField(default=True, verbose_name="share invoices with other subscriptions")
    progressive_billing_disabled = models.BooleanField(default=False)
    late_usage_policy = models.CharField(max_length=16, choices=LateUsagePolicy.choices, blank=True, default="")
    late_usage_waive_below = models.DecimalField(max_digits=20, decimal_places=4, null=True, blank=True)
    next_billing_date = models.DateField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("terminate_subscription", "Can terminate subscription"),
            ("change_plan", "Can change the plan of a subscription"),
            ("pause_subscription", "Can pause and resume a subscription"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                condition=models.Q(status__in=["active", "paused", "incomplete"])
                | models.Q(status="pending", previous__isnull=True),
                name="billing_subscription_external_id",
            ),
            models.UniqueConstraint(
                fields=["external_id"], condition=models.Q(status="pending"), name="billing_subscription_pending"
            ),
            models.UniqueConstraint(
                fields=["previous"],
                condition=models.Q(status__in=["pending", "active", "terminated", "paused", "incomplete"]),
                name="billing_subscription_follower",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="pending", previous__isnull=False) | models.Q(change_date__isnull=False),
                name="billing_subscription_change_date",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="paused")
                | models.Q(previous__isnull=False, paused_at__isnull=False, started_at__isnull=True)
                & ~models.Q(pause_fee=""),
                name="billing_subscription_paused",
            ),
            models.CheckConstraint(
                condition=~models.Q(ended_by="pause") | ~models.Q(pause_fee=""),
                name="billing_subscription_pause_fee",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_by="") | models.Q(status="terminated"), name="billing_subscription_ended_by"
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["active", "terminated"]) | models.Q(started_at__isnull=False),
                name="billing_subscription_started",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="terminated") | models.Q(terminated_at__isnull=False),
                name="billing_subscription_terminated",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="canceled") | models.Q(canceled_at__isnull=False),
                name="billing_subscription_canceled",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="active") | models.Q(next_billing_date__isnull=False),
                name="billing_subscription_next_billing_date",
            ),
            models.CheckConstraint(
                condition=~models.Q(late_usage_policy="waive") | models.Q(late_usage_waive_below__gt=0),
                name="billing_subscription_late_usage",
            ),
        ]
        indexes = [
            models.Index(fields=["external_id", "-created_at"], name="billing_subscription_external"),
            models.Index(
                fields=["next_billing_date", "customer"],
                condition=models.Q(next_billing_date__isnull=False),
                name="billing_subscription_due",
            ),
            models.Index(
                fields=["trial_ends_at"],
                condition=models.Q(status="active", trial_ended_at__isnull=True, trial_ends_at__isnull=False),
                name="billing_subscription_trial",
            ),
            models.Index(
                fields=["customer"],
                condition=models.Q(status="pending", previous__isnull=False),
                name="billing_subscription_change",
            ),
            models.Index(
                fields=["change_date"],
                condition=models.Q(status="paused", change_date__isnull=False),
                name="billing_subscription_resume",
            ),
            models.Index(
                fields=["ending_at"],
                condition=models.Q(status="active", ending_at__isnull=False),
                name="billing_subscription_ending",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id

    @property
    def seller(self) -> BillingEntity:
        """Who bills it: its own billing entity, else its customer's."""
        return self.billing_entity or self.customer.billing_entity

    @property
    def seller_id(self) -> int:
        """The key of who bills it; needs its customer, no billing entity."""
        return self.billing_entity_id or self.customer.billing_entity_id

    @property
    def follower(self) -> Subscription | None:
        """The change of plan that waits for it or has replaced it; one query unless ``followers`` are at hand."""
        living = (row for row in self.followers.all() if row.status != self.Status.CANCELED)
        return next(living, None)

    @property
    def change_day(self) -> date | None:
        """The local day on which another plan takes over; none unless one waits."""
        follower = self.follower
        return follower.change_date if follower is not None and follower.status == self.Status.PENDING else None
