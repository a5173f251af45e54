"""Voiding documents: what is given back, the books, held money, credit notes in its place, and what is refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from moneyed import Money

from config.kernel import errors
from config.platform.models import AuditEntry
from customers.models import Customer
from invoicing.domain.facts import InvoiceVoided
from invoicing.models import CreditNote, Invoice, InvoiceLine, LedgerEntry, Payment, PaymentRefund
from invoicing.queries import held_payments as held_money
from invoicing.queries import ledger, receivables
from invoicing.services import credit_notes, held_payments, invoices, overdue, payments, voiding
from invoicing.services.voiding import CreditNoteParts
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LATER = make.AT + 3 * DAY


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")]))


def pay(invoice: Invoice, amount: str) -> Payment:
    return payments.record(
        invoice_id=invoice.pk, amount=eur(amount), reference="w", paid_at=make.AT, actor=make.ACTOR, at=make.AT
    )


def credit(invoice: Invoice, amount: str, **way: Money) -> CreditNote:
    line = InvoiceLine.objects.get(invoice=invoice)
    return credit_notes.create(
        invoice_id=invoice.pk, amounts={line.pk: eur(amount)}, reason="other", actor=make.ACTOR, at=make.AT, **way
    )


def void(invoice: Invoice, **values: Any) -> Invoice:
    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=LATER, **values)
    return Invoice.objects.get(pk=invoice.pk)


def books(customer: Customer) -> dict[str, Money]:
    assert ledger.out_of_balance() == {}
    return {row.role: row.amount for row in ledger.balances(customer_id=customer.pk) if row.amount}


def test_an_unpaid_invoice_leaves_nothing_in_the_books(
    customer: Customer, heard: list[object], commit_checks: Callable[[], None]
) -> None:
    invoice = make.issue(customer, "100.00")
    overdue.mark(as_of=make.AT + 90 * DAY)

    voided = void(invoice, reason="wrong customer")

    assert (voided.status, voided.number, voided.voided_at) == ("voided", invoice.number, LATER)
    assert (voided.total_amount, voided.payment_overdue) == (eur("120"), False)
    assert receivables.owed(voided) == receivables.remaining(voided) == eur("0")
    assert books(customer) == {}
    assert receivables.due() == {}
    entry = LedgerEntry.objects.get(fact="invoice_voided")
    assert (entry.accounting_date, entry.source_id) == (LATER.date(), invoice.pk)
    assert heard[-1] == InvoiceVoided(invoice_id=invoice.pk, was_issued=True)
    assert AuditEntry.objects.get(verb="void").reason == "wrong customer"
    with pytest.raises(errors.NotAllowed) as refused:
        void(invoice)
    assert refused.value.code == "not_voidable"
    assert make.issue(customer, "1.00").number == "ACME-001-002"  # the number stays taken
    commit_checks()


def test_payments_are_held_then_pay_another_invoice_or_go_back(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    invoice = make.issue(customer, "100.00")
    first, second = pay(invoice, "20.00"), pay(invoice, "100.00")

    voided = void(invoice)

    assert voided.paid_amount == eur("0")
    assert books(customer) == {"cash": eur("120"), "customer_credit": eur("-120")}
    assert held_money.held(first) == eur("20")
    assert {row.pk: row.held_amount for row in held_money.holding()} == {first.pk: 20, second.pk: 100}

    other = make.issue(customer, "50.00")
    held_payments.allocate(payment_id=second.pk, invoice_id=other.pk, amount=eur("60"), actor=make.ACTOR, at=LATER)
    held_payments.refund(
        payment_id=second.pk, amount=eur("40"), reference="b", actor=make.ACTOR, at=LATER, idempotency_key="k"
    )
    held_payments.refund(
        payment_id=second.pk, amount=eur("40"), reference="b", actor=make.ACTOR, at=LATER, idempotency_key="k"
    )

    other.refresh_from_db()
    assert (other.payment_status, other.paid_amount) == ("succeeded", eur("60"))
    assert PaymentRefund.objects.count() == 1
    assert held_money.held(second) == eur("0")
    # 120 came in, 40 went back; 20 are held still; 50 are earned and 10 are tax
    assert books(customer) == {
        "cash": eur("80"), "customer_credit": eur("-20"), "revenue": eur("-50"), "tax": eur("-10"),
    }  # fmt: skip
    for amount, code in (("1", "nothing_held"),):
        with pytest.raises(errors.DomainError) as refused:
            held_payments.refund(payment_id=second.pk, amount=eur(amount), reference="", actor=make.ACTOR, at=LATER)
        assert refused.value.code == code
    with pytest.raises(errors.Invalid):
        held_payments.refund(payment_id=first.pk, amount=eur("20.01"), reference="", actor=make.ACTOR, at=LATER)
    commit_checks()


def test_used_credits_can_be_used_again(customer: Customer, commit_checks: Callable[[], None]) -> None:
    owed = make.issue(customer, "50.00")
    pay(owed, "60.00")
    note = credit(owed, "50.00")  # 60.00 of credit
    invoice = make.issue(customer, "100.00", at=make.AT + DAY)
    assert invoice.credit_notes_amount == eur("60")

    voided = void(invoice)

    note.refresh_from_db()
    assert (note.balance_amount, note.credit_status) == (eur("60"), "available")
    assert voided.credit_notes_amount == eur("60")  # the document says what it said
    assert books(customer) == {"cash": eur("60"), "customer_credit": eur("-60")}
    again = make.issue(customer, "10.00", at=LATER + DAY)
    assert (again.credit_notes_amount, again.total_amount) == (eur("12"), eur("0"))
    commit_checks()


def test_what_credit_notes_gave_back_is_not_given_back_twice(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    paid, unpaid = make.issue(customer, "100.00"), make.issue(customer, "100.00")
    pay(paid, "120.00")
    credit(paid, "50.00", refund=eur("60"))
    credit(unpaid, "25.00", offset=eur("30"))
    credit(unpaid, "10.00", credit=eur("12"))

    void(paid)
    void(unpaid)

    # Of the 120 paid 60 are refunded by the note and 60 are held. The 12 of credit were never paid for.
    assert books(customer) == {
        "cash": eur("120"), "refunds": eur("-60"), "customer_credit": eur("-72"), "write_off": eur("12"),
    }  # fmt: skip
    assert held_money.held(Payment.objects.get()) == eur("60")
    commit_checks()


@pytest.mark.parametrize(
    ("paid", "parts", "notes", "expected"),
    [
        # all of an unpaid invoice as credit: nobody paid for it
        ("0", ("120", "0"), [("120", "0", "available")], {"customer_credit": "-120", "write_off": "120"}),
        # a part of each of a paid one; the rest is credited and voided, and its money is held
        (
            "120",
            ("30", "50"),
            [("30", "50", "available"), ("40", "0", "voided")],
            {"cash": "120", "refunds": "-50", "customer_credit": "-70"},
        ),
        # nothing: one note over all of it, voided at once
        ("120", ("0", "0"), [("120", "0", "voided")], {"cash": "120", "customer_credit": "-120"}),
    ],
)
def test_credit_notes_in_its_place(
    customer: Customer,
    commit_checks: Callable[[], None],
    paid: str,
    parts: tuple[str, str],
    notes: list[tuple[str, str, str]],
    expected: dict[str, str],
) -> None:
    invoice = make.issue(customer, "33.33", "66.67")
    if paid != "0":
        pay(invoice, paid)

    void(invoice, credit_note=CreditNoteParts(credit=eur(parts[0]), refund=eur(parts[1])))

    found = [(row.credit_amount, row.refund_amount, row.credit_status) for row in CreditNote.objects.order_by("pk")]
    assert found == [(eur(one), eur(two), status) for one, two, status in notes]
    assert sum(row.total_amount.amount for row in CreditNote.objects.all()) == 120  # settled on paper
    assert books(customer) == {role: eur(amount) for role, amount in expected.items()}
    commit_checks()


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (("100", "20.01"), "total_amount_exceeds_invoice_amount"),
        (("0", "60.01"), "exceeds_remaining_amount"),
        (("-1", "0"), "invalid_value"),
    ],
)
def test_no_more_is_credited_than_billed_or_refunded_than_paid(
    customer: Customer, parts: tuple[str, str], code: str
) -> None:
    invoice = make.issue(customer, "100.00")
    pay(invoice, "60.00")

    with pytest.raises(errors.Invalid) as refused:
        void(invoice, credit_note=CreditNoteParts(credit=eur(parts[0]), refund=eur(parts[1])))

    assert refused.value.code == code
    assert not CreditNote.objects.exists()
    assert voiding.known.settled(Invoice.objects.get()).paid == eur("60")


def test_an_invoice_that_used_what_is_gone_stands(customer: Customer) -> None:
    owed = make.issue(customer, "50.00")
    note = credit(owed, "50.00")
    invoice = make.issue(customer, "10.00")
    credit_notes.void(credit_note_id=note.pk, actor=make.ACTOR, at=LATER)

    with pytest.raises(errors.NotAllowed) as refused:
        void(invoice)

    assert (refused.value.code, note.number in refused.value.message) == ("not_voidable", True)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.credit_notes_amount) == ("finalized", eur("12"))
