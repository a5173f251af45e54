"""Voids and disputes beside payments, and held money spent twice: one goes first. Controls show what happens without
the lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from moneyed import Money

from config.kernel import errors
from invoicing.domain.disputes import InvalidDispute
from invoicing.models import Invoice, InvoiceDispute, LedgerEntry, Payment
from invoicing.queries import books_ledger, held_payments, ledger
from invoicing.queries import invoices as known_invoices
from invoicing.services import disputes, invoices, payments
from invoicing.services import held_payments as held_money
from tests.concurrency import threads
from tests.factories import books
from tests.factories import coupons as make_coupons
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)

SCOPE = books.Scope(as_of=make.AT)


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def invoice() -> Invoice:
    return make.issue(make.make_customer(make.make_entity()), "100.00")


def payer(invoice: Invoice, amount: str = "60.00") -> Callable[[], Any]:
    return partial(
        payments.record,
        invoice_id=invoice.pk,
        amount=eur(amount),
        reference="wire",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )


def voider(invoice: Invoice) -> Callable[[], Any]:
    return partial(invoices.void, invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)


def disputer(invoice: Invoice, amount: str = "80.00") -> Callable[[], Any]:
    return partial(
        disputes.open_dispute, invoice_id=invoice.pk, amount=eur(amount), reason="no", actor=make.ACTOR, at=make.AT
    )


def test_a_void_and_a_payment_at_once(invoice: Invoice) -> None:
    voided, paid = threads.together([voider(invoice), payer(invoice)])

    assert isinstance(voided, Invoice)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_amount) == ("voided", eur("0"))
    if isinstance(paid, Payment):  # it came first, and is held now
        assert held_payments.held(paid) == eur("60")
    else:
        assert isinstance(paid, payments.UnableToPay)
        assert not Payment.objects.exists()
    books.assert_sound()


def test_two_voids_at_once(invoice: Invoice) -> None:
    results = threads.together([voider(invoice), voider(invoice)])

    assert sorted(isinstance(result, Invoice) for result in results) == [False, True]
    assert {getattr(result, "code", "") for result in results} == {"", "not_voidable"}
    assert LedgerEntry.objects.filter(fact="invoice_voided").count() == 1


def test_a_dispute_and_a_payment_at_once(invoice: Invoice) -> None:
    disputed, paid = threads.together([disputer(invoice), payer(invoice)])

    assert isinstance(paid, Payment)
    invoice.refresh_from_db()
    if isinstance(disputed, InvoiceDispute):  # it came first, and shrank to what is due
        assert invoice.disputed_amount == eur("40")
    else:
        assert isinstance(disputed, InvalidDispute)
        assert invoice.disputed_amount == eur("0")
    books.assert_sound()


def test_held_money_goes_back_or_pays_another_invoice_never_both(invoice: Invoice) -> None:
    payment = payer(invoice, "100.00")()
    voider(invoice)()
    other = make.issue(invoice.customer, "100.00")

    results = threads.together(
        [
            partial(
                held_money.refund, payment_id=payment.pk, amount=eur("70"), reference="", actor=make.ACTOR, at=make.AT
            ),
            partial(
                held_money.allocate,
                payment_id=payment.pk,
                invoice_id=other.pk,
                amount=eur("70"),
                actor=make.ACTOR,
                at=make.AT,
            ),
        ]
    )

    assert len([result for result in results if isinstance(result, held_money.InvalidHeldAmount)]) == 1
    assert held_payments.held(payment) == eur("30")
    books.assert_sound()


def test_voids_beside_issuing_wait_for_each_other(invoice: Invoice) -> None:
    """Both take coupons before anything else of the customer's, so that none waits for the other for ever."""
    customer = invoice.customer
    make_coupons.give(customer, rate="0.1", frequency="forever")
    issued = [make.issue(customer, "10.00") for _ in range(4)]
    drafts = [make.draft(customer, "10.00").invoice for _ in range(4)]

    results = threads.together(
        [voider(one) for one in issued]
        + [partial(invoices.finalize, invoice_id=one.pk, actor=make.ACTOR, at=make.AT) for one in drafts]
    )

    assert [type(result) for result in results] == [Invoice] * 8
    books.assert_sound()


class _Unlocked:
    """Reads an invoice without its lock; whoever is told to goes on when the other one is done."""

    def __init__(self) -> None:
        self.read = threading.Barrier(2)
        self.done = threading.Event()
        self.waits = threading.local()

    def __call__(self, invoice_id: int) -> Invoice:
        found = Invoice.objects.get(pk=invoice_id)
        self.read.wait(threads.WAIT_SECONDS)
        if getattr(self.waits, "on", False):
            assert self.done.wait(threads.WAIT_SECONDS)
        return found

    def first(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            self.done.set()

    def second(self, call: Callable[[], Any]) -> Any:
        self.waits.on = True
        return call()


def test_control_a_payment_of_what_is_voided_meanwhile(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    unlocked = _Unlocked()
    monkeypatch.setattr(known_invoices, "locked", unlocked)

    results = threads.together([partial(unlocked.first, voider(invoice)), partial(unlocked.second, payer(invoice))])

    # The payment still sees an invoice that is owed. The money pays a voided one, and only the books tell.
    assert [type(result) for result in results] == [Invoice, Payment]
    assert ledger.out_of_balance() == {}
    assert books_ledger.RECEIVABLES.run(SCOPE).count == 1


def test_control_a_dispute_of_what_is_paid_meanwhile(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    unlocked = _Unlocked()
    monkeypatch.setattr(known_invoices, "locked", unlocked)

    results = threads.together([partial(unlocked.first, payer(invoice)), partial(unlocked.second, disputer(invoice))])

    # It still sees 100.00 due; the database refuses to have more disputed than is due.
    assert [type(result) for result in results] == [Payment, IntegrityError]
    assert not isinstance(results[1], errors.DomainError)
    assert not InvoiceDispute.objects.exists()
