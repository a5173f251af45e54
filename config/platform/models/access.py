"""API keys. Only a digest is stored: a key is shown once, when it is made."""

from django.db import models

from config.kernel import db


class ApiKey(db.Base):
    """A key of an API client. ``digest`` is the SHA-256 of the key in hex, ``hint`` its last four characters."""

    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=8, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"
