"""Rehearsals of days to come: what is agreed until then comes to pass, as it will when the days are there."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.models import Rehearsal
from billing.queries import rehearsals as known
from billing.services import rehearsal_computing, rehearsals
from catalog.models import PlanVersion
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import contracts as sold
from tests.factories import invoicing as parties
from tests.factories import plan_stories as stories
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def plan() -> PlanVersion:
    return goods.make_plan("platform", cents=31000)


def rehearse(as_of: str, at: str) -> Rehearsal:
    row = rehearsals.request(as_of=instant(as_of), actor=ACTOR, at=instant(at))
    return rehearsal_computing.compute(rehearsal_id=row.pk, at=instant(at))


def found(row: Rehearsal) -> list[tuple[str, Decimal]]:
    rows = known.invoices(rehearsal_id=row.pk).order_by("billing_date", "pk")
    return [(str(one.billing_date), one.subtotal_amount.amount) for one in rows]


def test_a_ramp_of_a_contract_is_rehearsed_as_it_will_be_billed(customer: Customer, plan: PlanVersion) -> None:
    phases = [
        sold.phase("platform"),
        sold.phase("platform", "2026-03-01", amount_cents=40000),
        sold.phase("platform", "2026-04-01", amount_cents=50000),
    ]
    sold.activate(sold.draft(customer, *phases))

    row = rehearse("2026-05-01T01:00", "2026-01-15T12:00")

    assert row.failures_count == 0
    # In arrears: each month at the price of its phase.
    months = [("2026-02-01", 310), ("2026-03-01", 310), ("2026-04-01", 400), ("2026-05-01", 500)]
    assert found(row) == [(day, Decimal(amount)) for day, amount in months]
    last = known.invoices(rehearsal_id=row.pk).order_by("-billing_date").first()
    assert last is not None
    assert (last.previous, last.previous_amount.amount, last.causes) == (None, Decimal(400), {"price": 10000})
    assert not Invoice.objects.exists()

    sold.pass_days("2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01")
    assert [(day, Decimal(amount)) for day, _, amount in made.billed(customer)] == found(row)


def test_what_ends_until_then_is_compared_and_told(customer: Customer, plan: PlanVersion) -> None:
    stays = made.make_subscription(customer, plan, "stays", at=instant("2026-01-01"))
    made.make_subscription(customer, plan, "goes", at=instant("2026-01-01"))
    stories.run("2026-02-01T00:10")
    goes = stays.__class__.objects.get(external_id="goes")
    goes.ending_at = instant("2026-02-01T00:20")
    goes.save(update_fields=["ending_at"])

    row = rehearse("2026-03-01T01:00", "2026-02-01T00:15")

    (one,) = known.invoices(rehearsal_id=row.pk)
    assert (one.billing_date, one.subtotal_amount.amount) == (date(2026, 3, 1), Decimal(310))
    # "goes" was billed by its own end on 1 February, which is no invoice of the run; what it cost before is told ended.
    assert (one.difference_amount.amount, one.causes) == (Decimal(-310), {"ended": -31000})
    assert row.failures_count == 0
