"""Write-offs: what is owed, overdue, booked and asked for follows; undoing, voiding and crediting know them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from config.kernel import errors, events
from customers.models import Customer
from invoicing.domain.facts import InvoiceUnpaid
from invoicing.models import Invoice, LedgerPosting, PaymentRequest, WriteOff, WriteOffReversal
from invoicing.queries import ledger, receivables, work_queues
from invoicing.queries import write_offs as known
from invoicing.services import (
    books_checks,
    books_register,
    credit_notes,
    disputes,
    invoices,
    overdue,
    payment_requests,
    payments,
    write_offs,
)
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

LATE = datetime(2026, 7, 1, 12, tzinfo=UTC)


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")]), email="a@example.com")


def write_off(invoice: Invoice, amount: str | None = None, **values: Any) -> WriteOff:
    given = {"reason": "insolvent", "actor": make.ACTOR, "at": LATE, **values}
    return write_offs.write_off(invoice_id=invoice.pk, amount=None if amount is None else eur(amount), **given)


def undo(row: WriteOff) -> WriteOffReversal:
    return write_offs.undo(write_off_id=row.pk, reason="paid after all", actor=make.ACTOR, at=LATE)


def pay(invoice: Invoice, amount: str) -> None:
    payments.record(invoice_id=invoice.pk, amount=eur(amount), reference="", paid_at=LATE, actor=make.ACTOR, at=LATE)


def again(invoice: Invoice) -> Invoice:
    return Invoice.objects.get(pk=invoice.pk)


def balances(customer: Customer) -> dict[str, Money]:
    assert ledger.out_of_balance() == {}
    rows = LedgerPosting.objects.filter(entry__customer=customer).select_related("account")
    found: dict[str, Money] = {}
    for row in rows:
        found[row.account.role] = found.get(row.account.role, eur("0")) + row.amount
    return {role: amount for role, amount in found.items() if amount}


def books_are_sound() -> bool:
    books_register.register()
    return books_checks.run(as_of=LATE, trigger="test", actor=make.ACTOR).findings_count == 0


def test_a_year_of_bad_debt(customer: Customer, commit_checks: Callable[[], None]) -> None:
    """120.00 is owed: 20.00 is paid, 40.00 written off, then the rest; then the customer pays after all."""
    invoice = make.issue(customer, "100.00")  # 100 net + 20 tax
    pay(invoice, "20")
    invoices.update(invoice_id=invoice.pk, payment_status="failed", actor=make.ACTOR, at=LATE)
    assert [row.queue_amount for row in work_queues.failed_payments(LATE)] == [100]
    assert overdue.mark(as_of=LATE) == 1
    request = payment_requests.create(
        external_customer_id=customer.external_id, invoice_uuids=[invoice.uuid], email="", actor=make.ACTOR, at=LATE
    )

    first = write_off(invoice, "40")

    assert receivables.owed(again(invoice)) == eur("60")  # 120 - 20 - 40
    assert again(invoice).payment_overdue
    assert receivables.due() == {"EUR": eur("60")}
    assert sum(one.amount for one in receivables.by_age(as_of=LATE)["EUR"].values()) == 60

    second = write_off(invoice)

    shown = again(invoice)
    assert (second.amount, shown.written_off_amount, receivables.owed(shown)) == (eur("60"), eur("100"), eur("0"))
    assert (shown.payment_status, shown.payment_overdue, shown.paid_at) == ("failed", False, None)  # it is no payment
    assert receivables.given_up(shown)
    assert not work_queues.failed_payments(LATE).exists()
    assert not receivables.open_invoices().exists()
    assert overdue.mark(as_of=LATE) == 0
    assert balances(customer) == {"revenue": eur("-100"), "tax": eur("-20"), "cash": eur("20"), "write_off": eur("100")}
    assert PaymentRequest.objects.get(pk=request.pk).payment_status == "succeeded"  # nothing is asked for any more
    with pytest.raises(errors.NotAllowed, match="due"):
        write_off(invoice)
    with pytest.raises(errors.Invalid):
        pay(invoice, "1")
    assert books_are_sound()

    undo(second)

    assert receivables.owed(again(invoice)) == eur("60")
    assert overdue.mark(as_of=LATE) == 1
    pay(invoice, "60")
    assert again(invoice).payment_status == "succeeded"
    told: list[InvoiceUnpaid] = []
    events.subscribe(InvoiceUnpaid, told.append)
    try:
        undo(first)
    finally:
        events.type_subscribers[InvoiceUnpaid].remove(told.append)
    assert [fact.invoice_id for fact in told] == [invoice.pk]  # paid but for the write-off: not any more
    assert (again(invoice).payment_status, receivables.owed(again(invoice))) == ("pending", eur("40"))
    assert balances(customer)["receivable"] == eur("40")
    assert "write_off" not in balances(customer)
    with pytest.raises(errors.NotAllowed):
        undo(first)
    assert books_are_sound()
    commit_checks()


@pytest.mark.parametrize(
    ("amount", "reason", "code"),
    [
        ("0", "x", "invalid_value"),
        ("-1", "x", "invalid_value"),
        ("120.01", "x", "higher_than_remaining_amount"),
        ("0.001", "x", "unrounded_amount"),
        ("10", " ", "value_is_mandatory"),
    ],
)
def test_bad_input_is_refused(customer: Customer, amount: str, reason: str, code: str) -> None:
    invoice = make.issue(customer, "100.00")
    with pytest.raises(errors.Invalid) as refusal:
        write_off(invoice, amount, reason=reason)
    assert code in {refusal.value.code, *(one for codes in refusal.value.details.values() for one in codes)}
    with pytest.raises(errors.Invalid):
        write_offs.write_off(invoice_id=invoice.pk, amount=Money(1, "USD"), reason="x", actor=make.ACTOR, at=LATE)
    assert not WriteOff.objects.exists()


def test_drafts_voided_ones_and_credit_that_nobody_has_are_not_written_off(customer: Customer) -> None:
    draft = make.draft(customer, "100.00").invoice
    sale = make.issue(customer, "50.00", kind=Invoice.Kind.CREDIT)
    gone = make.issue(customer, "10.00")
    invoices.void(invoice_id=gone.pk, actor=make.ACTOR, at=LATE)
    for invoice in (draft, sale, gone):
        with pytest.raises(errors.NotAllowed) as refusal:
            write_off(invoice)
        assert refusal.value.code == "not_writable_off"
    assert not WriteOff.objects.exists()


def test_asked_twice_it_is_done_once(customer: Customer) -> None:
    invoice = make.issue(customer, "100.00")
    first = write_off(invoice, "30", idempotency_key="k")
    assert write_off(invoice, "30", idempotency_key="k").pk == first.pk
    with pytest.raises(errors.Conflict):
        write_off(invoice, "31", idempotency_key="k")
    assert again(invoice).written_off_amount == eur("30")


def test_a_void_takes_back_all(customer: Customer, commit_checks: Callable[[], None]) -> None:
    """120.00, of which 50.00 is written off: voided, nothing is left on any account."""
    invoice = make.issue(customer, "100.00")
    row = write_off(invoice, "50")
    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=LATE, reason="wrong customer")
    assert balances(customer) == {}
    assert again(invoice).written_off_amount == eur("0")
    assert WriteOffReversal.objects.get(write_off=row).reason == "wrong customer"
    assert not known.standing(invoice).exists()
    assert books_are_sound()
    commit_checks()


def test_disputes_shrink_and_credit_notes_wait(customer: Customer, commit_checks: Callable[[], None]) -> None:
    invoice = make.issue(customer, "100.00")
    line = invoice.lines.get()
    assert overdue.mark(as_of=LATE) == 1
    disputes.open_dispute(invoice_id=invoice.pk, amount=eur("50"), reason="x", actor=make.ACTOR, at=LATE)
    assert again(invoice).payment_overdue
    write_off(invoice, "80")
    assert not again(invoice).payment_overdue  # all that is left is disputed
    assert overdue.mark(as_of=LATE) == 0
    assert again(invoice).disputed_amount == eur("40")  # no more than what is still due
    with pytest.raises(errors.NotAllowed) as refusal:
        credit_notes.create(
            invoice_id=invoice.pk, amounts={line.pk: eur("10")}, reason="other", actor=make.ACTOR, at=LATE
        )
    assert refusal.value.code == "invoice_written_off"
    # unused time is given back in the share that somebody pays: 50.00 × (1 - 80/120) = 16.67, and 20 % tax 3.33
    note = credit_notes.credit_unused(
        line_id=line.pk,
        unused=Decimal(50),
        used=Decimal(50),
        destination="credit",
        reason="order_change",
        actor=make.ACTOR,
        at=LATE,
    )
    assert note is not None
    assert note.total_amount == eur("20.00")
    commit_checks()
