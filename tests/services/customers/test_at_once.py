"""Two calls at once for one customer: the database sees them one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from customers.models import Customer
from customers.services import billing_entities, customers
from tests.factories import platform

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 6


def at_once(call: Callable[[int], None]) -> list[Exception]:
    """Run a call in several threads that start together, and return what they raised."""
    barrier, raised = threading.Barrier(THREADS), []

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=20)
            call(number)
        except Exception as error:  # noqa: BLE001 - told to the test
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


def test_one_external_id_is_one_customer() -> None:
    billing_entities.ensure_default(at=platform.AT)

    def post(number: int) -> None:
        customers.upsert(values={"external_id": "acme", "name": f"Acme {number}"}, actor=platform.ACTOR, at=platform.AT)

    assert at_once(post) == []
    assert Customer.objects.count() == 1
    assert Customer.objects.get().sequential_id == 1


def test_many_external_ids_are_numbered_without_gaps() -> None:
    billing_entities.ensure_default(at=platform.AT)

    def post(number: int) -> None:
        customers.upsert(values={"external_id": f"c{number}"}, actor=platform.ACTOR, at=platform.AT)

    assert at_once(post) == []
    numbers = Customer.objects.order_by("sequential_id").values_list("sequential_id", flat=True)
    assert list(numbers) == list(range(1, THREADS + 1))


def test_there_is_one_default_seller() -> None:
    assert at_once(lambda _: billing_entities.ensure_default(at=platform.AT)) == []
    assert billing_entities.ensure_default(at=platform.AT).pk
