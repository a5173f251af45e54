"""Answers already given to writes that named an idempotency key."""

from django.db import models

from config.kernel import db
from config.platform.models.access import ApiKey


class IdempotencyRecord(db.Base):
    """The first answer to a key of a client; ``request_digest`` is the SHA-256 of method, path and body.

    ``content`` has the bytes of the answer and ``headers`` those that belong to them. Answers remembered before these
    were kept have their JSON in ``body``.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)
    content = models.BinaryField(null=True)
    headers = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["api_key", "key"], name="platform_idempotency_key")]
        indexes = [models.Index(fields=["created_at"], name="platform_idempotency_age")]

    def __str__(self) -> str:
        return self.key
