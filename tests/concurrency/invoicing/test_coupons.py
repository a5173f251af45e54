"""Coupons used at once: never twice. The control shows what happens without the lock."""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, models
from moneyed import Money

from config.kernel import db
from customers.models import AppliedCoupon, Customer
from customers.services import applied_coupons
from invoicing.models import Invoice, InvoiceCoupon
from invoicing.services import invoices
from tests.concurrency import threads
from tests.factories import coupons as make_coupons
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity())


def finalizer(invoice: Invoice) -> Any:
    return partial(invoices.finalize, invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)


def test_invoices_issued_at_once_share_a_coupon(customer: Customer) -> None:
    once = make_coupons.give(customer, "once", rate="0.5")
    amount = make_coupons.give(customer, "amount", amount_cents=1000)
    drafts = [make.draft(customer, "8.00").invoice for _ in range(4)]

    results = threads.together([finalizer(draft) for draft in drafts])

    assert {type(result) for result in results} == {Invoice}
    for applied in (once, amount):
        applied.refresh_from_db()
        assert applied.status == "terminated"
    assert InvoiceCoupon.objects.filter(applied_coupon=once).count() == 1
    # One invoice is halved, and takes its other 4.00 of the amount; another takes what is left, 6.00.
    assert sorted(use.amount.amount for use in InvoiceCoupon.objects.filter(applied_coupon=amount)) == [4, 6]
    assert sorted(one.total_amount.amount for one in Invoice.objects.all()) == [0, 2, 8, 8]


def test_a_coupon_is_used_or_taken_off_first_and_never_between(customer: Customer) -> None:
    applied = make_coupons.give(customer, amount_cents=500)
    draft = make.draft(customer, "8.00").invoice

    results = threads.together(
        [
            finalizer(draft),
            partial(applied_coupons.terminate, applied_coupon_id=applied.pk, actor=make.ACTOR, at=make.AT),
        ]
    )

    assert {type(result) for result in results} == {Invoice, AppliedCoupon}
    applied.refresh_from_db()
    draft.refresh_from_db()
    assert draft.coupons_amount == applied.used_amount
    assert (applied.ended_by, draft.coupons_amount) in {("use", Money("5", "EUR")), ("removal", Money("0", "EUR"))}


def test_control_without_the_lock_only_the_database_stops_it(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_coupons.give(customer, amount_cents=500)
    drafts = [make.draft(customer, "8.00").invoice for _ in range(2)]
    read = threading.Barrier(2)

    def unlocked(rows: models.QuerySet[Any]) -> list[Any]:
        found = list(rows)
        read.wait(timeout=10)
        return found

    monkeypatch.setattr(applied_coupons, "db", _Unlocked(unlocked))

    results = threads.together([finalizer(draft) for draft in drafts])

    assert {type(result) for result in results} == {Invoice, IntegrityError}
    assert InvoiceCoupon.objects.count() == 1


class _Unlocked:
    """The module of locks, with one that does not lock."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock

    def __getattr__(self, name: str) -> Any:
        return getattr(db, name)
