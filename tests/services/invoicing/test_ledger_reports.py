"""Reports of the ledger: trial balance, statements, open items; and that what was known once stays as it was."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from config.kernel import errors
from customers.models import Customer
from invoicing.domain import ageing
from invoicing.models import Invoice, InvoiceLine, LedgerAccount
from invoicing.queries import (
    account_statements,
    customer_statements,
    earned,
    ledger,
    open_items,
    receivables,
    trial_balance,
)
from invoicing.services import credit_notes, disputes, invoices, manual_entries, payments, standalone_lines
from invoicing.services.manual_entries import Side
from invoicing.services.standalone_lines import StandaloneSpec
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

MARCH, APRIL, MAY = (datetime(2026, month, 1, 0, 10, tzinfo=UTC) for month in (3, 4, 5))
LATER = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)


def euros(amount: str | int) -> Money:
    return Money(amount, "EUR")


def pay(invoice: Invoice, amount: str, paid_at: datetime, at: datetime | None = None) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=Money(amount, invoice.currency),
        reference="",
        paid_at=paid_at,
        actor=make.ACTOR,
        at=at or paid_at,
    )


def give_back(invoice: Invoice, net: str, at: datetime, **split: Money) -> None:
    line = InvoiceLine.objects.get(invoice=invoice)
    credit_notes.create(
        invoice_id=invoice.pk, amounts={line.pk: euros(net)}, reason="other", actor=make.ACTOR, at=at, **split
    )


@pytest.fixture
def customer() -> Customer:
    """Three months of 120.00 each, March paid, 20.00 of April paid, 12.00 of May taken off; and yen of another."""
    entity = make.make_entity(taxes=[make.make_tax("vat20", "0.20")], net_payment_term=30)
    customer = make.make_customer(entity)
    issued = [make.issue(customer, "100.00", billed_at=month, at=month) for month in (MARCH, APRIL, MAY)]
    make.issue(make.make_customer(entity, "c2"), "1000", currency="JPY", billed_at=MAY, at=MAY)
    pay(issued[0], "120.00", datetime(2026, 4, 3, tzinfo=UTC))
    pay(issued[1], "20.00", datetime(2026, 5, 3, tzinfo=UTC))
    give_back(issued[2], "10.00", datetime(2026, 5, 20, tzinfo=UTC), offset=euros("12.00"))
    return customer


def test_the_trial_balance_of_a_month(customer: Customer) -> None:
    with CaptureQueriesContext(connection) as captured:
        rows = trial_balance.rows(
            billing_entity_id=customer.billing_entity_id, since=date(2026, 5, 1), until=date(2026, 5, 31)
        )
    assert len(captured) == 1
    found = {
        (row.currency, row.code): tuple(int(one.amount) for one in (row.opening, row.debits, row.credits, row.closing))
        for row in rows
    }
    assert found == {
        ("EUR", "1000"): (120, 20, 0, 140),
        ("EUR", "1200"): (120, 120, 32, 208),  # May's 120; 20 paid, 12 taken off
        ("EUR", "2200"): (-40, 2, 20, -58),
        ("EUR", "4000"): (-200, 10, 100, -290),
        ("JPY", "1200"): (0, 1200, 0, 1200),
        ("JPY", "2200"): (0, 0, 200, -200),
        ("JPY", "4000"): (0, 0, 1000, -1000),
    }
    for total in trial_balance.totals(rows).values():
        assert not total.opening
        assert not total.closing
        assert total.debits == total.credits
    assert trial_balance.rows(billing_entity_id=customer.billing_entity_id, until=date(2026, 2, 1)) == []


def test_the_statement_of_an_account_by_pages(customer: Customer) -> None:
    account = LedgerAccount.objects.get(role="receivable")
    whole = account_statements.page(account=account, currency="EUR")
    # in the order of days: March, April, paid April 3, May, paid May 3, given back May 20
    assert [int(line.balance.amount) for line in whole.lines] == [120, 240, 120, 240, 220, 208]
    assert (whole.opening, whole.closing, whole.next_cursor) == (euros(0), euros(208), None)

    pages, cursor = [], None
    while True:
        with CaptureQueriesContext(connection) as captured:
            page = account_statements.page(
                account=account, currency="EUR", since=date(2026, 4, 1), after=cursor, size=2
            )
        assert len(captured) <= 3
        pages.append((int(page.opening.amount), [int(line.balance.amount) for line in page.lines]))
        if page.next_cursor is None:
            break
        cursor = account_statements.cursor(str(page.next_cursor))
    assert pages == [(120, [240, 120]), (120, [240, 220]), (220, [208])]
    assert account_statements.currencies(account=account) == ["EUR", "JPY"]
    for wrong in ("", "2026-05-01", "2026-05-01_x", "x_1", "2026-05-01_" + "9" * 30):
        with pytest.raises(errors.Invalid):
            account_statements.cursor(wrong)


def test_the_statement_of_a_customer(customer: Customer) -> None:
    (found,) = customer_statements.statements(customer=customer, since=date(2026, 5, 1), until=date(2026, 5, 31))
    assert (found.currency, found.opening, found.closing) == ("EUR", euros(120), euros(208))
    assert [(str(one.amount.amount), str(one.balance.amount)) for one in found.movements] == [
        ("120.0000", "240.0000"),
        ("-20.0000", "220.0000"),
        ("-12.0000", "208.0000"),
    ]
    # April was due on 1 May: 30 days; May's on 31 May: not late yet
    assert [(one.description[:7], one.amount) for one in found.items] == [
        ("Invoice", euros(100)),
        ("Invoice", euros(108)),
    ]
    assert {name: int(amount.amount) for name, amount in found.ages.items() if amount} == {"1-30": 100, "0": 108}
    assert sum((one.amount for one in found.items), euros(0)) == found.closing
    assert customer_statements.statements(customer=customer, until=date(2026, 1, 1)) == []


def test_a_fee_that_stands_alone_is_open_until_it_is_paid(customer: Customer) -> None:
    (line,) = standalone_lines.create_many(
        specs=[StandaloneSpec(customer.pk, customer.billing_entity_id, "EUR", make.line("5.00"))],
        actor=make.ACTOR,
        at=LATER,
    )
    items = open_items.items(customer_id=customer.pk)
    assert [(one.line_id, one.amount, one.due_on) for one in items if one.line_id] == [
        (line.pk, euros(6), date(2026, 6, 15))
    ]
    standalone_lines.set_payment_status(line_id=line.pk, payment_status="succeeded", actor=make.ACTOR, at=LATER)
    assert not [one for one in open_items.items(customer_id=customer.pk) if one.line_id]


def test_revenue_by_month(customer: Customer) -> None:
    found = earned.by_month(billing_entity_id=customer.billing_entity_id, currency="EUR")
    assert [
        (row.month.month, int(row.revenue.amount), int(row.tax.amount), int(row.received.amount)) for row in found
    ] == [(3, 100, 20, 0), (4, 100, 20, 120), (5, 90, 18, 20)]


def everything(customer: Customer, known_on: datetime) -> list[Any]:
    """Ask all reports what was known at a moment."""
    seller = customer.billing_entity_id
    end = date(2026, 12, 31)
    receivable = LedgerAccount.objects.get(role="receivable")
    statements = customer_statements.statements(customer=customer, until=end, known_on=known_on)
    return [
        ledger.balances(billing_entity_id=seller, known_on=known_on),
        trial_balance.rows(billing_entity_id=seller, since=date(2026, 4, 1), until=end, known_on=known_on),
        account_statements.page(account=receivable, currency="EUR", known_on=known_on),
        [(one.opening, one.movements, one.closing, one.items, one.ages) for one in statements],
        open_items.by_age(today=date(2026, 6, 20), billing_entity_id=seller, known_on=known_on),
        earned.by_month(billing_entity_id=seller, known_on=known_on),
        list(ledger.entries(billing_entity_id=seller, known_on=known_on)),
    ]


def test_what_was_known_stays_known_whatever_is_booked_later(customer: Customer) -> None:
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    before = everything(customer, moment)
    april, may = Invoice.objects.filter(customer=customer).order_by("issuing_date")[1:]

    pay(april, "100.00", datetime(2026, 4, 20, tzinfo=UTC), at=LATER)  # of a day long before
    give_back(may, "20.00", LATER)
    make.issue(customer, "7.00", billed_at=MARCH, at=LATER)
    accounts = {row.role: row.pk for row in LedgerAccount.objects.all()}
    manual_entries.post(
        billing_entity_id=customer.billing_entity_id,
        sides=[Side(accounts["write_off"], euros(8)), Side(accounts["receivable"], euros(-8))],
        accounting_date=date(2026, 4, 30),
        reason="Too small to ask for",
        customer_id=customer.pk,
        actor=make.ACTOR,
        at=LATER,
    )

    assert everything(customer, moment) == before
    after = everything(customer, LATER)
    assert all(now != then for now, then in zip(after, before, strict=True))
    ages = open_items.by_age(today=date(2026, 6, 20), billing_entity_id=customer.billing_entity_id)["EUR"]
    (owed,) = [row.amount for row in ledger.balances() if (row.role, row.amount.currency.code) == ("receivable", "EUR")]
    assert sum(ages.values(), euros(0)) == owed == euros("100")  # 208 − 100 + 8.40 − 8.40 by the credit − 8


def test_by_hand(customer: Customer) -> None:
    accounts = {row.role: row.pk for row in LedgerAccount.objects.all()}
    sides = [Side(accounts["cash"], euros("-3.50")), Side(accounts["write_off"], euros("3.50"))]
    given: dict[str, Any] = {
        "billing_entity_id": customer.billing_entity_id,
        "sides": sides,
        "accounting_date": date(2026, 5, 31),
        "reason": "Bank fee",
        "actor": make.ACTOR,
        "at": LATER,
    }
    entry = manual_entries.post(**given)
    assert {row.account.role: row.amount for row in entry.postings.all()} == {
        "cash": euros("-3.50"),
        "write_off": euros("3.50"),
    }
    taken: dict[str, Any] = {
        "accounting_date": date(2026, 6, 1),
        "reason": "Wrong bank",
        "actor": make.ACTOR,
        "at": LATER,
    }
    manual_entries.reverse(entry_id=entry.pk, **taken)
    assert not [row for row in ledger.balances() if row.role == "write_off" and row.amount]
    with pytest.raises(manual_entries.UnableToReverse, match="before"):
        manual_entries.reverse(entry_id=entry.pk, **taken)
    issued = ledger.entries(facts=["invoice_finalized"]).first()
    with pytest.raises(manual_entries.UnableToReverse, match="by hand"):
        manual_entries.reverse(entry_id=issued.pk, **taken)
    cash, owed = Side(accounts["cash"], euros(1)), Side(accounts["receivable"], euros(-1))
    for wrong in (
        {"sides": sides[:1]},
        {"sides": [cash, Side(accounts["write_off"], euros("-0.99"))]},
        {"sides": [cash, Side(accounts["write_off"], Money(-1, "USD"))]},
        {"sides": [cash, Side(0, euros(-1))]},
        {"sides": [cash, Side(accounts["cash"], euros(-1))]},
        {"sides": [Side(accounts["cash"], euros("0.001")), Side(accounts["write_off"], euros("-0.001"))]},
        {"sides": [cash, owed]},  # whose?
        {"reason": " "},
    ):
        with pytest.raises(manual_entries.InvalidEntry):
            manual_entries.post(**{**given, **wrong})
    assert manual_entries.post(**{**given, "sides": [cash, owed], "customer_id": customer.pk}).customer_id
    assert ledger.out_of_balance() == {}


def test_the_overview_and_the_ledger_agree_on_what_is_open_and_how_old_it_is(customer: Customer) -> None:
    """Documents and postings are two ways to the same sums, also with disputes, voids and held money."""
    disputed, gone = (make.issue(customer, "50.00", billed_at=MAY, at=MAY) for _ in range(2))
    disputes.open_dispute(invoice_id=disputed.pk, amount=euros("7"), reason="no", actor=make.ACTOR, at=MAY)
    pay(gone, "10.00", MAY)
    invoices.void(invoice_id=gone.pk, actor=make.ACTOR, at=MAY)

    for moment in (LATER, datetime(2026, 9, 15, 9, 0, tzinfo=UTC)):
        found = open_items.by_age(today=moment.date())
        assert found == receivables.by_age(as_of=moment)
        assert found["EUR"][ageing.DISPUTED] == euros("7")
    # Declared paid, it is settled for the overview, and open in the books until its money is booked: all that differs.
    payments.declare(invoice_id=disputed.pk, payment_status="succeeded", actor=make.ACTOR, at=LATER)
    apart = sum(open_items.by_age(today=LATER.date())["EUR"].values(), euros(0))
    assert apart - sum(receivables.by_age(as_of=LATER)["EUR"].values(), euros(0)) == euros("60")
