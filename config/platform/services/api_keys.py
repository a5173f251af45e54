"""API keys: making, revoking, noting their use. A key is shown once, when it is made; only a digest is kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction

from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.models import ApiKey
from config.platform.queries import api_keys
from config.platform.services import audit

PREFIX = "qk_"
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class MadeKey:
    """A new key with its secret, which is stored nowhere."""

    key: ApiKey
    secret: str


@transaction.atomic
def create(*, name: str, actor: Actor, at: datetime, expires_at: datetime | None = None) -> MadeKey:
    """Make a key of 256 random bits. Every call makes another one. Raises Invalid for an empty or too long name."""
    if not name.strip():
        raise errors.Invalid("validation_errors", "A key needs a name.", {"name": ["value_is_mandatory"]})
    if len(name) > 255:
        raise errors.Invalid("validation_errors", "The name is too long.", {"name": ["value_is_too_long"]})
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name, digest=api_keys.digest(secret), hint=secret[-4:], expires_at=expires_at, created_at=at
    )
    audit.record(actor=actor, at=at, verb="create", instance=key)
    return MadeKey(key=key, secret=secret)


@transaction.atomic
def revoke(*, api_key_id: int, actor: Actor, at: datetime, reason: str = "") -> ApiKey:
    """Refuse a key from now on. Revoking it again changes nothing. Raises NotFound."""
    try:
        key = db.lock_one(ApiKey.objects.filter(pk=api_key_id))
    except ApiKey.DoesNotExist as error:
        raise errors.NotFound("api_key_not_found") from error
    if key.revoked_at is None:
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
        audit.record(actor=actor, at=at, verb="revoke", instance=key, reason=reason)
    return key


def note_use(*, key: ApiKey, at: datetime) -> None:
    """Remember when a key was last used, to the minute: most calls write nothing, and none waits for another's row."""
    before = at - USE_NOTED_EVERY
    if key.last_used_at is not None and key.last_used_at > before:
        return
    stale = models.Q(last_used_at__isnull=True) | models.Q(last_used_at__lte=before)
    with transaction.atomic():
        free = ApiKey.objects.filter(stale, pk=key.pk).select_for_update(skip_locked=True, no_key=True)
        ApiKey.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(last_used_at=at)
