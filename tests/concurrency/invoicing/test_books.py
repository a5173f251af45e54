"""Books under several hands: a booked entry takes nothing more, and a draft is issued once. The control shows what
stands behind the lock.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from config.kernel import db
from invoicing.models import Invoice, LedgerEntry
from invoicing.services import finalization, invoices
from tests.concurrency import threads
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)

TWICE = """INSERT INTO invoicing_ledgerposting (uuid, created_at, entry_id, account_id, currency, amount)
    SELECT gen_random_uuid(), created_at, entry_id, account_id, currency, {} FROM invoicing_ledgerposting"""


def test_nothing_is_posted_to_a_booked_entry() -> None:
    make.issue(make.make_customer(make.make_entity()), "10.00")

    for amount in ("amount", "-amount"):
        with pytest.raises(IntegrityError, match="is booked"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TWICE.format(amount))


def test_control_without_the_lock_only_the_database_keeps_a_draft_from_being_issued_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draft = make.draft(make.make_customer(make.make_entity()), "1.00").invoice
    read = threading.Barrier(2)

    class Unlocked:
        """The module of locks, with one that does not lock."""

        def __getattr__(self, name: str) -> Any:
            return getattr(db, name)

        def lock(self, rows: Any) -> list[Any]:
            found = list(rows)
            read.wait(threads.WAIT_SECONDS)
            return found

    monkeypatch.setattr(finalization, "db", Unlocked())

    results = threads.together(
        [partial(invoices.finalize, invoice_id=draft.pk, actor=make.ACTOR, at=make.AT) for _ in range(2)]
    )

    # Both see a draft and go ahead; what is issued is frozen, so that the second one is refused.
    assert {type(result) for result in results} == {Invoice, IntegrityError}
    assert LedgerEntry.objects.count() == 1
    assert Invoice.objects.get().sequential_id == 1
