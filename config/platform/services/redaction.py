"""What a log may keep of a body: nothing secret, nothing personal, and not all too much. Owns hiding and cutting.

Only JSON is kept, for only there it is known what is what; of anything else no more than its kind and its length.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

HIDDEN = "[hidden]"
LONGEST = 32 * 1024
READ_AT_MOST = 2 * 1024 * 1024

SECRETS = frozenset(
    {
        "authorization",
        "secret",
        "token",
        "password",
        "api_key",
        "hmac_key",
        "private_key",
        "signature",
        "iban",
        "bic",
        "bank_name",
        "bank_account",
        "account_number",
        "routing_number",
        "sort_code",
        # Whoever has one of these addresses needs no key.
        "file_url",
        "xml_url",
        "portal_url",
        "checkout_url",
        "payment_url",
        "webhook_url",
        "webhook_urls",
    }
)
"""Names of fields that are hidden always; a name that ends like one of `ENDINGS` is too."""

ENDINGS = ("_secret", "_token", "_password", "_hmac_key", "_private_key", "_api_key")


def shown(raw: bytes, *, content_type: str, hidden: Collection[str]) -> str:
    """Return what may be kept of a body: its JSON without what is hidden, 32 kB at most, or a word on what it is.

    ``hidden`` names further fields, in any case, wherever they are. An empty body is an empty text.
    """
    if not raw.strip():
        return ""
    if len(raw) > READ_AT_MOST or "json" not in content_type:
        return f"[{content_type.partition(';')[0] or 'no JSON'}, {len(raw)} bytes]"
    try:
        content = json.loads(raw.decode("utf-8"))
        text = json.dumps(redacted(content, hidden=hidden), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return f"[no JSON, {len(raw)} bytes]"
    return cut(text)


def redacted(content: Any, *, hidden: Collection[str]) -> Any:
    """Return decoded JSON in which the values of secret and hidden fields are replaced, at any depth."""
    names = {name.lower() for name in hidden}
    return _redacted(content, names)


def cut(text: str) -> str:
    """Return a text that a column can hold, 32 kB at most, without half a character at its end."""
    raw = text.replace("\x00", "").encode("utf-8", "replace")
    return raw[:LONGEST].decode("utf-8", "ignore")


def is_secret(name: str, *, hidden: Collection[str]) -> bool:
    """Say whether the value of a field of that name is hidden; ``hidden`` is in lower case."""
    plain = name.lower()
    return plain in SECRETS or plain in hidden or plain.endswith(ENDINGS)


def _redacted(content: Any, names: Collection[str]) -> Any:
    if isinstance(content, dict):
        return {
            key: HIDDEN if is_secret(key, hidden=names) and value not in (None, "", [], {}) else _redacted(value, names)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_redacted(one, names) for one in content]
    return content
