"""Payments of one seller at once: receipts without gap or repeat, also where one is taken back."""

import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from moneyed import Money

from invoicing.domain import allocation
from invoicing.models import Invoice, Payment, PaymentReceipt, PaymentRequest
from invoicing.services import overdue, payment_requests, payments
from tests.concurrency import threads
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)


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


def late(*amounts: str) -> list[Invoice]:
    customer = make.make_customer(make.make_entity())
    found = [make.issue(customer, amount, at=make.AT - timedelta(days=40)) for amount in amounts]
    overdue.mark(as_of=make.AT)
    return found


def ask(*invoices: Invoice) -> PaymentRequest:
    return payment_requests.create(
        external_customer_id=invoices[0].customer.external_id,
        invoice_uuids=[one.uuid for one in invoices],
        email="",
        actor=make.ACTOR,
        at=make.AT,
    )


def payer_of(request: PaymentRequest, amount: str, **values: Any) -> Any:
    return partial(
        payment_requests.receive,
        payment_request_id=request.pk,
        amount=Money(amount, "EUR"),
        reference="wire",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
        **values,
    )


def sequence() -> list[int]:
    return sorted(PaymentReceipt.objects.values_list("sequential_id", flat=True))


def test_payments_at_once_have_receipts_without_a_gap() -> None:
    invoices = late(*["10.00"] * 6)
    # Each invoice is paid in two halves, and once too much, which is refused.
    calls = [payer(one, amount) for one in invoices for amount in ("5.00", "5.00", "10.01")]

    results = threads.together(calls)

    assert [type(found) for found in results] == [Payment, Payment, allocation.NotPayable] * 6
    assert sequence() == list(range(1, 13))


def test_a_receipt_that_is_taken_back_leaves_no_gap() -> None:
    first, second = late("10.00", "20.00")
    taken, go_on = threading.Event(), threading.Event()

    def give_up() -> None:
        with transaction.atomic():
            payer(first, "10.00")()
            taken.set()
            go_on.wait(threads.WAIT_SECONDS)
            transaction.set_rollback(True)

    def wait_for_it() -> Payment:
        taken.wait(threads.WAIT_SECONDS)
        threading.Timer(0.2, go_on.set).start()
        return payer(second, "20.00")()

    assert isinstance(threads.together([give_up, wait_for_it])[1], Payment)
    assert sequence() == [1]


def test_requests_that_share_invoices_and_single_payments_at_once() -> None:
    first, second, third = late("10.00", "20.00", "30.00")
    one, other, all_of_them = ask(first, second), ask(third, second), ask(third, first, second)
    calls = [
        payer_of(all_of_them, "60.00"),
        payer_of(other, "50.00"),
        payer_of(one, "30.00"),
        payer(second, "20.00"),
        payer_of(all_of_them, "60.00", idempotency_key="k"),
        payer_of(all_of_them, "60.00", idempotency_key="k"),
    ]

    results = threads.together(calls)

    refused = (allocation.NotPayable, payment_requests.AlreadyPaid)
    assert all(isinstance(found, (Payment, *refused)) for found in results), results
    paid = {found.pk: found.amount.amount for found in results if isinstance(found, Payment)}
    due = sum(row.total_amount.amount - row.paid_amount.amount for row in Invoice.objects.all())
    assert sum(paid.values()) + due == 60
    assert sequence() == list(range(1, len(paid) + 1))
    settled = {row.pk for row in PaymentRequest.objects.filter(payment_status="succeeded")}
    expected = {
        row.pk
        for row in PaymentRequest.objects.all()
        if not row.parts.exclude(invoice__payment_status="succeeded").exists()
    }
    assert settled == expected
    if due:
        payer_of(all_of_them, str(due))()
    assert set(PaymentRequest.objects.values_list("payment_status", flat=True)) == {"succeeded"}
