"""Sixteen at once: numbers without gap or repeat, each draft issued once. The control shows the race without a lock."""

import threading
from functools import partial

import pytest
from django.db import connection, transaction

from config.platform.models import NumberSequence
from config.platform.services import numbers
from invoicing.domain import states
from invoicing.models import Invoice, LedgerEntry
from invoicing.queries import ledger
from invoicing.services import invoices
from invoicing.services.finalization import Finalized
from tests.concurrency import threads
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 16


def test_sixteen_finalize_at_once_without_a_gap() -> None:
    entity = make.make_entity(taxes=[make.make_tax()], document_numbering="per_billing_entity")
    customer = make.make_customer(entity)
    ids = [make.draft(customer, "1.00").invoice.pk for _ in range(THREADS * 2)]

    results = threads.together(
        [
            partial(invoices.finalize_many, invoice_ids=ids[position::THREADS], actor=make.ACTOR, at=make.AT)
            for position in range(THREADS)
        ]
    )

    assert [len(found) for found in results] == [2] * THREADS
    assert sorted(Invoice.objects.values_list("sequential_id", flat=True)) == list(range(1, THREADS * 2 + 1))
    assert sorted(Invoice.objects.values_list("number", flat=True)) == [
        f"ACME-202605-{number:03}" for number in range(1, THREADS * 2 + 1)
    ]
    assert LedgerEntry.objects.count() == THREADS * 2
    assert ledger.out_of_balance() == {}


def test_a_draft_is_issued_once_however_many_try() -> None:
    draft = make.draft(make.make_customer(make.make_entity()), "1.00").invoice

    results = threads.together(
        [partial(invoices.finalize, invoice_id=draft.pk, actor=make.ACTOR, at=make.AT) for _ in range(THREADS)]
    )

    assert len([result for result in results if isinstance(result, Invoice)]) == 1
    assert len([result for result in results if isinstance(result, states.InvalidTransition)]) == THREADS - 1
    assert NumberSequence.objects.get().last_value == 1
    assert LedgerEntry.objects.count() == 1


def test_rounds_of_the_job_share_the_work() -> None:
    customer = make.make_customer(make.make_entity())
    for _ in range(12):
        make.draft(customer, "1.00")

    results = threads.together([partial(invoices.finalize_due, as_of=make.AT) for _ in range(4)])

    assert all(isinstance(result, Finalized) and not result.failed for result in results)
    assert sum(result.done for result in results) == 12
    assert sorted(Invoice.objects.values_list("sequential_id", flat=True)) == list(range(1, 13))


def test_a_rolled_back_number_is_taken_by_the_next() -> None:
    taken, go_on = threading.Event(), threading.Event()

    def give_up() -> None:
        with transaction.atomic():
            assert numbers.take(scope="s") == range(1, 2)
            taken.set()
            go_on.wait(threads.WAIT_SECONDS)
            transaction.set_rollback(True)

    def wait_for_it() -> range:
        taken.wait(threads.WAIT_SECONDS)
        threading.Timer(0.2, go_on.set).start()
        with transaction.atomic():
            return numbers.take(scope="s")

    assert threads.together([give_up, wait_for_it])[1] == range(1, 2)


def test_takers_of_the_same_scopes_in_any_order_do_not_deadlock() -> None:
    scopes = [f"s{number}" for number in range(8)]

    def take(order: list[str]) -> dict[str, range]:
        with transaction.atomic():
            return numbers.take_many(counts=dict.fromkeys(order, 2))

    results = threads.together([partial(take, scopes if turn % 2 else scopes[::-1]) for turn in range(8)])

    assert all(isinstance(result, dict) for result in results), results
    assert set(NumberSequence.objects.values_list("last_value", flat=True)) == {16}


def test_control_without_the_lock_a_number_is_given_twice() -> None:
    NumberSequence.objects.create(scope="s")
    read = threading.Barrier(2)

    def take_unlocked() -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT last_value + 1 FROM platform_numbersequence WHERE scope = 's'")
            (number,) = cursor.fetchone()
            read.wait(threads.WAIT_SECONDS)
            cursor.execute("UPDATE platform_numbersequence SET last_value = %s WHERE scope = 's'", [number])
            return int(number)

    assert threads.together([take_unlocked, take_unlocked]) == [1, 1]
