"""An invoice in the place of a voided one: lines, edits, taxes of now, what it bills, and time billed once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection

from billing.domain import trace
from billing.models import BilledPeriod, RatedCharge
from billing.services import runs
from config.kernel import errors
from customers.models import Customer
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries import ledger
from invoicing.services import invoices, regenerating
from invoicing.services.regenerating import LineEdit
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

AT = instant("2026-02-10")


@pytest.fixture
def customer() -> Customer:
    charge = goods.standard(goods.make_metric("requests"), "0.10")
    plan = goods.make_plan("pro", cents=2800, charges=[charge])
    found = parties.make_customer(parties.make_entity(taxes=[parties.make_tax("t", "0.20")]))
    made.make_subscription(found, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10", "2026-01-11")
    return found


def run(as_of: str) -> None:
    runs.run(as_of=instant(as_of), trigger="test", actor=ACTOR)


@pytest.fixture
def voided(customer: Customer) -> Invoice:
    run("2026-02-01T00:10")
    invoice = Invoice.objects.get()
    invoices.void(invoice_id=invoice.pk, actor=ACTOR, at=AT)
    return Invoice.objects.get()


def regenerate(invoice: Invoice, edits: dict[int, LineEdit] | None = None) -> Invoice:
    issued = regenerating.regenerate(invoice_id=invoice.pk, actor=ACTOR, at=AT, edits=edits)
    return Invoice.objects.get(pk=issued.pk)


def test_a_voided_time_is_not_billed_again_by_itself(customer: Customer, voided: Invoice) -> None:
    run("2026-03-01T00:10")

    rows = Invoice.objects.exclude(pk=voided.pk)
    assert [(row.status, row.fees_amount.amount) for row in rows] == [("finalized", Decimal(28))]
    assert BilledPeriod.objects.get(invoice=voided).released_at is None


def test_it_has_the_lines_and_bills_what_the_other_billed(customer: Customer, voided: Invoice) -> None:
    issued = regenerate(voided)

    assert (issued.status, issued.number, issued.regenerated_from_id) == ("finalized", "ACME-001-002", voided.pk)
    assert (issued.total_amount, issued.issuing_date) == (voided.total_amount, AT.date())
    before, after = (list(one.lines.order_by("position")) for one in (voided, issued))
    assert [(row.label, row.units, row.amount) for row in after] == [
        (row.label, row.units, row.amount) for row in before
    ]
    assert BilledPeriod.objects.get(invoice=voided).released_at == AT
    assert BilledPeriod.objects.get(invoice=issued).released_at is None
    own = RatedCharge.objects.filter(line__invoice=issued)
    assert {row.line_id for row in own} == {row.pk for row in after}
    assert all(row.period.invoice_id == issued.pk and trace.verify(row.trace) for row in own)
    balances = {row.role: row.amount for row in ledger.balances(customer_id=customer.pk) if row.amount}
    assert balances["receivable"] == issued.total_amount
    run("2026-02-15")
    assert Invoice.objects.count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_edited_lines_and_taxes_of_now(customer: Customer, voided: Invoice) -> None:
    customer.taxes.set([parties.make_tax("reduced", "0.10")])
    usage = InvoiceLine.objects.get(invoice=voided, kind="charge")
    fee = InvoiceLine.objects.get(invoice=voided, kind="subscription")
    edits = {usage.pk: LineEdit(units=Decimal(30)), fee.pk: LineEdit(unit_amount=Decimal("9.995"), label="Fee, agreed")}

    shown = regenerating.preview(invoice_id=voided.pk, actor=ACTOR, at=AT, edits=edits)
    assert Invoice.objects.count() == 1
    issued = regenerate(voided, edits)

    # 30 × 0.10 + 9.995 → 10.00, and 10 % of it
    assert (issued.fees_amount.amount, issued.taxes_amount.amount) == (Decimal("13.00"), Decimal("1.30"))
    assert shown.invoice.total_amount == issued.total_amount
    assert [line.label for line in issued.lines.order_by("position")] == ["Fee, agreed", usage.label]
    for row in RatedCharge.objects.filter(line__invoice=issued):
        assert row.trace["kind"] == "adjusted"
        assert trace.verify(row.trace)
        assert row.trace["inputs"]["by"] == ACTOR.label


def test_one_stands_in_its_place(customer: Customer, voided: Invoice) -> None:
    issued = regenerate(voided)

    with pytest.raises(errors.NotAllowed) as refused:
        regenerate(voided)
    assert refused.value.code == "already_regenerated"
    with pytest.raises(errors.NotAllowed) as refused:
        regenerate(issued)
    assert refused.value.code == "status_not_voided"
    invoices.void(invoice_id=issued.pk, actor=ACTOR, at=AT)
    with pytest.raises(errors.Invalid):
        regenerating.regenerate(invoice_id=issued.pk, actor=ACTOR, at=AT, edits={0: LineEdit(units=Decimal(1))})
    again = regenerate(Invoice.objects.get(pk=issued.pk))
    assert again.number == "ACME-001-003"


def test_nothing_stays_where_it_cannot_be_issued(
    customer: Customer, voided: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> Callable[[], None]:
        raise errors.Conflict("broken", "It broke.")

    monkeypatch.setattr(regenerating.finalization, "finalize", fail)
    with pytest.raises(errors.Conflict):
        regenerate(voided)

    assert Invoice.objects.count() == 1
    assert BilledPeriod.objects.get().released_at is None
