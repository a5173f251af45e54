"""Disputes: of an invoice, a line, an amount; the books, what is overdue, ageing; and how they end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from moneyed import Money

from config.kernel import errors
from customers.models import Customer
from invoicing.models import DisputeMove, Invoice, InvoiceDispute, InvoiceLine
from invoicing.queries import ledger, receivables
from invoicing.services import credit_notes, disputes, invoices, overdue, payments
from tests.factories import coupons as make_coupons
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

LATE = make.AT + timedelta(days=60)


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")]))


def dispute(invoice: Invoice, **values: Any) -> InvoiceDispute:
    given = {"reason": "never ordered", "actor": make.ACTOR, "at": make.AT, **values}
    return disputes.open_dispute(invoice_id=invoice.pk, **given)


def resolve(one: InvoiceDispute, outcome: str) -> InvoiceDispute:
    return disputes.resolve(dispute_id=one.pk, outcome=outcome, actor=make.ACTOR, at=LATE)


def pay(invoice: Invoice, amount: str) -> None:
    payments.record(invoice_id=invoice.pk, amount=eur(amount), reference="", paid_at=LATE, actor=make.ACTOR, at=LATE)


def owed(customer: Customer) -> dict[str, Money]:
    assert ledger.out_of_balance() == {}
    roles = ("receivable", "disputed")
    rows = ledger.balances(customer_id=customer.pk)
    return {row.role: row.amount for row in rows if row.role in roles and row.amount}


def again(invoice: Invoice) -> Invoice:
    return Invoice.objects.get(pk=invoice.pk)


def test_a_line_leaves_what_is_overdue_and_the_rest_stays(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    invoice = make.issue(customer, "100.00", "50.00")
    line = InvoiceLine.objects.get(invoice=invoice, position=2)

    one = dispute(invoice, line_id=line.pk)

    assert (one.amount, one.status, again(invoice).disputed_amount) == (eur("60"), "open", eur("60"))
    assert owed(customer) == {"receivable": eur("120"), "disputed": eur("60")}
    ages = receivables.by_age(as_of=LATE)["EUR"]
    assert (ages["31-60"], ages["disputed"], sum(one.amount for one in ages.values())) == (eur("120"), eur("60"), 180)
    assert receivables.undisputed(again(invoice)) == eur("120")
    assert overdue.mark(as_of=LATE) == 1  # the rest is late
    with pytest.raises(errors.Invalid):
        dispute(invoice, line_id=line.pk, amount=eur("0.01"))  # all of the line is disputed
    commit_checks()


@pytest.mark.parametrize(("outcome", "left"), [("won", {"receivable": "120"}), ("withdrawn", {"receivable": "120"})])
def test_what_is_won_or_withdrawn_is_owed_again(
    customer: Customer, commit_checks: Callable[[], None], outcome: str, left: dict[str, str]
) -> None:
    invoice = make.issue(customer, "100.00")
    one = dispute(invoice)
    assert overdue.mark(as_of=LATE) == 0  # all of it is disputed

    resolve(one, outcome)
    resolve(one, outcome)

    assert owed(customer) == {role: eur(amount) for role, amount in left.items()}
    assert overdue.mark(as_of=LATE) == 1
    assert [move.kind for move in DisputeMove.objects.all()] == ["opened", outcome]
    with pytest.raises(errors.NotAllowed):
        resolve(one, "lost")
    commit_checks()


def test_a_lost_dispute_is_never_overdue_until_it_is_credited(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    invoice = make.issue(customer, "100.00")
    overdue.mark(as_of=LATE)

    disputes.lose(invoice_id=invoice.pk, actor=make.ACTOR, at=LATE)
    lost = disputes.lose(invoice_id=invoice.pk, actor=make.ACTOR, at=LATE + timedelta(days=1))

    assert (lost.payment_dispute_lost_at, lost.payment_overdue, lost.disputed_amount) == (LATE, False, eur("120"))
    assert overdue.mark(as_of=LATE) == 0
    assert owed(customer) == {"disputed": eur("120")}
    assert receivables.owed(lost) == eur("120")  # it stays a document that is not paid
    line = InvoiceLine.objects.get(invoice=invoice)
    credit_notes.create(
        invoice_id=invoice.pk,
        amounts={line.pk: eur("100")},
        reason="other",
        offset=eur("120"),
        actor=make.ACTOR,
        at=LATE,
    )
    assert (owed(customer), again(invoice).payment_status) == ({}, "succeeded")
    assert InvoiceDispute.objects.get().status == "settled"
    commit_checks()


def test_money_settles_what_is_disputed_last(customer: Customer, commit_checks: Callable[[], None]) -> None:
    invoice = make.issue(customer, "100.00")
    one = dispute(invoice, amount=eur("50"))
    pay(invoice, "70")
    assert owed(customer) == {"disputed": eur("50")}

    pay(invoice, "20")

    one.refresh_from_db()
    assert (one.open_amount, one.status, owed(customer)) == (eur("30"), "open", {"disputed": eur("30")})
    pay(invoice, "30")
    one.refresh_from_db()
    assert (one.status, again(invoice).payment_status, owed(customer)) == ("settled", "succeeded", {})
    commit_checks()


def test_voiding_ends_disputes(customer: Customer, commit_checks: Callable[[], None]) -> None:
    invoice = make.issue(customer, "100.00")
    dispute(invoice)

    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=LATE)

    assert (owed(customer), again(invoice).disputed_amount) == ({}, eur("0"))
    assert InvoiceDispute.objects.get().status == "settled"
    commit_checks()


def test_a_paid_invoice_can_only_be_lost(customer: Customer) -> None:
    invoice, draft = make.issue(customer, "100.00"), make.draft(customer, "1.00").invoice
    pay(invoice, "120")

    for refused in (invoice, draft):
        with pytest.raises(errors.NotAllowed) as error:
            dispute(refused)
        assert error.value.code == "not_disputable"
    with pytest.raises(errors.NotAllowed):
        disputes.lose(invoice_id=draft.pk, actor=make.ACTOR, at=LATE)
    lost = disputes.lose(invoice_id=invoice.pk, actor=make.ACTOR, at=LATE)

    assert (lost.payment_dispute_lost_at, lost.disputed_amount) == (LATE, eur("0"))
    assert not InvoiceDispute.objects.exists()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"amount": eur("120.01")}, "higher_than_remaining_amount"),
        ({"amount": eur("0")}, "invalid_value"),
        ({"amount": Money("1", "USD")}, "currencies_does_not_match"),
        ({"reason": " "}, "value_is_mandatory"),
        ({"line_id": 0}, "fee_not_found"),
    ],
)
def test_what_cannot_be_disputed(customer: Customer, values: dict[str, Any], code: str) -> None:
    invoice = make.issue(customer, "100.00")
    with pytest.raises(errors.Invalid) as refused:
        dispute(invoice, **values)
    assert refused.value.code == code
    assert again(invoice).disputed_amount == eur("0")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_invoicedispute SET amount = amount + 1",
        "UPDATE invoicing_invoicedispute SET open_amount = open_amount - 1",
        "DELETE FROM invoicing_invoicedispute",
        "UPDATE invoicing_disputemove SET amount = amount - 1",
        "DELETE FROM invoicing_disputemove",
        "UPDATE invoicing_invoice SET disputed_amount = 0",
        "UPDATE invoicing_invoice SET status = 'voided', voided_at = finalized_at",
    ],
)
def test_the_database_keeps_disputes(customer: Customer, statement: str) -> None:
    dispute(make.issue(customer, "100.00"))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")


def test_a_line_is_disputed_for_what_coupons_left_of_it(customer: Customer) -> None:
    make_coupons.give(customer, rate="0.5")
    invoice = make.issue(customer, "100.00", "50.00")
    line = InvoiceLine.objects.get(invoice=invoice, position=1)
    credit_notes.create(
        invoice_id=invoice.pk, amounts={line.pk: eur("20")}, reason="other", actor=make.ACTOR, at=make.AT
    )

    # 100 − 50 = 50 + 10 tax; 20 given back are 10 after the coupon, and 12 with tax
    assert dispute(invoice, line_id=line.pk).amount == eur("48")
