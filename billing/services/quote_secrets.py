"""Keeps the secret of an order form's link so that a later e-mail can bring the same link, without keeping it readable.

Owns sealing and opening. The key is derived from the installation's secret key: whoever has the database alone, or a
copy of it, cannot follow a link.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils import crypto

from config.kernel import errors

SALT = "billing.quote_links"


class SecretLost(errors.Conflict):
    """The secret was sealed with a key that the installation does not have any more."""


def seal(*, secret: str) -> str:
    """Return the secret encrypted; twice the same secret gives two texts."""
    return _keys().encrypt(secret.encode()).decode()


def opened(*, sealed: str) -> str:
    """Return a sealed secret; earlier keys (`SECRET_KEY_FALLBACKS`) work too. Raises SecretLost (`secret_lost`)."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SecretLost("secret_lost", "The link was sealed with another secret key. Send the quote again.") from None


def _keys() -> MultiFernet:
    return MultiFernet([_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> Fernet:
    digest = crypto.salted_hmac(SALT, "key", secret=secret, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(digest))
