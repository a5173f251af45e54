"""Signatures of webhooks. Owns the two keys of the installation and the headers made with them.

The keys are configured (several machines need the same), or made on first use in files that only the owner can read.
A receiver checks either the JWT (RS256, claim ``data`` is the body) by the public key, or the HMAC by the shared one.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import pathlib
import secrets
from datetime import datetime
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.kernel import keyfiles

KEY_FILE, HMAC_FILE = "webhook_key.pem", "webhook_hmac_key"
JWT, HMAC = "jwt", "hmac"
_BITS, _SECRET_BYTES = 2048, 32


def headers(*, algorithm: str, body: str, unique_key: UUID, at: datetime) -> dict[str, str]:
    """Return the headers that say what a request is and that it is ours.

    ``X-Quittance-Signature`` is ours alone: it signs the time of sending too, so that old requests can be refused. It
    is an HMAC whatever the algorithm of the endpoint.
    """
    sent = int(at.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": "Quittance-Webhooks/1",
        "X-Lago-Signature": signature(algorithm=algorithm, body=body),
        "X-Lago-Signature-Algorithm": algorithm,
        "X-Lago-Unique-Key": str(unique_key),
        "X-Quittance-Signature": f"t={sent},v1={_timed(sent, body)}",
    }


def signature(*, algorithm: str, body: str) -> str:
    """Sign a body: a JWT of RS256 with the claims ``data`` and ``iss``, or the HMAC-SHA256 in base64."""
    if algorithm == HMAC:
        return base64.b64encode(hmac.digest(hmac_key().encode(), body.encode(), hashlib.sha256)).decode()
    return jwt.encode({"data": body, "iss": settings.PUBLIC_URL}, _private_key(), algorithm="RS256")


def public_key() -> str:
    """Return the public key of the JWTs as PEM."""
    key = _private_key().public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def public_key_base64() -> str:
    """Return the public key's PEM in base64, on one line, as clients read it."""
    return base64.b64encode(public_key().encode("ascii")).decode("ascii")


def hmac_key() -> str:
    """Return the secret that receivers of HMAC signatures share."""
    return _hmac_key(settings.WEBHOOK_HMAC_KEY, settings.DATA_DIR)


def _timed(sent: int, body: str) -> str:
    return hmac.digest(hmac_key().encode(), f"{sent}.{body}".encode(), hashlib.sha256).hex()


def _private_key() -> rsa.RSAPrivateKey:
    return _loaded(settings.WEBHOOK_SIGNING_KEY, settings.DATA_DIR)


@functools.cache
def _hmac_key(configured: str, directory: pathlib.Path) -> str:
    return configured or keyfiles.kept(directory / HMAC_FILE, lambda: secrets.token_urlsafe(_SECRET_BYTES))


@functools.cache
def _loaded(configured: str, directory: pathlib.Path) -> rsa.RSAPrivateKey:
    text = _pem(configured) if configured else keyfiles.kept(directory / KEY_FILE, _generated)
    try:
        key = serialization.load_pem_private_key(text.encode(), password=None)
    except ValueError as error:
        raise ImproperlyConfigured("WEBHOOK_SIGNING_KEY is no private key in PEM without a password.") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _BITS:
        raise ImproperlyConfigured(f"WEBHOOK_SIGNING_KEY is no RSA key of at least {_BITS} bits.")
    return key


def _pem(configured: str) -> str:
    """Return a key as PEM: variables hold no line ends, so they come as ``\\n`` or all of it comes in base64."""
    if "-----BEGIN" in configured:
        return configured.replace("\\n", "\n")
    try:
        return base64.b64decode(configured, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ImproperlyConfigured("WEBHOOK_SIGNING_KEY is neither PEM nor base64 of it.") from error


def _generated() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")
