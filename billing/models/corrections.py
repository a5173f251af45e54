"""Corrections of usage events: which event is taken back or replaced by which other one, by whom and why."""

from django.db import models

from config.kernel import db


class EventCorrection(db.Base):
    """One correction, as it was sent. Rows are added; only ``undone_at`` is set later, by a correction of this one.

    ``corrects`` is the transaction id that it names, of an event or of a correction. ``event_*`` tell the event that it
    takes out of the usage, which stays as it was sent and is marked ``replaced_at``; an amendment is an event itself,
    of the correction's own transaction id. ``sent`` is the content, by which a repeat is known.
    """

    class Action(models.TextChoices):
        WITHDRAW = "withdraw", "withdrawn"
        AMEND = "amend", "amended"

    external_subscription_id = models.TextField()
    transaction_id = models.TextField()
    corrects = models.TextField()
    action = models.CharField(max_length=16, choices=Action.choices)
    reason = models.TextField(blank=True, default="")
    made_by = models.CharField(max_length=255)
    event_transaction_id = models.TextField()
    event_code = models.TextField()
    event_timestamp = models.DateTimeField()
    sent = models.JSONField()
    undone_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "event correction"
        ordering = ["-created_at", "-id"]
        permissions = [("withdraw_usageevent", "Can withdraw usage events")]
        indexes = [
            models.Index(fields=["external_subscription_id", "corrects"], name="billing_correction_target"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["external_subscription_id", "transaction_id"], name="billing_correction_once"
            ),
            models.UniqueConstraint(
                fields=["external_subscription_id", "event_transaction_id"],
                condition=models.Q(undone_at__isnull=True),
                name="billing_event_corrected_once",
            ),
        ]

    def __str__(self) -> str:
        return self.transaction_id
