"""A process or a session that dies between any two commits of the work with documents and money: run again, everything
is there once, and the books hold.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from moneyed import Money

from billing.services import books_register as billing_register
from config.kernel import checks, errors
from config.kernel.checks import Scope
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice, LedgerEntry, Payment, PaymentRelease, WalletTransaction
from invoicing.queries import ledger
from invoicing.services import (
    books_checks,
    books_register,
    finalization,
    invoices,
    payments,
    wallet_top_ups,
    wallets,
)
from invoicing.services.wallet_top_ups import TopUp
from tests.concurrency import crashes
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 16
LATER = make.AT.replace(hour=12)


@pytest.fixture(autouse=True)
def _checks() -> None:
    books_register.register()
    billing_register.register()


@pytest.fixture
def entity() -> BillingEntity:
    return make.make_entity(taxes=[make.make_tax()], document_numbering="per_billing_entity")


@pytest.fixture
def new_customers(entity: BillingEntity) -> Iterator[Customer]:
    """A customer for each time that the story is told."""
    return (make.make_customer(entity, f"c{number}", currency="EUR") for number in range(crashes.MOST))


def assert_books_hold() -> None:
    names = [one.name for one in checks.registered() if not one.is_sampled]
    broken = books_checks.findings(scope=Scope(as_of=make.AT), names=names)
    assert [(check.name, found.label, found.message) for check, found in broken] == []
    assert ledger.out_of_balance() == {}


def assert_numbered(count: int) -> None:
    numbers = Invoice.objects.exclude(number=None).values_list("sequential_id", flat=True)
    assert sorted(numbers) == list(range(1, count + 1))


@pytest.mark.parametrize("mode", crashes.MODES)
def test_issuing_drafts(new_customers: Iterator[Customer], mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finalization, "CHUNK", 2)
    customer, drafted = next(new_customers), 0

    def draft() -> None:
        nonlocal drafted
        drafted += 5
        for _ in range(5):
            make.draft(customer, "10.00", "5.55")

    def work() -> None:
        invoices.finalize_due(as_of=make.AT)

    draft()
    points = []
    for point in crashes.every_commit(work, mode=mode):
        points.append(point)
        work()
        assert_numbered(drafted)
        assert LedgerEntry.objects.filter(fact="invoice_finalized").count() == drafted
        draft()
    assert len(points) > 3  # two, two and one
    assert_books_hold()


@pytest.mark.parametrize("mode", crashes.MODES)
def test_money_and_credits(new_customers: Iterator[Customer], mode: str) -> None:
    """Open a wallet, buy and get credits, pay for them, draw them with an invoice, pay the rest, void it."""
    told = 0

    def story(customer: Customer, draft: Invoice) -> None:
        # Every step is asked for as a client does that heard no answer: again, with the same key.
        key = customer.external_id
        values: Any = {"external_customer_id": key, "code": "w", "currency": "EUR", "rate_amount": Decimal(1)}
        wanted = TopUp(paid_credits=Decimal(30), granted_credits=Decimal(5), key=key)
        wallet = wallet_top_ups.create_wallet(values=values, wanted=wanted, actor=make.ACTOR, at=make.AT)
        wallet_top_ups.top_up(
            wallet_id=wallet.pk, wanted=TopUp(paid_credits=Decimal(20), key=f"{key}-2"), actor=make.ACTOR, at=make.AT
        )
        for row in WalletTransaction.objects.filter(wallet=wallet, transaction_status="purchased").order_by("pk"):
            pay(row.invoice, f"{key}-{row.pk}")
        refusable(invoices.finalize, invoice_id=draft.pk)
        pay(Invoice.objects.get(pk=draft.pk), key)
        refusable(invoices.void, invoice_id=draft.pk)
        refusable(wallets.terminate, wallet_id=wallet.pk)

    def pay(invoice: Invoice, key: str) -> None:
        due = invoice.total_amount - invoice.paid_amount
        if due and invoice.status == "finalized":
            payments.record(
                invoice_id=invoice.pk, amount=due, reference="wire", paid_at=make.AT, actor=make.ACTOR, at=LATER,
                idempotency_key=key,
            )  # fmt: skip

    def refusable(service: Any, **values: Any) -> None:
        with contextlib.suppress(errors.NotAllowed):  # it is done
            service(**values, actor=make.ACTOR, at=LATER)

    def new() -> tuple[Customer, Invoice]:
        nonlocal told
        told += 1
        customer = next(new_customers)
        return customer, make.draft(customer, "100.00").invoice

    points: list[int] = []
    customer, draft = new()

    def work() -> None:
        story(customer, draft)

    for point in crashes.every_commit(work, mode=mode):
        points.append(point)
        work()
        # 30 + 5 + 20 of credits pay 55.00 of 119.00; the rest is paid, and held since the invoice was voided.
        assert Invoice.objects.get(pk=draft.pk).status == "voided"
        assert PaymentRelease.objects.get(allocation__invoice=draft).amount == Money("64.00", "EUR")
        assert Payment.objects.filter(customer=customer).count() == 3
        assert WalletTransaction.objects.filter(wallet__customer=customer, transaction_status="invoiced").count() == 1
        assert_numbered(told * 3)
        customer, draft = new()
    assert len(points) > 8
    assert_books_hold()


def test_sixteen_processes_of_which_some_are_killed(new_customers: Iterator[Customer]) -> None:
    customer = next(new_customers)
    ids = [make.draft(customer, "10.00").invoice.pk for _ in range(WORKERS * 2)]
    connection.close()

    children = []
    for position in range(WORKERS):
        child = os.fork()
        if child == 0:
            try:
                after = 1 if position % 4 == 0 else crashes.MOST
                with crashes._at_commit(after, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                    for invoice_id in ids[position::WORKERS]:
                        invoices.finalize(invoice_id=invoice_id, actor=make.ACTOR, at=make.AT)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    ends = [os.waitpid(child, 0)[1] for child in children]

    assert [os.WIFSIGNALED(end) for end in ends] == [position % 4 == 0 for position in range(WORKERS)]
    assert all(os.WIFSIGNALED(end) or os.WEXITSTATUS(end) == 0 for end in ends)
    assert Invoice.objects.filter(status="draft").count() == 4  # the second one of each that was killed
    assert_numbered(WORKERS * 2 - 4)
    assert invoices.finalize_due(as_of=make.AT).done == 4
    assert_numbered(WORKERS * 2)
    assert_books_hold()
