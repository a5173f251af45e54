"""Breaking stored data behind the database's back, to see whether somebody notices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from billing.services import books_register as billing_register
from config.kernel import checks
from config.kernel.checks import Scope
from invoicing.services import books_register as invoicing_register
from tests.factories import invoicing as make


@contextmanager
def behind_its_back() -> Iterator[Any]:
    """Write past all triggers, as somebody with the rights of the database's owner could."""
    with connection.cursor() as cursor:
        # What is still to be checked of the sound books is checked now.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def assert_sound() -> None:
    """Assert that every check of the books holds which reads all rows."""
    invoicing_register.register()
    billing_register.register()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    scope = Scope(as_of=make.AT)
    for check in checks.registered():
        if not check.is_sampled:
            verdict = check.run(scope)
            assert verdict.count == 0, (check.name, verdict.findings)
