"""Two clicks on one offer at once: one contract, and both are told that it is signed."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from billing.models import Contract, Order, OrderForm
from billing.services import order_forms, quote_acceptance, quote_rows
from billing.services.quote_acceptance import Acceptance
from config.kernel import db, jobs
from invoicing.models import Invoice
from tests.concurrency import threads
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing: documents are not made here."""

    monkeypatch.setattr(jobs, "enqueue", drop)


@pytest.fixture
def form() -> OrderForm:
    goods.make_plan("platform", cents=31000, pay_in_advance=True)
    customer = parties.make_customer(parties.make_entity())
    return made.offered(customer, made.terms("platform"), by=made.person())


def test_two_acceptances_at_once_are_one(form: OrderForm) -> None:
    results = threads.together([partial(made.accept, form)] * 2)

    assert [result.state for result in results] == ["signed", "signed"]
    assert (Contract.objects.count(), Order.objects.count(), Invoice.objects.count()) == (1, 1, 1)


def test_control_without_the_locks_both_try_and_the_database_refuses(
    form: OrderForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_have_read = threading.Barrier(2)
    locked = quote_rows.locked_form

    def locked_together(order_form_id: int) -> OrderForm:
        found = locked(order_form_id)
        both_have_read.wait(threads.WAIT_SECONDS)
        return found

    monkeypatch.setattr(quote_rows, "locked_form", locked_together)
    monkeypatch.setattr(db, "lock_one", lambda rows: rows.get())

    results = threads.together([partial(made.accept, form)] * 2)

    # Nobody sees that it is signed already: behind the lock stands only the database, which refuses the second one.
    assert sum(isinstance(result, Exception) for result in results) == 1
    assert Order.objects.count() == 1


def test_two_clicks_of_a_prospect_who_tells_its_details_are_one_acceptance() -> None:
    goods.make_plan("platform", cents=31000, pay_in_advance=True)
    parties.make_entity()
    sam = made.person()
    form = made.offered(
        None, made.terms("platform"), by=sam, prospect={"name": "New Ltd"}, currency="EUR", billing_entity_code="acme"
    )
    at = instant("2026-01-02")
    token = order_forms.send(order_form_id=form.pk, to=["a@b.test"], message="", actor=made.actor(sam), at=at).token
    answer = Acceptance(made.SIGNER, form.sha256, details={"legal_name": "New Limited", "city": "Bonn"})

    results = threads.together([partial(quote_acceptance.accept, token=token, answer=answer, at=at)] * 2)

    assert [getattr(result, "state", result) for result in results] == ["signed", "signed"]
    assert (Contract.objects.count(), Order.objects.count(), Invoice.objects.count()) == (1, 1, 1)
    assert Contract.objects.get().customer.legal_name == "New Limited"
