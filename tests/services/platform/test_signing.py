"""Signatures of webhooks: what receivers check, and the keys that are kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import pathlib
import threading
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.exceptions import ImproperlyConfigured

from config.platform.services import signing
from tests.factories.platform import AT

BODY = '{"webhook_type":"invoice.created","note":"Grüße, 世界 \\u2028"}'
KEY = UUID("c0ffee00-0000-4000-8000-000000000001")


@pytest.fixture(autouse=True)
def _keys(settings: Any, tmp_path: pathlib.Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = "https://billing.example.com"


def _pem(key: Any) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def test_a_jwt_holds_the_body_as_it_is_and_who_sent_it() -> None:
    token = signing.signature(algorithm="jwt", body=BODY)
    claims = jwt.decode(token, signing.public_key(), algorithms=["RS256"], issuer="https://billing.example.com")
    assert claims == {"data": BODY, "iss": "https://billing.example.com"}


def test_an_hmac_is_that_of_the_bytes(settings: Any) -> None:
    settings.WEBHOOK_HMAC_KEY = "shared"
    expected = base64.b64encode(hmac.new(b"shared", BODY.encode(), hashlib.sha256).digest()).decode()
    assert signing.signature(algorithm="hmac", body=BODY) == expected


@pytest.mark.parametrize("algorithm", ["jwt", "hmac"])
def test_the_headers_of_a_request(settings: Any, algorithm: str) -> None:
    settings.WEBHOOK_HMAC_KEY = "shared"
    found = signing.headers(algorithm=algorithm, body=BODY, unique_key=KEY, at=AT)
    sent = str(int(AT.timestamp()))
    timed = hmac.new(b"shared", f"{sent}.{BODY}".encode(), hashlib.sha256).hexdigest()
    assert found == {
        "Content-Type": "application/json",
        "User-Agent": "Quittance-Webhooks/1",
        "X-Lago-Signature": signing.signature(algorithm=algorithm, body=BODY),
        "X-Lago-Signature-Algorithm": algorithm,
        "X-Lago-Unique-Key": str(KEY),
        "X-Quittance-Signature": f"t={sent},v1={timed}",
    }


def test_keys_are_made_once_and_private(tmp_path: pathlib.Path) -> None:
    found: list[tuple[str, str]] = []
    threads = [
        threading.Thread(target=lambda: found.append((signing.public_key(), signing.hmac_key()))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["webhook_hmac_key", "webhook_key.pem"]
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    assert base64.b64decode(signing.public_key_base64()).decode() == found[0][0]


def test_configured_keys_are_used_in_either_form(settings: Any, tmp_path: pathlib.Path) -> None:
    pem = _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    settings.WEBHOOK_SIGNING_KEY = pem.replace("\n", "\\n")
    first = signing.public_key()
    settings.WEBHOOK_SIGNING_KEY = base64.b64encode(pem.encode()).decode()
    assert signing.public_key() == first
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "configured",
    [
        "no key",
        "bm8ga2V5",
        "-----BEGIN PRIVATE KEY-----\\nx\\n-----END PRIVATE KEY-----",
        _pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        _pem(ec.generate_private_key(ec.SECP256R1())),
    ],
)
def test_a_key_that_is_none_is_told(settings: Any, configured: str) -> None:
    settings.WEBHOOK_SIGNING_KEY = configured
    with pytest.raises(ImproperlyConfigured, match="WEBHOOK_SIGNING_KEY"):
        signing.public_key()
