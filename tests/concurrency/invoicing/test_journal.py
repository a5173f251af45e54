"""An export beside somebody who books: ids are given in one order and committed in another, and nothing is lost.

The control shows what the highest visible id would miss without the lock.
"""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from invoicing.models import Invoice, LedgerEntry
from invoicing.services import disputes, journal_exports, payments
from tests.concurrency import threads
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)

FACTS = ("payment_received", "dispute_opened")


def race(*, waits: bool) -> tuple[list[int], list[int]]:
    """Book a dispute and a payment, the first to write being the last to commit, and export between; return what each
    export has. Two payments of a seller would wait for each other: they take the numbers of their receipts.
    """
    entity = make.make_entity()
    slow, quick, last = (make.issue(make.make_customer(entity, name), "1.00") for name in "abc")
    journal_exports.create(billing_entity_id=entity.pk, actor=make.ACTOR, at=make.AT)
    written, committed = threading.Event(), threading.Event()

    def book_slowly() -> None:
        with transaction.atomic():
            disputes.open_dispute(invoice_id=slow.pk, reason="late", actor=make.ACTOR, at=make.AT)
            written.set()
            committed.wait(0.5 if waits else threads.WAIT_SECONDS)

    def book_and_export() -> list[int]:
        written.wait(threads.WAIT_SECONDS)
        pay(quick)
        found = journal_exports.create(billing_entity_id=entity.pk, actor=make.ACTOR, at=make.AT)
        committed.set()
        return ids(found.pk)

    (_, first) = threads.together([book_slowly, book_and_export])
    assert isinstance(first, list), first
    pay(last)
    second = journal_exports.create(billing_entity_id=entity.pk, actor=make.ACTOR, at=make.AT)
    return first, ids(second.pk)


def pay(invoice: Invoice) -> None:
    """Pay an invoice in full."""
    payments.record(
        invoice_id=invoice.pk,
        amount=invoice.total_amount,
        reference="",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )


def ids(export_id: int) -> list[int]:
    """The entries of an export, by the range that it stores and its file."""
    export = journal_exports.JournalExport.objects.get(pk=export_id)
    text = b"".join(journal_exports.content(export=export, kind="csv")).decode()
    return sorted({int(line.split(",")[1]) for line in text.splitlines()[1:]})


def test_an_entry_that_is_committed_late_is_not_lost() -> None:
    first, second = race(waits=True)
    assert (len(first), len(second)) == (2, 1)
    booked = LedgerEntry.objects.filter(fact__in=FACTS).order_by("pk")
    assert sorted(first + second) == list(booked.values_list("pk", flat=True))


def test_control_without_the_lock_it_is_lost() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE invoicing_ledgerentry DISABLE TRIGGER invoicing_entry_hold_journal")
    try:
        first, second = race(waits=False)
        assert len(first) == len(second) == 1
        assert LedgerEntry.objects.filter(fact__in=FACTS).count() == 3  # one of them is in neither
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE invoicing_ledgerentry ENABLE TRIGGER invoicing_entry_hold_journal")
