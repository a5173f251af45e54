"""Webhooks: where to, what happened, what has to be delivered, and each attempt at it.

An event is a row of the transaction that made it true, with the very bytes that receivers get. A delivery is one event
for one endpoint; the first undelivered one of an object holds back the later ones of that object.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config.kernel import db


class WebhookEndpoint(db.Base):
    """An address that is told of events. ``event_types`` null is all of them.

    ``disabled_at`` is when it was paused: from then on what happens waits for it, and nothing is sent.

    ``resting_until`` and ``failures`` belong to an endpoint that does not answer: it is left alone for longer and
    longer. ``failing_since`` is when the first attempt failed after which none succeeded. A deleted endpoint stays as a
    row, for its deliveries are the record of what was told.
    """

    class SignatureAlgorithm(models.TextChoices):
        JWT = "jwt", "JWT (RS256)"
        HMAC = "hmac", "HMAC-SHA256"

    webhook_url = models.TextField()
    signature_algo = models.CharField(max_length=8, choices=SignatureAlgorithm.choices, default=SignatureAlgorithm.JWT)
    name = models.CharField(max_length=255, blank=True, default="")
    event_types = ArrayField(models.CharField(max_length=64), null=True, blank=True)
    updated_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    disabled_at = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    resting_until = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    last_delivered_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "webhook endpoint"
        ordering = ["-created_at", "-id"]
        permissions = [
            ("test_webhookendpoint", "Can send a test to webhook endpoints"),
            ("show_webhookkeys", "Can see the keys that sign webhooks"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook_url"],
                condition=models.Q(deleted_at__isnull=True),
                name="platform_webhookendpoint_url",
            ),
            models.CheckConstraint(
                condition=models.Q(event_types__isnull=True) | ~models.Q(event_types=[]),
                name="platform_webhookendpoint_event_types",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.webhook_url


class WebhookEvent(db.Base):
    """Something that happened. ``uuid`` is the key by which receivers know a repeat, ``body`` the exact JSON they get.

    ``object_key`` names the object ("invoicing.invoice:" and its public id), within which order is kept.
    """

    event_type = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_key = models.CharField(max_length=128)
    at = models.DateTimeField()
    body = models.TextField()

    class Meta:
        verbose_name = "event"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_key", "id"], name="platform_webhookevent_object"),
            models.Index(fields=["event_type", "id"], name="platform_webhookevent_type"),
            models.Index(fields=["at"], name="platform_webhookevent_at"),
        ]

    def __str__(self) -> str:
        return self.event_type


class WebhookDelivery(db.Base):
    """One event for one endpoint. ``claimed_until`` is the lease of whoever is sending it: when it is over, whoever
    sent was killed, and it is sent again. Dropped is what waited for an endpoint when it was deleted, or when somebody
    decided that it needs none of it.
    """

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "given up"
        DROPPED = "dropped", "dropped"

    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries")
    object_key = models.CharField(max_length=128)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "delivery"
        verbose_name_plural = "webhook deliveries"
        ordering = ["-id"]
        permissions = [("replay_webhookdelivery", "Can send webhooks again")]
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="platform_webhookdelivery_once"),
            models.CheckConstraint(
                condition=models.Q(state="delivered", delivered_at__isnull=False)
                | (~models.Q(state="delivered") & models.Q(delivered_at__isnull=True)),
                name="platform_webhookdelivery_delivered",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=models.Q(state="pending"),
                name="platform_webhookdelivery_due",
            ),
            models.Index(
                fields=["endpoint", "object_key", "id"],
                condition=models.Q(state="pending"),
                name="platform_webhookdelivery_order",
            ),
            models.Index(
                fields=["endpoint", "claimed_until"],
                condition=models.Q(state="pending", claimed_until__isnull=False),
                name="platform_webhookdelivery_lease",
            ),
            models.Index(fields=["object_key", "id"], name="platform_webhookdelivery_of"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"


class WebhookAttempt(db.Base):
    """One attempt at a delivery, with what came of it. ``status`` is null where no answer came; ``error`` says why."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="attempt_log")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=255, blank=True, default="")
    answer = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "attempt"
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="platform_webhookattempt_at")]

    def __str__(self) -> str:
        return f"{self.status or self.error}"
