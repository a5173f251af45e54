"""API keys: making, changing, rotating, revoking, noting their use. A key is shown once, when it is made or rotated;
only a digest is kept.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction

from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.models import ApiKey
from config.platform.queries import api_keys
from config.platform.services import audit, security_logs
from config.platform.services import rights as known_rights
from config.platform.services.rights import Rights

PREFIX = "qk_"
USE_NOTED_EVERY = timedelta(minutes=1)
MOST_ADDRESSES = 10
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)
HIGHEST_LIMIT = 1_000_000


class Revoked(errors.NotAllowed):
    """The key was revoked before: it stays as it is."""


@dataclass(frozen=True)
class MadeKey:
    """A key with its new secret, which is stored nowhere."""

    key: ApiKey
    secret: str


@transaction.atomic
def create(
    *,
    name: str,
    actor: Actor,
    at: datetime,
    expires_at: datetime | None = None,
    rights: Rights = None,
    rate_limit: int | None = None,
) -> MadeKey:
    """Make a key of 256 random bits. Every call makes another one.

    ``rights`` None is everything, ``rate_limit`` (requests a minute) None is any number. Raises Invalid for an empty or
    too long name, for unknown rights, for a limit that is none and for an end that is over.
    """
    if not name.strip():
        raise errors.Invalid("validation_errors", "A key needs a name.", {"name": ["value_is_mandatory"]})
    if len(name) > 255:
        raise errors.Invalid("validation_errors", "The name is too long.", {"name": ["value_is_too_long"]})
    if expires_at is not None and expires_at <= at:
        raise errors.Invalid("validation_errors", "This time is over.", {"expires_at": ["value_is_out_of_range"]})
    secret, digest = _secret()
    key = ApiKey.objects.create(
        name=name,
        digest=digest,
        hint=secret[-4:],
        rights=known_rights.checked(rights),
        rate_limit=_limit(rate_limit),
        expires_at=expires_at,
        known_to=_knowing([], actor),
        created_at=at,
    )
    new = {} if key.rights is None and key.rate_limit is None else {"rights": key.rights, "rate_limit": key.rate_limit}
    audit.record(actor=actor, at=at, verb="create", instance=key, new=new)
    security_logs.of_key(event="created", key=key, actor=actor, at=at, new=new)
    return MadeKey(key=key, secret=secret)


@transaction.atomic
def change(*, api_key_id: int, rights: Rights, rate_limit: int | None, actor: Actor, at: datetime) -> ApiKey:
    """Give a key these rights and this limit (requests a minute) from now on, in place of those that it has.

    The same ones again change nothing. Raises NotFound, Revoked, Invalid.
    """
    key = _locked(api_key_id)
    old = {"rights": key.rights, "rate_limit": key.rate_limit}
    new = {"rights": known_rights.checked(rights), "rate_limit": _limit(rate_limit)}
    if old != new:
        key.rights, key.rate_limit = new["rights"], new["rate_limit"]
        key.save(update_fields=["rights", "rate_limit"])
        audit.record(actor=actor, at=at, verb="change_rights", instance=key, old=old, new=new)
        security_logs.of_key(event="updated", key=key, actor=actor, at=at, old=old, new=new)
    return key


@transaction.atomic
def rotate(*, api_key_id: int, actor: Actor, at: datetime, overlap: timedelta = OVERLAP, reason: str = "") -> MadeKey:
    """Give a key a new secret; the one it had stays good for the overlap, one that it had before that does not.

    Name, rights, limit and end stay. The overlap is 0 seconds to 30 days. Every call makes another secret. Raises
    NotFound, Revoked, Invalid.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        details = {"overlap": ["value_is_out_of_range"]}
        raise errors.Invalid("validation_errors", "The overlap is 0 seconds to 30 days.", details)
    key = _locked(api_key_id)
    secret, digest = _secret()
    old = {"hint": key.hint}
    key.previous_digest, key.previous_hint, key.previous_until = key.digest, key.hint, at + overlap
    if not overlap:
        key.previous_digest, key.previous_hint, key.previous_until = None, "", None
    key.digest, key.hint, key.rotated_at = digest, secret[-4:], at
    key.known_to = _knowing(key.known_to, actor)
    key.save(
        update_fields=[
            *("digest", "hint", "rotated_at", "previous_digest", "previous_hint", "previous_until", "known_to")
        ],
    )
    new = {"hint": key.hint, "previous_until": key.previous_until}
    audit.record(actor=actor, at=at, verb="rotate", instance=key, old=old, new=new, reason=reason)
    security_logs.of_key(event="rotated", key=key, actor=actor, at=at, old=old, new=new)
    return MadeKey(key=key, secret=secret)


@transaction.atomic
def revoke(*, api_key_id: int, actor: Actor, at: datetime, reason: str = "") -> ApiKey:
    """Refuse a key from now on, the secret that a rotation replaced too. Again, it changes nothing. Raises NotFound."""
    key = _found(api_key_id)
    if key.revoked_at is None:
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
        audit.record(actor=actor, at=at, verb="revoke", instance=key, reason=reason)
        security_logs.of_key(event="deleted", key=key, actor=actor, at=at)
    return key


def _knowing(before: list[int], actor: Actor) -> list[int]:
    """Who was shown a secret of a key: those before, and whoever is shown it now."""
    now = set(actor.behind) if actor.user_id is None else {actor.user_id}
    return sorted({*before, *now})


def note_use(*, key: ApiKey, at: datetime, address: str = "") -> None:
    """Remember when a key was last used and from where, to the minute.

    Most calls write nothing, and none waits for another's row. Ten addresses are kept, the latest; while they are full,
    a further one is noted with the next minute's note.
    """
    before = at - USE_NOTED_EVERY
    is_stale = key.last_used_at is None or key.last_used_at <= before
    is_new = bool(address) and address not in key.addresses and len(key.addresses) < MOST_ADDRESSES
    if not is_stale and not is_new:
        return
    due = models.Q(last_used_at__isnull=True) | models.Q(last_used_at__lte=before)
    if is_new:
        due |= ~models.Q(addresses__has_key=address)
    with transaction.atomic():
        free = ApiKey.objects.filter(due, pk=key.pk).select_for_update(skip_locked=True, no_key=True)
        for row in free:
            addresses = {**row.addresses, address: at.isoformat()} if address else row.addresses
            latest = sorted(addresses.items(), key=lambda one: one[1], reverse=True)[:MOST_ADDRESSES]
            ApiKey.objects.filter(pk=row.pk).update(last_used_at=at, addresses=dict(latest))


def _secret() -> tuple[str, str]:
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, api_keys.digest(secret)


def _limit(rate_limit: int | None) -> int | None:
    if rate_limit is not None and not 0 < rate_limit <= HIGHEST_LIMIT:
        details = {"rate_limit": ["value_is_out_of_range"]}
        raise errors.Invalid("validation_errors", "A limit is 1 to 1,000,000 requests a minute.", details)
    return rate_limit


def _locked(api_key_id: int) -> ApiKey:
    key = _found(api_key_id)
    if key.revoked_at is not None:
        raise Revoked("already_revoked", "The key was revoked already.")
    return key


def _found(api_key_id: int) -> ApiKey:
    try:
        return db.lock_one(ApiKey.objects.filter(pk=api_key_id))
    except ApiKey.DoesNotExist as error:
        raise errors.NotFound("api_key_not_found") from error
