"""What goes back where it came from when a document is voided: prepaid credit, coupons; and what the database holds."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from moneyed import Money

from catalog.services import coupons
from config.kernel import errors
from customers.models import AppliedCoupon, Customer
from customers.services import applied_coupons
from invoicing.models import Invoice, InvoiceLine, PrepaidCredit
from invoicing.queries import ledger
from invoicing.services import credit_notes, invoices, payments, prepaid_credits
from invoicing.services.prepaid_credits import Grant
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

LATER = make.AT + timedelta(days=3)


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")]))


@pytest.fixture
def credit(customer: Customer) -> PrepaidCredit:
    new = Grant(
        customer_id=customer.pk,
        billing_entity_id=customer.billing_entity_id,
        amount=eur("100"),
        valid_from=date(2026, 1, 1),
        valid_until=date(2026, 12, 31),
        source="Contract CT-1",
        source_uuid=uuid.uuid4(),
    )
    return prepaid_credits.grant(new=new, actor=make.ACTOR, at=make.AT)


def void(invoice: Invoice) -> None:
    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=LATER)


def test_prepaid_credit_can_be_drawn_again(
    customer: Customer, credit: PrepaidCredit, commit_checks: Callable[[], None]
) -> None:
    invoice = make.issue(customer, "100.00")  # 120.00, of which 100.00 are drawn
    credit.refresh_from_db()
    assert (invoice.total_amount, credit.status) == (eur("20"), "used_up")

    void(invoice)

    credit.refresh_from_db()
    assert (credit.left, credit.status) == (eur("100"), "active")
    assert ledger.out_of_balance() == {}
    assert {row.role: row.amount for row in ledger.balances(customer_id=customer.pk) if row.amount} == {}
    assert make.issue(customer, "50.00", at=LATER).prepaid_credit_amount == eur("60")
    commit_checks()


def test_closed_credit_stays_closed(customer: Customer, credit: PrepaidCredit) -> None:
    invoice = make.issue(customer, "10.00")
    prepaid_credits.expire(credit_id=credit.pk, on=date(2026, 12, 31), actor=make.ACTOR, at=LATER)

    with pytest.raises(errors.NotAllowed) as refused:
        void(invoice)

    assert refused.value.code == "not_voidable"
    assert Invoice.objects.get().status == "finalized"


def test_a_coupon_can_be_used_again(customer: Customer, commit_checks: Callable[[], None]) -> None:
    values = {"code": "c", "name": "C", "kind": "percentage", "rate": Decimal("0.5"), "frequency": "once"}
    coupons.create(values=values, actor=make.ACTOR, at=make.AT)  # type: ignore[arg-type]
    applied_coupons.apply(external_customer_id="c1", coupon_code="c", terms={}, actor=make.ACTOR, at=make.AT)
    invoice = make.issue(customer, "100.00")
    assert (invoice.coupons_amount, AppliedCoupon.objects.get().status) == (eur("50"), "terminated")

    void(invoice)

    assert AppliedCoupon.objects.get().status == "active"
    assert {row.role: row.amount for row in ledger.balances(customer_id=customer.pk) if row.amount} == {}
    assert make.issue(customer, "10.00", at=LATER).coupons_amount == eur("5")
    commit_checks()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_paymentrelease SET amount = 1",
        "DELETE FROM invoicing_creditnoteusereversal",
        "UPDATE invoicing_invoice SET paid_amount = 1 WHERE status = 'voided'",
        "UPDATE invoicing_invoice SET status = 'finalized' WHERE status = 'voided'",
        "UPDATE invoicing_invoice SET regenerated_from_id = id WHERE status = 'voided'",
        "UPDATE invoicing_creditnote SET balance_amount = balance_amount - 1",
        "UPDATE invoicing_prepaidcredit SET used_amount = used_amount + 1",
        (
            "INSERT INTO invoicing_paymentrefund "
            "(uuid, created_at, payment_id, currency, amount, reference, refunded_at) "
            "SELECT gen_random_uuid(), paid_at, id, 'EUR', amount + 1, '', paid_at FROM invoicing_payment"
        ),
        (
            "INSERT INTO invoicing_paymentrelease (uuid, created_at, allocation_id, currency, amount) "
            "SELECT gen_random_uuid(), part.created_at, part.id, 'EUR', 1 FROM invoicing_paymentallocation part "
            "JOIN invoicing_invoice bill ON bill.id = part.invoice_id WHERE bill.status = 'finalized'"
        ),
    ],
)
def test_the_database_keeps_what_was_given_back(customer: Customer, credit: PrepaidCredit, statement: str) -> None:
    owed = make.issue(customer, "500.00")  # draws the 100.00
    line = InvoiceLine.objects.get(invoice=owed)
    for amount in ("100", "120"):
        payments.record(
            invoice_id=owed.pk, amount=eur(amount), reference="", paid_at=make.AT, actor=make.ACTOR, at=make.AT
        )
    credit_notes.create(invoice_id=owed.pk, amounts={line.pk: eur("50")}, reason="other", actor=make.ACTOR, at=make.AT)
    other = make.issue(customer, "100.00")
    payments.record(invoice_id=other.pk, amount=eur("10"), reference="", paid_at=make.AT, actor=make.ACTOR, at=make.AT)
    void(other)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")
