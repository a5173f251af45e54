"""Two people, or two jobs, at the same contract at once: one wins, and everything happens once."""

from __future__ import annotations

import threading
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError

from billing.models import Contract, ContractTerm, Subscription
from billing.services import (
    contract_activation,
    contract_amendments,
    contract_days,
    contract_rows,
    runs,
    subscription_moves,
)
from billing.services.contract_amendments import Change, ContractChanged, NewTerms
from billing.services.contract_drafts import NewCommitment, NewItem
from config.kernel import db, jobs
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.concurrency import threads
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.contracts import activate, draft, phase
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(path: str, **kwargs: object) -> None:
        """Send nothing: documents are not made here."""

    monkeypatch.setattr(jobs, "enqueue", drop)


@pytest.fixture
def customer() -> Customer:
    goods.make_plan("platform", cents=31000)
    return parties.make_customer(parties.make_entity())


def amend(contract: Contract, cents: int, seen: str) -> Any:
    return contract_amendments.change_terms(
        contract_id=contract.pk,
        terms=NewTerms("sub", overrides={"amount_cents": cents}),
        change=Change(date(2026, 2, 1), "", seen),
        actor=ACTOR,
        at=instant("2026-01-10"),
    )


def test_of_two_amendments_one_wins_and_the_other_is_told(customer: Customer) -> None:
    contract = activate(draft(customer, phase("platform")))
    contract.refresh_from_db()
    seen = contract_amendments.state_of(contract)

    results = threads.together([partial(amend, contract, 40000, seen), partial(amend, contract, 50000, seen)])

    assert sorted(type(result).__name__ for result in results) == ["ContractAmendment", "ContractChanged"]
    (refused,) = [result for result in results if isinstance(result, ContractChanged)]
    assert refused.code == "contract_changed"
    assert contract.amendments.count() == 1
    assert Subscription.objects.filter(status="pending").count() == 1


def test_control_without_the_locks_both_are_written_or_the_database_refuses(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = activate(draft(customer, phase("platform")))
    contract.refresh_from_db()
    seen = contract_amendments.state_of(contract)
    both_have_read = threading.Barrier(2)
    locked = contract_rows.locked

    def locked_together(contract_id: int) -> Contract:
        found = locked(contract_id)
        both_have_read.wait(threads.WAIT_SECONDS)
        return found

    monkeypatch.setattr(contract_rows, "locked", locked_together)
    monkeypatch.setattr(db, "lock_one", lambda rows: rows.get())

    results = threads.together([partial(amend, contract, 40000, seen), partial(amend, contract, 50000, seen)])

    # Nobody is told of the other one: behind the lock stands only the database, which keeps phases from overlapping.
    assert not [result for result in results if isinstance(result, ContractChanged)]
    assert [type(result) for result in results if isinstance(result, Exception)] == [IntegrityError]
    assert contract.amendments.count() == 1


def test_billing_beside_the_job_lets_each_phase_take_effect_once(customer: Customer) -> None:
    activate(draft(customer, phase("platform"), phase("platform", "2026-02-01", amount_cents=40000)))

    def bill() -> Any:
        return runs.run(as_of=instant("2026-03-01"), trigger="test", actor=ACTOR)

    results = threads.together([bill, partial(contract_days.run, as_of=instant("2026-03-01")), bill])
    bill()

    assert not [result for result in results if isinstance(result, Exception)]
    lines = InvoiceLine.objects.filter(kind="subscription").order_by("from_at")
    assert [line.amount.amount for line in lines] == [310, 400]
    assert sorted(Subscription.objects.values_list("status", flat=True)) == ["active", "terminated"]


def test_a_contract_activated_twice_at_once_is_sold_once(customer: Customer) -> None:
    contract = draft(customer, phase("platform"))
    call = partial(contract_activation.activate, contract_id=contract.pk, actor=ACTOR, at=instant("2026-01-01"))

    results = threads.together([call, call])

    assert sum(isinstance(result, Contract) for result in results) == 1
    assert Subscription.objects.count() == 1


def test_jobs_at_once_renew_and_settle_once(customer: Customer) -> None:
    terms: dict[str, Any] = {"term_months": 1, "renewal": "automatic", "notice_days": 10}
    contract = activate(draft(customer, phase("platform"), **terms))
    threads.together([partial(contract_days.run, as_of=instant("2026-01-22"))] * 3)
    assert ContractTerm.objects.filter(contract=contract).count() == 2

    other = parties.make_customer(contract.customer.billing_entity, external_id="other")
    ending = draft(other, term_months=1, commitments=[NewCommitment(100000)], items=_named("other-sub"))
    activate(ending)
    subscription_moves.terminate_ended(as_of=instant("2026-02-01"))
    threads.together([partial(contract_days.run, as_of=instant("2026-02-01"))] * 3)
    assert InvoiceLine.objects.filter(kind="commitment").count() == 1


def _named(external_id: str) -> Any:
    return (NewItem(external_id, (phase("platform"),)),)
