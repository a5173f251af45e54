"""What came in through the API, and what concerns the safety of the installation. Both are kept for a while only."""

from django.db import models

from config.kernel import db
from config.platform.models.access import ApiKey


class RequestLog(db.Base):
    """A request that was to change something, and its answer. Secrets and personal data are hidden before they get
    here; bodies are JSON text, or a word on what they were, and are cut.
    """

    request_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+", verbose_name="API key")
    method = models.CharField(max_length=16)
    path = models.TextField()
    query = models.TextField(blank=True, default="")
    status = models.PositiveSmallIntegerField()
    duration_ms = models.PositiveIntegerField()
    client = models.CharField(max_length=512, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    request_body = models.TextField(blank=True, default="")
    response_body = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "API request"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="platform_request_at"),
            models.Index(fields=["api_key", "-at"], name="platform_request_key"),
            models.Index(fields=["request_id"], name="platform_request_id"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class SecurityLog(db.Base):
    """Something that concerns who may do what: a key was made, a person signed in, a right was given.

    ``user_id`` is no foreign key: the log outlives the account. ``resources`` tells what it was about.
    """

    class Kind(models.TextChoices):
        API_KEY = "api_key", "API key"
        USER = "user", "person"
        ROLE = "role", "role"
        SIGN_IN = "sign_in", "sign-in"

    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    event = models.CharField(max_length=64)
    actor_label = models.CharField(max_length=255, blank=True, default="")
    user_id = models.BigIntegerField(null=True)
    user_email = models.CharField(max_length=254, blank=True, default="")
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, related_name="+", verbose_name="API key")
    address = models.CharField(max_length=64, blank=True, default="")
    client = models.CharField(max_length=512, blank=True, default="")
    resources = models.JSONField(default=dict)

    class Meta:
        verbose_name = "security entry"
        verbose_name_plural = "security log"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="platform_security_at"),
            models.Index(fields=["user_id", "-at"], name="platform_security_user"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.actor_label}".strip()
