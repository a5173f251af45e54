"""The locks that money takes, in whatever verb: invoices, coupons, credit notes, wallets, numbers. Two verbs that met
with half of them each would wait for each other for ever; here they meet, and both come through.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from moneyed import Money

from customers.models import Customer
from invoicing.models import CreditNote, Invoice
from invoicing.queries import ledger
from invoicing.services import (
    coupon_uses,
    credit_note_uses,
    credit_notes,
    finalization,
    invoices,
    open_invoices,
    payments,
    wallet_draws,
    wallet_top_ups,
    wallets,
)
from invoicing.services import ledger as books
from tests.concurrency import threads
from tests.factories import coupons as make_coupons
from tests.factories import invoicing as make
from tests.factories import wallets as purses

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> Customer:
    seller = make.make_entity()
    books.ensure_accounts(billing_entity_ids=[seller.pk], at=make.AT)
    return make.make_customer(seller, currency="EUR")


class Meeting:
    """Where two verbs meet once, each after the call that takes its first half. One that cannot come is not waited for
    any longer than it takes to see that it waits for the other.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.barrier = threading.Barrier(2)

    def after(self, owner: Any, name: str, *, when: Callable[..., bool] = lambda *_, **__: True) -> None:
        call = getattr(owner, name)

        def met(*args: Any, **values: Any) -> Any:
            found = call(*args, **values)
            if when(*args, **values):
                with contextlib.suppress(threading.BrokenBarrierError):
                    self.barrier.wait(1)
            return found

        self.patch.setattr(owner, name, met)


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> Meeting:
    return Meeting(monkeypatch)


def finalizer(invoice: Invoice) -> Callable[[], Any]:
    return partial(invoices.finalize, invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)


def come_through(*calls: Callable[[], Any]) -> None:
    found = threads.together(calls)
    assert [result for result in found if isinstance(result, Exception)] == []
    assert ledger.out_of_balance() == {}


def credit(customer: Customer, amount: str) -> CreditNote:
    invoice = make.issue(customer, amount)
    line = invoice.lines.get()
    return credit_notes.create(
        invoice_id=invoice.pk, amounts={line.pk: line.amount}, reason="other", actor=make.ACTOR, at=make.AT
    )


def test_credits_are_bought_while_a_credit_note_pays_an_invoice(customer: Customer, meeting: Meeting) -> None:
    credit(customer, "10.00")
    wallet = purses.make_wallet(customer)
    purses.give(wallet, "5")
    draft = make.draft(customer, "30.00").invoice
    meeting.after(
        credit_note_uses, "take", when=lambda *, invoices, **_: any(one.kind == "subscription" for one in invoices)
    )
    meeting.after(wallet_top_ups.known, "locked")

    come_through(finalizer(draft), partial(purses.buy, wallet, "20", paid=False))

    draft.refresh_from_db()
    assert (draft.credit_notes_amount.amount, draft.prepaid_credit_amount.amount) == (10, 5)


def test_a_sale_is_paid_while_its_wallet_pays_an_invoice(customer: Customer, meeting: Meeting) -> None:
    wallet = purses.make_wallet(customer, invoice_requires_successful_payment=True)
    purses.give(wallet, "5")
    sale = purses.buy(wallet, "20", paid=False)
    draft = make.draft(customer, "30.00").invoice
    meeting.after(finalization, "_number", when=lambda rows, *_: any(one.kind == "credit" for one in rows))
    meeting.after(
        wallet_draws, "take", when=lambda *, invoices, **_: any(one.kind == "subscription" for one in invoices)
    )
    assert sale.invoice is not None

    come_through(finalizer(draft), partial(purses.pay, sale.invoice))

    wallet.refresh_from_db()
    draft.refresh_from_db()
    assert wallet.balance_amount + draft.prepaid_credit_amount == Money(25, "EUR")


def test_a_wallet_ends_while_its_sale_is_paid(customer: Customer, meeting: Meeting) -> None:
    wallet = purses.make_wallet(customer, invoice_requires_successful_payment=True)
    sale = purses.buy(wallet, "20", paid=False)
    assert sale.invoice is not None
    meeting.after(open_invoices, "locked")
    meeting.after(wallets.known, "locked")
    pay = partial(
        payments.record,
        invoice_id=sale.invoice.pk,
        amount=sale.invoice.total_amount,
        reference="r",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )

    found = threads.together([pay, partial(wallets.terminate, wallet_id=wallet.pk, actor=make.ACTOR, at=make.AT)])

    # Whoever comes first wins: the sale is paid and lost with the wallet, or it is closed and nobody pays it.
    assert {type(result).__name__ for result in found} in ({"Payment", "Wallet"}, {"UnableToPay", "Wallet"})
    wallet.refresh_from_db()
    assert (wallet.status, wallet.balance_amount.amount) == ("terminated", 0)
    assert ledger.out_of_balance() == {}


def test_an_invoice_is_voided_while_another_is_issued(customer: Customer, meeting: Meeting) -> None:
    credit(customer, "30.00")
    make_coupons.give(customer, frequency="forever")
    first = make.issue(customer, "20.00")
    draft = make.draft(customer, "40.00").invoice
    assert (first.coupons_amount.amount, first.credit_notes_amount.amount) == (10, 10)
    meeting.after(credit_note_uses, "give_back")
    meeting.after(coupon_uses, "take")

    come_through(
        finalizer(draft), partial(invoices.void, invoice_id=first.pk, reason="wrong", actor=make.ACTOR, at=make.AT)
    )

    draft.refresh_from_db()
    assert (draft.coupons_amount.amount, draft.total_amount.amount) in {(10, 0), (10, 10)}
