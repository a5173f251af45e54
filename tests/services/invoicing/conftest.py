"""What tests of invoicing's services share: heard facts, counted messages, and constraints checked at once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from config.kernel import events, jobs
from invoicing.domain import facts


@pytest.fixture
def heard() -> Iterator[list[object]]:
    """Collect the facts that are published, in order."""
    found: list[object] = []
    kinds = (facts.InvoiceFinalized, facts.InvoicePaid, facts.InvoiceVoided, facts.PaymentOverdue)
    for kind in kinds:
        events.subscribe(kind, found.append)
    yield found
    for kind in kinds:
        events.type_subscribers[kind].remove(found.append)


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Collect the messages to tasks instead of sending them."""
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(jobs, "enqueue", lambda path, **kwargs: sent.append((path, kwargs)))
    return sent


@pytest.fixture
def commit_checks() -> Callable[[], None]:
    """Check now what the database would check when the transaction ends."""

    def check() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    return check
