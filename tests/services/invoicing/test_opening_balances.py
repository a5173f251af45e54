"""Opening balances: booked once per reference, open until they are settled, never revenue."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from moneyed import Money

from config.kernel.actors import Actor
from config.platform.models import ImportFile
from config.platform.services import imports
from customers.models import Customer
from invoicing.domain import ledger
from invoicing.models import Invoice, LedgerEntry, LedgerPosting, OpeningBalance
from invoicing.queries import customer_statements, open_items
from invoicing.services import books_checks, books_register, opening_balances, opening_imports
from tests.factories import invoicing as parties

pytestmark = pytest.mark.django_db

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
TODAY = date(2026, 5, 4)
HEAD = "customer,kind,number,date,due date,currency,total,open\n"
ROWS = HEAD + "c1,owed,R-1,2026-03-01,2026-03-15,EUR,1190.00,690.00\nc1,credit,G-1,2026-04-01,,EUR,,25.00\n"


@pytest.fixture
def actor() -> Actor:
    return Actor(kind="user", label="Ada", user_id=User.objects.create_user("ada").pk)


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity("acme"), "c1")


def imported(text: str, actor: Actor, *, write: bool = True) -> ImportFile:
    file = imports.upload(
        kind=opening_imports.KIND.code, file_name="open.csv", content=text.encode(), actor=actor, at=AT
    )
    imports.run(as_of=AT)
    if write:
        imports.confirm(import_id=file.pk, all_or_nothing=True, actor=actor, at=AT)
        imports.run(as_of=AT)
    file.refresh_from_db()
    return file


def booked(role: str) -> Decimal:
    return sum((row.amount.amount for row in LedgerPosting.objects.filter(account__role=role)), Decimal(0))


def test_what_is_taken_over_is_owed_and_no_revenue(actor: Actor, customer: Customer) -> None:
    assert imported(ROWS, actor).status == "done"
    assert booked(ledger.RECEIVABLE) == Decimal("690.00")
    assert booked(ledger.CUSTOMER_CREDIT) == Decimal("-25.00")
    assert booked("") == Decimal("-665.00")  # the account of opening balances: 25 - 690
    assert booked(ledger.REVENUE) == booked(ledger.TAX) == 0
    assert not Invoice.objects.exists()
    (item,) = open_items.items(customer_id=customer.pk, until=TODAY)
    assert (item.description, item.due_on) == ("Opening balance R-1", date(2026, 3, 15))
    assert item.amount == Money("690.00", "EUR")
    (statement,) = customer_statements.statements(customer=customer, until=TODAY)
    assert statement.closing == Money("690.00", "EUR")
    assert statement.credit == Money("25.00", "EUR")
    assert statement.ages["31-60"] == Money("690.00", "EUR")  # 50 days


def test_the_same_file_again_books_nothing_and_other_figures_are_refused(actor: Actor, customer: Customer) -> None:
    imported(ROWS, actor)
    entries = LedgerEntry.objects.count()
    again = imported(ROWS, actor, write=False)
    assert {row.outcome for row in again.rows.all()} == {"unchanged"}
    other = imported(ROWS.replace("690.00", "691.00"), actor, write=False)
    assert [row.outcome for row in other.rows.order_by("number")] == ["refused", "unchanged"]
    assert "what is booked stays" in other.rows.get(number=2).message
    assert LedgerEntry.objects.count() == entries


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("c9,owed,R-1,2026-03-01,2026-03-15,EUR,1,1", "Customer"),
        ("c1,lent,R-1,2026-03-01,2026-03-15,EUR,1,1", "Kind"),
        ("c1,owed,R-1,2026-03-01,,EUR,1,1", "Due date"),
        ("c1,owed,R-1,2026-03-15,2026-03-01,EUR,1,1", "Due date"),
        ("c1,owed,R-1,01/02/2026,2026-03-15,EUR,1,1", "Date"),
        ("c1,owed,R-1,2026-03-01,2026-03-15,EUR,1,1.001", "Open"),
        ("c1,owed,R-1,2026-03-01,2026-03-15,EUR,1,2", "Open"),
        ("c1,owed,R-1,2026-03-01,2026-03-15,EUR,1,-1", "Open"),
        ("c1,owed,R-1,2026-03-01,2026-03-15,XYZ,1,1", "Currency"),
    ],
)
def test_rows_that_cannot_be_booked(row: str, column: str, actor: Actor, customer: Customer) -> None:
    (found,) = imported(HEAD + row + "\n", actor, write=False).rows.all()
    assert (found.outcome, found.column) == ("refused", column)
    assert not OpeningBalance.objects.exists()


def test_paid_and_given_up_until_nothing_is_open(actor: Actor, customer: Customer) -> None:
    imported(ROWS, actor)
    opening = OpeningBalance.objects.get(reference="R-1")

    def settle(kind: str, amount: str) -> None:
        opening_balances.settle(
            opening_id=opening.pk,
            kind=kind,
            amount=Money(amount, "EUR"),
            accounting_date=TODAY,
            reason="bank",
            actor=actor,
            at=AT,
        )

    settle("paid", "600.00")
    assert open_items.items(customer_id=customer.pk)[0].amount == Money("90.00", "EUR")
    for kind, amount in (("paid", "90.01"), ("paid", "0"), ("paid_back", "1")):
        with pytest.raises(opening_balances.UnableToSettle):
            settle(kind, amount)
    settle("written_off", "90.00")
    assert open_items.items(customer_id=customer.pk) == []
    assert booked(ledger.CASH) == Decimal("600.00")
    assert booked(ledger.WRITE_OFF) == Decimal("90.00")
    books_register.register()
    run = books_checks.run(as_of=AT, trigger="test", actor=actor)
    assert not run.results.filter(findings__isnull=False).exists()
