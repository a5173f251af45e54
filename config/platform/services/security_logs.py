"""The security log: keys made and rotated, people signing in, rights given and taken. Owns writing it.

It tells of accounts and keys in one place and knows the address that something came from; what was changed in full is
in the audit trail too. Entries are kept for as long as the installation says, and are purged then.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from config.kernel.actors import Actor
from config.platform.models import ApiKey, SecurityLog
from config.platform.services import audit


def record(
    *,
    kind: SecurityLog.Kind,
    event: str,
    actor: Actor,
    at: datetime,
    resources: Mapping[str, Any],
    key: ApiKey | None = None,
) -> None:
    """Write one entry: ``event`` is the past of a verb ("created"), ``resources`` plain values on what it was about.

    Every call writes another one, in the transaction of the caller where there is one.
    """
    SecurityLog.objects.create(
        at=at,
        created_at=at,
        kind=kind,
        event=f"{kind}.{event}",
        actor_label=actor.label[:255],
        user_id=actor.user_id,
        user_email=_email(actor.user_id),
        api_key=key,
        address=actor.address,
        client=actor.client,
        resources=audit.plain(resources),
    )


def of_key(
    *,
    event: str,
    key: ApiKey,
    actor: Actor,
    at: datetime,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
) -> None:
    """Note what happened to an API key: its name and last characters, never the key, and what changed."""
    resources = {"name": key.name, "hint": key.hint, "old": audit.plain(old or {}), "new": audit.plain(new or {})}
    record(kind=SecurityLog.Kind.API_KEY, event=event, actor=actor, at=at, key=key, resources=resources)


def _email(user_id: int | None) -> str:
    if user_id is None:
        return ""
    return User.objects.filter(pk=user_id).values_list("email", flat=True).first() or ""
