"""One wallet and several invoices at once: nothing is used twice. The control shows what happens without the lock."""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from moneyed import Money

from config.kernel import db
from customers.models import Customer
from invoicing.models import Invoice, Wallet, WalletTransaction
from invoicing.queries import ledger
from invoicing.services import invoices, payments, wallet_draws, wallets
from tests.concurrency import threads
from tests.factories import invoicing as make
from tests.factories import wallets as purses

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(), currency="EUR")


def finalizer(invoice: Invoice) -> Any:
    return partial(invoices.finalize, invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)


def test_invoices_issued_at_once_share_a_wallet(customer: Customer) -> None:
    wallet = purses.make_wallet(customer)
    purses.give(wallet, "50")
    drafts = [make.draft(customer, "30.00").invoice for _ in range(4)]

    results = threads.together([finalizer(draft) for draft in drafts])

    assert {type(result) for result in results} == {Invoice}
    wallet.refresh_from_db()
    assert (wallet.balance_amount.amount, wallet.consumed_amount.amount) == (0, 50)
    assert sorted(Invoice.objects.values_list("total_amount", flat=True)) == [0, 10, 30, 30]
    assert ledger.out_of_balance() == {}


def test_credits_are_used_or_lost_and_never_both(customer: Customer) -> None:
    wallet = purses.make_wallet(customer)
    purses.give(wallet, "50")
    draft = make.draft(customer, "50.00").invoice

    results = threads.together(
        [finalizer(draft), partial(wallets.terminate, wallet_id=wallet.pk, actor=make.ACTOR, at=make.AT)]
    )

    assert not [result for result in results if isinstance(result, Exception)]
    wallet.refresh_from_db()
    draft.refresh_from_db()
    assert (wallet.balance_amount.amount, wallet.status) == (0, "terminated")
    assert (wallet.consumed_amount.amount, draft.total_amount.amount) in {(50, 0), (0, 50)}


def test_a_purchase_that_is_paid_twice_at_once_comes_in_once(customer: Customer) -> None:
    wallet = purses.make_wallet(customer)
    row = purses.buy(wallet, "50", paid=False)
    pay = partial(
        payments.record, invoice_id=row.invoice_id, reference="r", paid_at=make.AT, actor=make.ACTOR, at=make.AT
    )

    threads.together([partial(pay, amount=Money("50", "EUR")) for _ in range(3)])

    wallet.refresh_from_db()
    assert wallet.balance_amount.amount == 50


def test_control_without_the_lock_only_the_database_stops_it(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = purses.make_wallet(customer)
    purses.give(wallet, "50")
    drafts = [make.draft(customer, "30.00").invoice for _ in range(2)]
    read = threading.Barrier(2)

    def unlocked(rows: Any) -> list[Any]:
        found = list(rows)
        read.wait(timeout=10)
        return found

    monkeypatch.setattr(wallet_draws, "db", _Unlocked(unlocked))

    results = threads.together([finalizer(draft) for draft in drafts])

    assert {type(result) for result in results} == {Invoice, IntegrityError}
    assert Wallet.objects.get().consumed_amount == Money("30", "EUR")
    assert WalletTransaction.objects.filter(transaction_status="invoiced").count() == 1


class _Unlocked:
    """The module of locks, with one that does not lock."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock

    def __getattr__(self, name: str) -> Any:
        return getattr(db, name)
