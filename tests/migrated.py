"""A migrated database that test databases are copied from: migrating takes half a minute, copying half a second.

It is named after all migrations and the Django that runs them, and stays on the server for the next run. Owns making it
once, however many test processes ask at the same time, and dropping old ones.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

_ROOT = Path(__file__).resolve().parents[1]
_PREFIX = "quittance_migrated_"
_KEPT = 4


def database() -> str:
    """Return the name of the database with the migrations of this checkout, made if it is not there yet."""
    name = f"{_PREFIX}{_fingerprint()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid", [f"{_PREFIX}%"])
        known = [row[0] for row in cursor.fetchall()]
        if name not in known:
            unfinished = f"unfinished_{name}"
            cursor.execute(f'DROP DATABASE IF EXISTS "{unfinished}"')
            cursor.execute(f"CREATE DATABASE \"{unfinished}\" TEMPLATE template0 ENCODING 'UTF8'")
            _migrate(unfinished)
            for old in known[: 1 - _KEPT]:
                cursor.execute(f'DROP DATABASE IF EXISTS "{old}"')
            cursor.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
        cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
    return name


def _fingerprint() -> str:
    digest = hashlib.sha256(django.get_version().encode())
    for path in sorted(_ROOT.glob("*/migrations/*.py")) + sorted(_ROOT.glob("*/*/migrations/*.py")):
        digest.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes())
    for path in sorted(_ROOT.glob("*/models/*.py")) + sorted(_ROOT.glob("*/*/models/*.py")):
        # Content types and permissions are made from the models after migrating.
        digest.update(path.read_bytes())
    digest.update((_ROOT / "config/platform/services/roles.py").read_bytes())  # groups are filled after migrating
    return digest.hexdigest()[:16]


def _migrate(name: str) -> None:
    settings, own = connection.settings_dict, connection.settings_dict["NAME"]
    connection.close()
    settings["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()
        settings["NAME"] = own
