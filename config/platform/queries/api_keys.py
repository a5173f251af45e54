"""Reading API keys. Owns how a presented key is recognised; making and revoking keys is the service's."""

from __future__ import annotations

import hashlib
from datetime import datetime

from config.platform.models import ApiKey

# Written out: every request asks this, and building a query from the model takes longer than running it.
_BY_DIGEST = "SELECT * FROM platform_apikey WHERE digest = %s"


def digest(secret: str) -> str:
    """Return what is stored of a key: its SHA-256 in hex. Keys are long and random, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def usable(*, secret: str, at: datetime) -> ApiKey | None:
    """Return the key if it exists and is neither revoked nor expired at that instant. One query on a unique index."""
    key = next(iter(ApiKey.objects.raw(_BY_DIGEST, [digest(secret)])), None)
    if key is None or key.revoked_at is not None:
        return None
    return None if key.expires_at is not None and key.expires_at <= at else key
