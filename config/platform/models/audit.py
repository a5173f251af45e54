"""The audit trail: who did what, when, to what and why. Append-only; the database refuses changes."""

from django.conf import settings
from django.db import models

from config.kernel import db


class AuditEntry(db.Base):
    """One verb of a person, an API client, a customer or a job on one object.

    ``object_type`` is "app.model" in lower case. ``address`` and ``client`` say from where a request came that did it;
    they are empty for jobs, and for entries from before they were kept.
    """

    class ActorKind(models.TextChoices):
        USER = "user", "person"
        API_KEY = "api_key", "API client"
        JOB = "job", "job"
        SYSTEM = "system", "system"
        CUSTOMER = "customer", "customer"

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16, choices=ActorKind.choices)
    actor_label = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.BigIntegerField()
    object_label = models.CharField(max_length=255)
    reason = models.TextField(blank=True, default="")
    old = models.JSONField(default=dict)
    new = models.JSONField(default=dict)
    address = models.CharField(max_length=64, blank=True, default="")
    client = models.CharField(max_length=512, blank=True, default="")

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit trail"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id", "-at"], name="platform_audit_object"),
            models.Index(fields=["-at", "-id"], name="platform_audit_at"),
            models.Index(fields=["user", "-at"], name="platform_audit_user"),
            models.Index(fields=["verb", "-at"], name="platform_audit_verb"),
            models.Index(fields=["address", "-at"], condition=~models.Q(address=""), name="platform_audit_address"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label}: {self.verb} {self.object_label}"
