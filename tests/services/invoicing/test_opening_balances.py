"""Opening balances: booked once per reference, open until they are settled, never revenue."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from moneyed import Money

from config.kernel.actors import Actor
from config.platform.models import ApprovalRule, ImportFile
from config.platform.services import approvals, imports
from customers.models import Customer
from invoicing.domain import ledger
from invoicing.models import Invoice, LedgerEntry, LedgerPosting, OpeningBalance
from invoicing.queries import customer_statements, open_items
from invoicing.services import books_checks, books_register, manual_entries, opening_balances, opening_imports
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


def settle(opening: OpeningBalance, kind: str, amount: str, actor: Actor, key: uuid.UUID | None = None) -> Any:
    return opening_balances.settle(
        opening_id=opening.pk,
        kind=kind,
        amount=Money(amount, "EUR"),
        accounting_date=TODAY,
        reason="bank",
        idempotency_key=key,
        actor=actor,
        at=AT,
    )


def sound(actor: Actor) -> bool:
    books_register.register()
    run = books_checks.run(as_of=AT, trigger="test", actor=actor)
    return not run.results.filter(findings__isnull=False).exists()


def test_settled_twice_with_one_key_is_settled_once(actor: Actor, customer: Customer) -> None:
    imported(ROWS, actor)
    owed, credit = OpeningBalance.objects.get(reference="R-1"), OpeningBalance.objects.get(reference="G-1")
    key = uuid.uuid4()
    first = settle(owed, "paid", "690.00", actor, key)
    assert settle(owed, "paid", "690.00", actor, key) == first
    for opening, kind, amount in ((owed, "paid", "1.00"), (owed, "written_off", "690.00"), (credit, "paid_back", "25")):
        with pytest.raises(opening_balances.KeyReused):
            settle(opening, kind, amount, actor, key)
    with pytest.raises(opening_balances.UnableToSettle):
        settle(owed, "paid", "0.01", actor)
    assert booked(ledger.CASH) == Decimal("690.00")
    assert open_items.items(customer_id=customer.pk) == []


def test_what_was_settled_by_mistake_is_open_again(actor: Actor, customer: Customer) -> None:
    imported(ROWS, actor)
    opening = OpeningBalance.objects.get(reference="R-1")
    first = settle(opening, "paid", "600.00", actor)
    settle(opening, "written_off", "40.00", actor)
    undone = {"settlement_id": first.pk, "accounting_date": TODAY, "reason": "other customer", "actor": actor, "at": AT}
    row = opening_balances.undo(**undone)
    assert opening_balances.undo(**undone) == row
    assert opening_balances.left_of(opening) == Money("650.00", "EUR")  # 690 - 40
    assert open_items.items(customer_id=customer.pk)[0].amount == Money("650.00", "EUR")
    with pytest.raises(opening_balances.UnableToSettle):
        opening_balances.undo(**{**undone, "settlement_id": row.pk})
    settle(opening, "paid", "650.00", actor)
    assert booked(ledger.CASH) == Decimal("650.00")
    assert sound(actor)


def test_what_should_not_have_been_booked_is_taken_back_and_imported_anew(actor: Actor, customer: Customer) -> None:
    imported(ROWS, actor)
    owed, credit = OpeningBalance.objects.get(reference="R-1"), OpeningBalance.objects.get(reference="G-1")
    back = {"accounting_date": TODAY, "reason": "wrong total", "actor": actor, "at": AT}
    settled = settle(owed, "paid", "1.00", actor)
    with pytest.raises(opening_balances.UnableToSettle):
        opening_balances.take_back(opening_id=owed.pk, **back)
    opening_balances.undo(settlement_id=settled.pk, **back)
    row = opening_balances.take_back(opening_id=owed.pk, **back)
    assert opening_balances.take_back(opening_id=owed.pk, **back) == row
    opening_balances.take_back(opening_id=credit.pk, **back)
    assert open_items.items(customer_id=customer.pk) == []
    for role in (ledger.RECEIVABLE, ledger.CUSTOMER_CREDIT, ledger.CASH, ""):
        assert booked(role) == 0
    with pytest.raises(opening_balances.UnableToSettle):
        settle(owed, "paid", "1.00", actor)

    again = imported(ROWS.replace("690.00", "790.00"), actor)
    assert {row.outcome for row in again.rows.all()} == {"new"}
    assert list(OpeningBalance.objects.filter(reference="R-1").order_by("pk").values_list("attempt", "amount")) == [
        (1, Decimal("690.0000")),
        (2, Decimal("790.0000")),
    ]
    assert booked(ledger.RECEIVABLE) == Decimal("790.00")
    assert sound(actor)


def test_its_bookings_are_not_taken_back_behind_its_back(actor: Actor, customer: Customer) -> None:
    imported(ROWS, actor)
    opening = OpeningBalance.objects.get(reference="R-1")
    settled = settle(opening, "paid", "1.00", actor)
    for entry in (opening.entry, settled.entry):
        with pytest.raises(manual_entries.UnableToReverse, match="opening balance"):
            manual_entries.reverse(entry_id=entry.pk, accounting_date=TODAY, reason="x", actor=actor, at=AT)
    assert open_items.items(customer_id=customer.pk)[0].amount == Money("689.00", "EUR")


def test_control_totals_are_by_entity_kind_and_currency_and_the_larger_of_both_is_approved(
    actor: Actor, customer: Customer
) -> None:
    """690 + 10 owed, 25 had, 5 in another currency, which is told: the customer is billed in euro."""
    Customer.objects.filter(pk=customer.pk).update(currency="EUR")
    rows = "c1,owed,R-2,2026-03-01,2026-03-15,EUR,,10\nc1,owed,R-3,2026-03-01,2026-03-15,USD,,5\n"
    rows += "c1,owed,R-4,2026-03-01,2026-03-15,EURO,,5\n"
    file = imported(ROWS + rows, actor, write=False)
    name = customer.billing_entity.name
    assert [(one.of, one.rows, one.amount) for one in imports.totals(file)] == [
        (f"{name}: owed, EUR", 2, Money(700, "EUR")),
        (f"{name}: credit, EUR", 1, Money(25, "EUR")),
        (f"{name}: owed, USD", 1, Money(5, "USD")),
    ]
    assert [row.message for row in imports.warned(file)] == ["It is in USD, and the customer is billed in EUR."]
    assert file.rows.get(outcome="refused").message == "EURO is not a currency: ISO 4217 such as EUR."
    assert file.rows.earliest("number").key == "c1 / owed / R-1"
    group = Group.objects.create(name="Second")
    ApprovalRule.objects.create(
        created_at=AT, updated_at=AT, action="manual_entry", group=group, currency="EUR", above_amount=1
    )
    with pytest.raises(approvals.ApprovalRequired) as refusal:
        imports.confirm(import_id=file.pk, all_or_nothing=False, actor=actor, at=AT)
    assert refusal.value.amount == Money(700, "EUR")
