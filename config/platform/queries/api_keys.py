"""Reading API keys. Owns how a presented key is recognised; making and revoking keys is the service's."""

from __future__ import annotations

import hashlib
from datetime import datetime

from config.platform.models import ApiKey


def digest(secret: str) -> str:
    """Return what is stored of a key: its SHA-256 in hex. Keys are long and random, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def usable(*, secret: str, at: datetime) -> ApiKey | None:
    """Return the key if it exists and is neither revoked nor expired at that instant. One query on a unique index."""
    key = ApiKey.objects.filter(digest=digest(secret)).first()
    if key is None or key.revoked_at is not None:
        return None
    return None if key.expires_at is not None and key.expires_at <= at else key
