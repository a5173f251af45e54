"""Credits that pay later invoices: which, in which order, with which books; and none of them twice."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from moneyed import Money

from customers.models import Customer
from invoicing.domain.facts import InvoiceFinalized, InvoicePaid
from invoicing.models import CreditNote, CreditNoteUse, Invoice, InvoiceLine, LedgerEntry
from invoicing.queries import ledger, receivables
from invoicing.services import credit_notes, invoices
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")]))


def credit(customer: Customer, amount: str, *, days: int = 0, **values: Any) -> CreditNote:
    """A credit of this net amount, of an invoice of its own that is as high."""
    invoice = Invoice.objects.get(pk=make.issue(customer, amount, at=make.AT, **values).pk)
    line = InvoiceLine.objects.get(invoice=invoice)
    return credit_notes.create(
        invoice_id=invoice.pk,
        amounts={line.pk: line.amount},
        reason="other",
        actor=make.ACTOR,
        at=make.AT + days * DAY,
    )


def test_credits_lower_the_total_oldest_first(
    customer: Customer, heard: list[object], commit_checks: Callable[[], None]
) -> None:
    first_owed, second_owed = make.issue(customer, "10.00"), make.issue(customer, "50.00")
    second = credit_notes.create(
        invoice_id=second_owed.pk,
        amounts={InvoiceLine.objects.get(invoice=second_owed).pk: eur("50")},
        reason="other",
        actor=make.ACTOR,
        at=make.AT + 2 * DAY,
    )
    first = credit_notes.create(
        invoice_id=first_owed.pk,
        amounts={InvoiceLine.objects.get(invoice=first_owed).pk: eur("10")},
        reason="other",
        actor=make.ACTOR,
        at=make.AT + DAY,
    )
    heard.clear()

    invoice = make.issue(customer, "50.00", at=make.AT + 3 * DAY)

    assert (invoice.fees_amount, invoice.taxes_amount) == (eur("50"), eur("10"))
    assert (invoice.credit_notes_amount, invoice.total_amount, invoice.payment_status) == (
        eur("60"),
        eur("0"),
        "succeeded",
    )
    assert invoice.paid_at == make.AT + 3 * DAY
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.balance_amount, first.credit_status) == (eur("0"), "consumed")
    assert (second.balance_amount, second.credit_status) == (eur("12"), "available")  # 60 − (60 − 12)
    assert [(use.credit_note_id, use.amount) for use in invoice.credits.all()] == [
        (first.pk, eur("12")),
        (second.pk, eur("48")),
    ]
    assert heard == [InvoiceFinalized(invoice_id=invoice.pk), InvoicePaid(invoice_id=invoice.pk)]
    assert ledger.out_of_balance() == {}
    balances = {row.role: row.amount for row in ledger.balances(customer_id=customer.pk)}
    assert balances["customer_credit"] == eur("-12")
    assert balances["receivable"] == eur("72")  # what the two first invoices still want
    assert balances["receivable"] == receivables.due()["EUR"]
    commit_checks()


def test_a_part_is_used_and_the_rest_stays_due(customer: Customer, commit_checks: Callable[[], None]) -> None:
    credit(customer, "10.00")

    invoice = make.issue(customer, "50.00")

    assert (invoice.total_amount, invoice.credit_notes_amount, receivables.owed(invoice)) == (
        eur("48"),
        eur("12"),
        eur("48"),
    )
    use = CreditNoteUse.objects.get()
    entry = LedgerEntry.objects.get(fact="credit_used")
    assert (entry.source_id, entry.accounting_date) == (use.pk, invoice.issuing_date)
    assert {(row.account.role, row.amount.amount) for row in entry.postings.all()} == {
        ("customer_credit", Decimal(12)),
        ("receivable", Decimal(-12)),
    }
    commit_checks()


def test_whose_credit_pays_what(customer: Customer) -> None:
    note = credit(customer, "10.00")
    other_seller = make.make_entity("other")
    untouched = [
        make.issue(make.make_customer(customer.billing_entity, "c2"), "5.00"),
        make.issue(customer, "5.00", currency="USD"),
        make.issue(customer, "5.00", billing_entity_id=other_seller.pk),
    ]

    assert {invoice.credit_notes_amount.amount for invoice in untouched} == {Decimal(0)}
    draft = make.draft(customer, "5.00").invoice
    assert (draft.credit_notes_amount, draft.total_amount) == (eur("0"), eur("6"))
    note.refresh_from_db()
    assert note.balance_amount == eur("12")


def test_usage_that_was_paid_before_takes_no_credit(customer: Customer) -> None:
    credit(customer, "10.00")
    draft = make.draft(customer, "5.00").invoice
    Invoice.objects.filter(pk=draft.pk).update(kind=Invoice.Kind.ADVANCE_CHARGES)

    invoices.finalize(invoice_id=draft.pk, actor=make.ACTOR, at=make.AT)

    draft.refresh_from_db()
    assert (draft.credit_notes_amount, draft.total_amount) == (eur("0"), eur("6"))


def test_invoices_of_one_round_share_a_credit(customer: Customer, commit_checks: Callable[[], None]) -> None:
    note = credit(customer, "10.00")
    drafts = [make.draft(customer, amount, at=make.AT).invoice for amount in ("6.00", "6.00", "6.00")]

    done = invoices.finalize_many(invoice_ids=[row.pk for row in drafts], actor=make.ACTOR, at=make.AT)

    assert [(row.credit_notes_amount, row.total_amount) for row in done] == [
        (eur("7.20"), eur("0")),
        (eur("4.80"), eur("2.40")),
        (eur("0"), eur("7.20")),
    ]
    note.refresh_from_db()
    assert note.credit_status == "consumed"
    commit_checks()


def test_a_draft_credit_note_pays_the_next_invoice_of_the_round(commit_checks: Callable[[], None]) -> None:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")], invoice_grace_period=2))
    first = make.draft(customer, "30.00")
    credit_notes.credit_unused(
        line_id=first.lines[0].pk,
        unused=Decimal(15),
        used=Decimal(15),
        destination="credit",
        reason="order_cancellation",
        actor=make.ACTOR,
        at=make.AT,
    )
    second = make.draft(customer, "50.00")

    done = invoices.finalize_due(as_of=make.AT + 3 * DAY)

    assert (done.done, done.failed) == (2, {})
    first.invoice.refresh_from_db()
    second.invoice.refresh_from_db()
    assert (first.invoice.total_amount, first.invoice.credit_notes_amount) == (eur("36"), eur("0"))  # not its own
    assert (second.invoice.total_amount, second.invoice.credit_notes_amount) == (eur("42"), eur("18"))
    note = CreditNote.objects.get()
    assert (note.number, note.balance_amount, note.credit_status) == ("ACME-001-001-CN001", eur("0"), "consumed")
    commit_checks()


def test_an_offset_of_a_draft_beyond_what_is_due_becomes_credit(commit_checks: Callable[[], None]) -> None:
    customer = make.make_customer(make.make_entity(invoice_grace_period=2))
    first = make.draft(customer, "30.00")
    credit_notes.credit_unused(
        line_id=first.lines[0].pk,
        unused=Decimal(20),
        used=Decimal(10),
        destination="offset",
        reason="order_cancellation",
        actor=make.ACTOR,
        at=make.AT,
    )
    assert CreditNote.objects.get().offset_amount == eur("20")
    other = make.issue(customer, "25.00")
    credit_notes.create(
        invoice_id=other.pk,
        amounts={InvoiceLine.objects.get(invoice=other).pk: eur("25")},
        reason="other",
        actor=make.ACTOR,
        at=make.AT,
    )

    invoices.finalize(invoice_id=first.invoice.pk, actor=make.ACTOR, at=make.AT + DAY)

    first.invoice.refresh_from_db()
    note = CreditNote.objects.get(invoice=first.invoice)
    assert (first.invoice.total_amount, first.invoice.offset_amount) == (eur("5"), eur("5"))  # 30 − 25
    assert (note.offset_amount, note.credit_amount, note.balance_amount) == (eur("5"), eur("15"), eur("15"))
    assert first.invoice.payment_status == "succeeded"
    assert ledger.out_of_balance() == {}
    commit_checks()


def test_a_covered_invoice_is_issued_where_empty_ones_are_not() -> None:
    entity = make.make_entity(finalize_zero_amount_invoice=False)
    customer = make.make_customer(entity)
    credit(customer, "10.00")

    covered, empty = make.issue(customer, "10.00"), make.issue(customer, "0.00")

    assert (covered.status, covered.payment_status, covered.total_amount) == ("finalized", "succeeded", eur("0"))
    assert empty.status == "closed"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_creditnote SET balance_amount = balance_amount - 1",
        "UPDATE invoicing_creditnote SET credit_amount = credit_amount + 1, total_amount = total_amount + 1",
        "UPDATE invoicing_creditnote SET number = 'X'",
        "UPDATE invoicing_creditnote SET status = 'draft', number = NULL, finalized_at = NULL",
        "UPDATE invoicing_creditnote SET credit_status = 'consumed'",
        "DELETE FROM invoicing_creditnote",
        "UPDATE invoicing_creditnoteitem SET amount = amount + 1",
        "DELETE FROM invoicing_creditnoteitem",
        "UPDATE invoicing_creditnotetax SET amount = 0",
        "UPDATE invoicing_creditnoteuse SET amount = amount + 1",
        "DELETE FROM invoicing_creditnoteuse",
        "UPDATE invoicing_invoice SET offset_amount = 1",
        "UPDATE invoicing_invoice SET credit_notes_amount = 0, total_amount = fees_amount + taxes_amount",
    ],
)
def test_the_database_holds_it(customer: Customer, statement: str) -> None:
    credit(customer, "10.00")
    make.issue(customer, "5.00")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_no_line_gives_back_more_than_it_billed(customer: Customer) -> None:
    draft = make.draft(customer, "10.00")
    credit_notes.credit_unused(
        line_id=draft.lines[0].pk,
        unused=Decimal(6),
        used=Decimal(0),
        destination="credit",
        reason="other",
        actor=make.ACTOR,
        at=make.AT,
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError, match="billed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE invoicing_creditnoteitem SET amount = 11")
