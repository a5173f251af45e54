"""API keys and how often they were used. Only digests are stored: a key is shown once, when it is made or rotated."""

from django.db import models

from config.kernel import db


class ApiKey(db.Base):
    """A key of an API client. ``digest`` is the SHA-256 of the key in hex, ``hint`` its last four characters.

    ``rights`` is ``{resource: ["read", "write"]}``, null for everything; ``rate_limit`` the requests of a minute, null
    for any number. The secret that a rotation replaced stays good until ``previous_until``. ``addresses`` has the
    network addresses that used the key last, with the instant of the use to the minute. ``known_to`` are the ids of the
    people who were shown a secret of it: whoever made it or rotated it.
    """

    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=8, editable=False)
    rights = models.JSONField(null=True, blank=True, editable=False)
    rate_limit = models.PositiveIntegerField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True, editable=False)
    previous_digest = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)
    previous_hint = models.CharField(max_length=8, blank=True, default="", editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    addresses = models.JSONField(default=dict, blank=True, editable=False)
    known_to = models.JSONField(default=list, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rate_limit__isnull=True) | models.Q(rate_limit__gt=0), name="platform_apikey_limit"
            ),
            models.CheckConstraint(
                condition=models.Q(previous_digest__isnull=True) | models.Q(previous_until__isnull=False),
                name="platform_apikey_previous",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"


class RateCount(models.Model):
    """How many requests of a limited key came in the minute that began at ``minute_at``. Lost in a crash, unlike the
    rest: the table is not logged, so that counting costs no write to the disk.
    """

    api_key = models.OneToOneField(ApiKey, on_delete=models.PROTECT, primary_key=True, related_name="+")
    minute_at = models.DateTimeField()
    used = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.used} since {self.minute_at:%H:%M}"


class RoleDefault(db.Base):
    """The rights that a role was given as its default, as "app.codename". A role that has others was edited."""

    name = models.CharField(max_length=150, unique=True)
    rights = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name
