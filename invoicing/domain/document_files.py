"""Names of document files. Owns the way from an invoice number, which people choose the prefix of, to a safe path."""

from __future__ import annotations

import hashlib
import re

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST = 80


def stem(name: str) -> str:
    """Return a name that is safe in every file system and in a mail header: letters, digits, hyphen and underscore.

    A name that had to be changed gets a piece of its own digest, so that two different names never meet.
    """
    safe = _UNSAFE.sub("-", name).strip("-")[:_LONGEST]
    if safe == name:
        return safe
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{safe}-{digest}" if safe else digest


def path(*, year: int, entity_id: int, entity_code: str, number: str, suffix: str, folder: str = "invoices") -> str:
    """Return where the file of a document lies in the storage: `invoices/2026/7-acme/ACME-202605-001.pdf`.

    No two documents of a folder share it, also where sellers change their codes: a number is one seller's, and his id
    stays.
    """
    return f"{folder}/{year:04}/{entity_id}-{stem(entity_code)}/{stem(number)}.{suffix}"
