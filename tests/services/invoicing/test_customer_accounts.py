"""How a customer's account stands: open, late and disputed by currency, by the books, and how it pays."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from config.kernel.actors import Actor
from config.platform.services import imports
from customers.models import Customer
from invoicing.models import Delivery, Invoice, OpeningBalance
from invoicing.queries import customer_accounts
from invoicing.queries.customer_accounts import Habit
from invoicing.services import disputes, opening_balances, opening_imports, overdue, payments
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

TODAY = date(2026, 5, 4)
AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
OPENINGS = (
    "customer,kind,number,date,due date,currency,total,open\n"
    "c1,owed,R-1,2026-03-01,2026-03-15,EUR,1190.00,690.00\n"
    "c1,credit,G-1,2026-04-01,,EUR,,25.00\n"
)


@pytest.fixture
def actor() -> Actor:
    return Actor(kind="user", label="Ada", user_id=User.objects.create_user("ada").pk)


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity("acme", net_payment_term=10), "c1", currency="EUR")


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T12:00:00+00:00")


def pay(invoice: Invoice, amount: str, on: str, actor: Actor) -> None:
    value = Money(amount, invoice.currency)
    payments.record(invoice_id=invoice.pk, amount=value, reference=on, paid_at=day(on), actor=actor, at=AT)


def test_what_is_open_and_late_is_told_by_currency(customer: Customer, actor: Actor) -> None:
    first = make.issue(customer, "100.00", at=day("2026-03-01"))
    second = make.issue(customer, "200.00", at=day("2026-04-01"))
    make.issue(customer, "40.00", at=day("2026-05-01"))
    make.issue(customer, "3000", at=day("2026-04-02"), currency="JPY")
    pay(first, "100.00", "2026-03-21", actor)  # 20 days after the document, 10 after it was due
    pay(second, "50.00", "2026-04-03", actor)
    overdue.mark(as_of=AT)
    file = imports.upload(
        kind=opening_imports.KIND.code, file_name="o.csv", content=OPENINGS.encode(), actor=actor, at=AT
    )
    imports.run(as_of=AT)
    imports.confirm(import_id=file.pk, all_or_nothing=True, actor=actor, at=AT)
    imports.run(as_of=AT)
    opening_balances.settle(
        opening_id=OpeningBalance.objects.get(kind="owed").pk,
        kind="paid",
        amount=Money("90.00", "EUR"),
        accounting_date=TODAY,
        reason="bank",
        actor=actor,
        at=AT,
    )

    with CaptureQueriesContext(connection) as seen:
        euro, yen = customer_accounts.standings(customer_id=customer.pk, today=TODAY)
    assert len(seen) == 3
    assert euro.open == Money("790.00", "EUR")  # 150 + 40, and 690 - 90 taken over
    assert euro.overdue == Money("750.00", "EUR")  # 150 due on 11 April, 600 due on 15 March; 40 is due on 11 May
    assert euro.taken_over == Money("600.00", "EUR")
    assert euro.late_taken_over == Money("600.00", "EUR")
    assert (euro.open_count, euro.overdue_count, euro.oldest_due) == (3, 2, date(2026, 3, 15))
    assert (yen.open, yen.overdue) == (Money(3000, "JPY"), Money(3000, "JPY"))

    by_books = {one.owed.currency.code: one for one in customer_accounts.balances(customer_id=customer.pk)}
    assert by_books["EUR"].owed == euro.open  # the documents and the books agree
    assert by_books["EUR"].credit == Money("25.00", "EUR")
    assert by_books["EUR"].amount == Money("765.00", "EUR")
    assert by_books["JPY"].amount == Money(3000, "JPY")
    assert customer_accounts.billed(customer_id=customer.pk) == [Money("340.00", "EUR"), Money(3000, "JPY")]

    openings = list(OpeningBalance.objects.order_by("kind"))
    left = customer_accounts.opening_amounts(openings=openings)
    assert [left[one.pk] for one in openings] == [Money("25.00", "EUR"), Money("600.00", "EUR")]
    assert customer_accounts.habit(customer_id=customer.pk) == Habit(count=1, days=20, late_count=1)


def test_what_is_disputed_is_open_and_not_overdue(customer: Customer, actor: Actor) -> None:
    invoice = make.issue(customer, "100.00", at=day("2026-03-01"))
    overdue.mark(as_of=AT)
    disputes.open_dispute(invoice_id=invoice.pk, amount=Money("40.00", "EUR"), reason="late", actor=actor, at=AT)

    (standing,) = customer_accounts.standings(customer_id=customer.pk, today=TODAY)

    assert (standing.open, standing.disputed) == (Money("100.00", "EUR"), Money("40.00", "EUR"))
    assert (standing.overdue, standing.overdue_count) == (Money("60.00", "EUR"), 1)


def test_a_customer_with_nothing_has_no_figures(customer: Customer) -> None:
    assert customer_accounts.standings(customer_id=customer.pk, today=TODAY) == []
    assert customer_accounts.balances(customer_id=customer.pk) == []
    assert customer_accounts.billed(customer_id=customer.pk) == []
    assert customer_accounts.habit(customer_id=customer.pk) is None
    assert not customer_accounts.failing_mail(customer_id=customer.pk, at=AT).exists()


def test_the_newest_paid_invoices_say_how_it_pays(customer: Customer, actor: Actor) -> None:
    for number, paid_on in enumerate(("2026-04-02", "2026-04-05", "2026-04-12"), start=1):
        pay(make.issue(customer, f"{number}0.00", at=day("2026-04-01")), f"{number}0.00", paid_on, actor)
    # (1 + 4 + 11) / 3 = 5.33; only the last one came after 11 April
    assert customer_accounts.habit(customer_id=customer.pk) == Habit(count=3, days=5, late_count=1)


def test_mail_that_did_not_get_out_is_the_customers_own(customer: Customer) -> None:
    other = make.make_customer(customer.billing_entity, "c2")
    for whom in (customer, other):
        invoice = make.issue(whom, "5.00", at=day("2026-04-01"))
        Delivery.objects.create(
            invoice=invoice, number=9, recipients=["a@b.example"], state="failed", next_attempt_at=AT, error="550"
        )
    found = customer_accounts.failing_mail(customer_id=customer.pk, at=AT)
    assert [one.invoice.customer for one in found] == [customer]  # type: ignore[union-attr]
