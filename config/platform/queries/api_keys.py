"""Reading API keys. Owns how a presented key is recognised; making and revoking keys is the service's."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from django.db import connection, models

from config.platform.models import ApiKey

# Written out: every request asks this, and building a query from the model takes longer than running it.
_FIELDS = ApiKey._meta.concrete_fields
_NAMES = tuple(field.attname for field in _FIELDS)
_JSON = tuple(place for place, field in enumerate(_FIELDS) if isinstance(field, models.JSONField))
_SELECT = f"SELECT {', '.join(field.column for field in _FIELDS)} FROM platform_apikey WHERE"  # noqa: S608 - our columns
_BY_DIGEST = f"{_SELECT} digest = %s"
_BY_PREVIOUS = f"{_SELECT} previous_digest = %s"


def digest(secret: str) -> str:
    """Return what is stored of a key: its SHA-256 in hex. Keys are long and random, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def usable(*, secret: str, at: datetime) -> ApiKey | None:
    """Return the key if it exists and is neither revoked nor expired at that instant.

    One query on a unique index; another one for a secret that a rotation replaced, which is good until its overlap is
    over, and for one that is unknown.
    """
    wanted = digest(secret)
    key = _one(_BY_DIGEST, wanted)
    if key is None:
        key = _one(_BY_PREVIOUS, wanted)
        if key is None or key.previous_until is None or key.previous_until <= at:
            return None
    if key.revoked_at is not None:
        return None
    return None if key.expires_at is not None and key.expires_at <= at else key


def _one(statement: str, wanted: str) -> ApiKey | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [wanted])
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for place in _JSON:  # the driver leaves it as text
        if values[place] is not None:
            values[place] = json.loads(values[place])
    return ApiKey.from_db(connection.alias, _NAMES, values)
