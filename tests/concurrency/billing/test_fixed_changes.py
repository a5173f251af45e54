"""Two changes of units at once: what is added is billed once. The control shows the race without the lock."""

from __future__ import annotations

import threading
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from billing.models import FixedChargeUnits, Subscription
from billing.queries import fixed_units
from billing.services import fixed_agreements, fixed_changes
from config.kernel import db, jobs
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.queries import ledger
from tests.concurrency import threads
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import fixed
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

AT = instant("2026-03-11")


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing: documents are not made here."""

    monkeypatch.setattr(jobs, "enqueue", drop)


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def subscription(customer: Customer) -> Subscription:
    charge = fixed.standard(fixed.make_add_on(), code="seats", pay_in_advance=True)
    plan = goods.make_plan("pro", cents=0, fixed_charges=[charge])
    return made.make_subscription(customer, plan, at=instant("2026-03-01"))


def change(subscription: Subscription, units: str) -> Any:
    return fixed_changes.change(
        subscription_id=subscription.pk, code="seats", units=Decimal(units), immediately=True, actor=ACTOR, at=AT
    )


def test_the_same_number_twice_at_once_is_billed_once(customer: Customer, subscription: Subscription) -> None:
    results = threads.together([partial(change, subscription, "15")] * 3)

    assert not [result for result in results if isinstance(result, Exception)]
    assert [row[1:] for row in fixed.billed(customer)] == [("10", "100"), ("5", "50")]
    assert FixedChargeUnits.objects.count() == 2
    assert ledger.out_of_balance() == {}


def test_two_numbers_at_once_are_billed_one_after_the_other(customer: Customer, subscription: Subscription) -> None:
    threads.together([partial(change, subscription, "15"), partial(change, subscription, "20")])

    added = [Decimal(units) for _, units, _ in fixed.billed(customer)[1:]]
    # 5 and 5, or 10 and none: never 5 and 10
    assert sum(added) == 10
    assert len(added) == 2


def test_jobs_at_once_bill_what_waits_once(customer: Customer, subscription: Subscription) -> None:
    fixed_agreements.write(
        subscription=subscription,
        charge=subscription.plan_version.fixed_charges.get(),
        units=Decimal(15),
        immediately=True,
        at=AT,
    )
    threads.together([partial(fixed_changes.bill_waiting, as_of=AT)] * 3)

    assert [row[1:] for row in fixed.billed(customer)] == [("10", "100"), ("5", "50")]
    assert not fixed_units.unbilled().exists()


def test_control_without_the_lock_units_are_billed_twice(
    customer: Customer, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read what is billed before either writes: the five units between 10 and 15 are in both increases."""
    both_have_read = threading.Barrier(2)
    read = fixed_units.billed

    def read_together(**given: Any) -> Decimal:
        found = read(**given)
        with suppress(threading.BrokenBarrierError):
            both_have_read.wait(threads.WAIT_SECONDS)
        return found

    monkeypatch.setattr(db, "lock_one", lambda rows: rows.get())
    monkeypatch.setattr(fixed_units, "billed", read_together)
    results = threads.together([partial(change, subscription, "15"), partial(change, subscription, "20")])

    assert not [result for result in results if isinstance(result, Exception)], results
    assert sum(Decimal(units) for _, units, _ in fixed.billed(customer)[1:]) == 15
    assert Invoice.objects.count() == 3
