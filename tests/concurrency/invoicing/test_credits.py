"""Credits used at once: never twice. The control shows what happens without the lock."""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from moneyed import Money

from config.kernel import db
from customers.models import Customer
from invoicing.domain.credit_notes import NotCreditable
from invoicing.models import CreditNote, CreditNoteUse, Invoice, InvoiceLine
from invoicing.queries import ledger
from invoicing.services import credit_note_uses, credit_notes, invoices
from tests.concurrency import threads
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity())


@pytest.fixture
def note(customer: Customer) -> CreditNote:
    """A credit of 50.00."""
    return giver(make.issue(customer, "50.00"), "50.00")()


def giver(invoice: Invoice, amount: str) -> Any:
    line = InvoiceLine.objects.get(invoice=invoice)
    return partial(
        credit_notes.create,
        invoice_id=invoice.pk,
        amounts={line.pk: Money(amount, "EUR")},
        reason="other",
        actor=make.ACTOR,
        at=make.AT,
    )


def finalizer(invoice: Invoice) -> Any:
    return partial(invoices.finalize, invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)


def test_invoices_issued_at_once_share_a_credit(customer: Customer, note: CreditNote) -> None:
    drafts = [make.draft(customer, "30.00").invoice for _ in range(4)]

    results = threads.together([finalizer(draft) for draft in drafts])

    assert {type(result) for result in results} == {Invoice}
    note.refresh_from_db()
    assert (note.balance_amount, note.credit_status) == (Money("0", "EUR"), "consumed")
    totals = sorted(
        Invoice.objects.filter(pk__in=[draft.pk for draft in drafts]).values_list("total_amount", flat=True)
    )
    assert totals == [0, 10, 30, 30]
    assert sorted(use.amount.amount for use in CreditNoteUse.objects.all()) == [20, 30]
    assert ledger.out_of_balance() == {}


def test_a_credit_is_used_or_voided_and_never_both(customer: Customer, note: CreditNote) -> None:
    draft = make.draft(customer, "50.00").invoice

    results = threads.together(
        [
            finalizer(draft),
            partial(credit_notes.void, credit_note_id=note.pk, actor=make.ACTOR, at=make.AT),
        ]
    )

    note.refresh_from_db()
    draft.refresh_from_db()
    was_used = draft.total_amount.amount == 0
    assert note.credit_status == ("consumed" if was_used else "voided")
    assert any(isinstance(result, credit_notes.UnableToCredit) for result in results) is was_used
    assert note.balance_amount.amount == 0
    assert ledger.out_of_balance() == {}


def test_one_line_is_given_back_once(customer: Customer) -> None:
    invoice = make.issue(customer, "50.00")

    results = threads.together([giver(invoice, "30.00"), giver(invoice, "30.00"), giver(invoice, "20.00")])

    assert len([result for result in results if isinstance(result, NotCreditable)]) in {1, 2}
    given = CreditNote.objects.filter(invoice=invoice)
    assert sum(one.total_amount.amount for one in given) <= 50
    assert sorted(one.sequential_id for one in given) == list(range(1, len(given) + 1))


def test_control_without_the_lock_only_the_database_stops_it(
    customer: Customer, note: CreditNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = [make.draft(customer, "50.00").invoice for _ in range(2)]
    read = threading.Barrier(2)

    def unlocked(rows: Any) -> list[Any]:
        found = list(rows)
        read.wait(timeout=10)
        return found

    monkeypatch.setattr(credit_note_uses, "db", _Unlocked(unlocked))

    results = threads.together([finalizer(draft) for draft in drafts])

    assert {type(result) for result in results} == {Invoice, IntegrityError}
    assert CreditNoteUse.objects.count() == 1


class _Unlocked:
    """The module of locks, with one that does not lock."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock

    def __getattr__(self, name: str) -> Any:
        return getattr(db, name)
