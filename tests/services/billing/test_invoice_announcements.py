"""What webhooks are told of the invoices that billing makes: drafts with a grace, issued ones, and gated starts."""

from __future__ import annotations

from typing import Any

import pytest

from billing.domain.activation import Rule
from billing.models import Subscription
from billing.services import runs, terminations
from catalog.models import PlanVersion
from config.kernel import actors, jobs
from config.platform.models import WebhookEvent
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import invoices
from tests.factories import catalog, customers
from tests.factories import wallets as purses
from tests.factories.billing import instant, make_subscription
from tests.factories.platform import ACTOR
from tests.factories.told import Told

pytestmark = pytest.mark.django_db

START, MAY = instant("2026-04-01"), instant("2026-05-01T01:00")


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "enqueue", lambda *_, **__: None)


@pytest.fixture
def version() -> PlanVersion:
    return catalog.make_plan("pro", cents=1000, at=START)


def of_invoices(told: Told) -> list[tuple[Any, ...]]:
    return [event for event in told.events() if event[0].startswith("invoice.")]


def run(at: Any) -> None:
    runs.run(as_of=at, trigger="schedule", actor=actors.job("billing"))


@pytest.mark.parametrize("grace", [0, 3])
def test_a_run_tells_of_drafts_only_where_there_is_a_grace(version: PlanVersion, grace: int) -> None:
    made: list[Customer] = [customers.make_customer(name, invoice_grace_period=grace, at=START) for name in "ab"]
    for number, customer in enumerate(made):
        make_subscription(customer, version, f"sub{number}", at=START)
    told = Told()

    run(MAY)

    bodies = [body for body in told.bodies() if body["object_type"] == "invoice"]
    name = "invoice.drafted" if grace else "invoice.created"
    assert [body["webhook_type"] for body in bodies] == [name, name]
    shown = bodies[0]["invoice"]
    assert ([row["external_id"] for row in shown["subscriptions"]], len(shown["billing_periods"])) == (["sub0"], 1)
    assert [fee["item"]["type"] for fee in shown["fees"]] == ["subscription"]
    run(MAY)
    assert of_invoices(told) == []
    if grace:
        assert invoices.finalize_due(as_of=instant("2026-05-04T00:30")).done == 2
        heard = [event[0] for event in of_invoices(told)]
        assert heard == ["invoice.ready_to_finalize"] * 2 + ["invoice.created"] * 2


def test_nobody_listens(version: PlanVersion) -> None:
    make_subscription(customers.make_customer(at=START), version, at=START)
    run(MAY)
    assert (Invoice.objects.count(), WebhookEvent.objects.count()) == (1, 0)


def test_a_start_that_waits_is_told_once_it_is_paid() -> None:
    version = catalog.make_plan("pro", cents=1000, pay_in_advance=True, at=START)
    customer = customers.make_customer(at=START)
    told = Told()
    make_subscription(customer, version, at=START, activation_rules=[Rule(timeout_hours=48)])
    assert of_invoices(told) == []
    purses.pay(Invoice.objects.get())
    (event,) = [body for body in told.bodies() if body["object_type"] == "invoice"]
    assert (event["webhook_type"], event["invoice"]["payment_status"]) == ("invoice.created", "succeeded")
    assert event["invoice"]["subscriptions"][0]["status"] == "active"
    assert event["invoice"]["total_paid_amount_cents"] == 1000


def test_the_last_invoice_of_an_end(version: PlanVersion) -> None:
    found: Subscription = make_subscription(customers.make_customer(at=START), version, at=START)
    told = Told()
    terminations.terminate(subscription_id=found.pk, actor=ACTOR, at=instant("2026-04-16"))
    assert [event[0] for event in of_invoices(told)] == ["invoice.created"]
