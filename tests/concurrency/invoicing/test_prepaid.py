"""Prepaid credit drawn at once: never twice. The control shows what happens without the lock."""

import threading
import uuid
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from moneyed import Money

from config.kernel import db
from customers.models import Customer
from invoicing.models import Invoice, PrepaidCredit, PrepaidCreditUse
from invoicing.queries import ledger
from invoicing.services import invoices, prepaid_credits, prepaid_draws
from invoicing.services.prepaid_credits import Grant
from tests.concurrency import threads
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)

ENDS = date(2026, 12, 31)


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity())


def granter(customer: Customer, source: uuid.UUID) -> Any:
    """Grant 50.00."""
    new = Grant(
        customer_id=customer.pk,
        billing_entity_id=customer.billing_entity_id,
        amount=Money("50.00", "EUR"),
        valid_from=date(2026, 1, 1),
        valid_until=ENDS,
        source="Contract",
        source_uuid=source,
    )
    return partial(prepaid_credits.grant, new=new, actor=make.ACTOR, at=make.AT)


def finalizer(invoice: Invoice) -> Any:
    return partial(invoices.finalize, invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)


def test_invoices_issued_at_once_share_a_credit(customer: Customer) -> None:
    credit = granter(customer, uuid.uuid4())()
    drafts = [make.draft(customer, "30.00").invoice for _ in range(4)]

    results = threads.together([finalizer(draft) for draft in drafts])

    assert {type(result) for result in results} == {Invoice}
    credit.refresh_from_db()
    assert (credit.left.amount, credit.status) == (0, "used_up")
    assert sorted(Invoice.objects.values_list("total_amount", flat=True)) == [0, 10, 30, 30]
    assert sorted(use.amount.amount for use in PrepaidCreditUse.objects.all()) == [20, 30]
    assert ledger.out_of_balance() == {}


def test_a_credit_is_drawn_or_expires_and_never_both(customer: Customer) -> None:
    credit = granter(customer, uuid.uuid4())()
    draft = make.draft(customer, "50.00").invoice

    results = threads.together(
        [
            finalizer(draft),
            partial(prepaid_credits.expire, credit_id=credit.pk, on=ENDS, actor=make.ACTOR, at=make.AT),
        ]
    )

    assert not [result for result in results if isinstance(result, Exception)]
    credit.refresh_from_db()
    draft.refresh_from_db()
    assert (credit.status, draft.total_amount.amount) in {("used_up", 0), ("expired", 50)}
    assert ledger.out_of_balance() == {}


def test_a_source_that_grants_twice_at_once_grants_once(customer: Customer) -> None:
    source = uuid.uuid4()

    results = threads.together([granter(customer, source) for _ in range(4)])

    assert len({result.pk for result in results}) == 1
    assert PrepaidCredit.objects.count() == 1


def test_control_without_the_lock_only_the_database_stops_it(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    granter(customer, uuid.uuid4())()
    drafts = [make.draft(customer, "30.00").invoice for _ in range(2)]
    read = threading.Barrier(2)

    def unlocked(rows: Any) -> list[Any]:
        found = list(rows)
        read.wait(timeout=10)
        return found

    monkeypatch.setattr(prepaid_draws, "db", _Unlocked(unlocked))

    results = threads.together([finalizer(draft) for draft in drafts])

    assert {type(result) for result in results} == {Invoice, IntegrityError}
    assert PrepaidCredit.objects.get().used_amount == Money("30", "EUR")


class _Unlocked:
    """The module of locks, with one that does not lock."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock

    def __getattr__(self, name: str) -> Any:
        return getattr(db, name)
