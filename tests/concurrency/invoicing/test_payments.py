"""Payments at once: never too much, once per key. The control shows what happens without the lock."""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from moneyed import Money

from invoicing.domain import allocation
from invoicing.models import Invoice, LedgerEntry, Payment
from invoicing.queries import invoices as known_invoices
from invoicing.queries import ledger
from invoicing.services import payments
from tests.concurrency import threads
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice() -> Invoice:
    return make.issue(make.make_customer(make.make_entity()), "100.00")


def payer(invoice: Invoice, amount: str, **values: Any) -> Any:
    return partial(
        payments.record,
        invoice_id=invoice.pk,
        amount=Money(amount, "EUR"),
        reference="wire",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
        **values,
    )


def test_two_payments_at_once_never_overpay(invoice: Invoice) -> None:
    results = threads.together([payer(invoice, "60.00"), payer(invoice, "60.00")])

    assert {type(result) for result in results} == {Payment, allocation.NotPayable}
    invoice.refresh_from_db()
    assert invoice.paid_amount == Money("60.00", "EUR")
    assert LedgerEntry.objects.filter(fact="payment_received").count() == 1
    assert ledger.out_of_balance() == {}


def test_many_parts_at_once_all_count(invoice: Invoice) -> None:
    results = threads.together([payer(invoice, "10.00") for _ in range(12)])

    assert len([result for result in results if isinstance(result, Payment)]) == 10
    assert len([result for result in results if isinstance(result, allocation.NotPayable)]) == 2
    invoice.refresh_from_db()
    assert (invoice.paid_amount, invoice.payment_status) == (Money("100.00", "EUR"), "succeeded")


def test_one_key_at_once_pays_once(invoice: Invoice) -> None:
    results = threads.together([payer(invoice, "10.00", idempotency_key="k") for _ in range(8)])

    assert len({result.pk for result in results}) == 1
    assert Payment.objects.count() == 1
    invoice.refresh_from_db()
    assert invoice.paid_amount == Money("10.00", "EUR")


def test_one_key_for_two_invoices_at_once_is_refused_once(invoice: Invoice) -> None:
    other = make.issue(invoice.customer, "100.00")

    results = threads.together(
        [payer(invoice, "10.00", idempotency_key="k"), payer(other, "10.00", idempotency_key="k")]
    )

    assert {type(result) for result in results} == {Payment, payments.KeyReused}
    assert Payment.objects.count() == 1


def test_control_without_the_lock_only_the_database_stops_it(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    read = threading.Barrier(2)

    def unlocked(invoice_id: int) -> Invoice:
        found = Invoice.objects.get(pk=invoice_id)
        read.wait(threads.WAIT_SECONDS)
        return found

    monkeypatch.setattr(known_invoices, "locked", unlocked)

    results = threads.together([payer(invoice, "60.00"), payer(invoice, "60.00")])

    # Both see 100.00 due and go ahead; the deferred check of the sums refuses the second at its commit.
    assert {type(result) for result in results} == {Payment, IntegrityError}
    invoice.refresh_from_db()
    assert invoice.paid_amount == Money("60.00", "EUR")
