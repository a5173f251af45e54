"""Credit notes on invoices with coupons, and on invoices of prepaid credit: what is written, booked and refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, utils
from moneyed import Money

from catalog.services import coupons as catalog_coupons
from customers.models import Customer
from customers.services import applied_coupons
from invoicing.domain.credit_notes import NotCreditable
from invoicing.models import CreditNote, Invoice
from invoicing.queries import ledger
from invoicing.services import credit_notes, invoices, payments
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

LATER = make.AT + timedelta(days=10)


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    """A customer who pays 20 % of tax and has a coupon of 10 %."""
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.2")]))
    catalog_coupons.create(
        values={"code": "tenth", "name": "A tenth", "kind": "percentage", "rate": Decimal("0.1"),
                "frequency": "forever"},
        actor=make.ACTOR, at=make.AT,
    )  # fmt: skip
    applied_coupons.apply(
        external_customer_id=customer.external_id, coupon_code="tenth", terms={}, actor=make.ACTOR, at=make.AT
    )
    return customer


@pytest.fixture
def invoice(customer: Customer) -> Invoice:
    """Two lines, 100.00 and 33.33: 133.33, less 13.33 of coupons; 120.00 × 20 % = 24.00."""
    return make.issue(customer, "100.00", "33.33")


def create(invoice: Invoice, amounts: dict[int, str], **values: Any) -> CreditNote:
    lines = {line.position: line.pk for line in invoice.lines.all()}
    return credit_notes.create(
        invoice_id=invoice.pk,
        amounts={lines[position]: Money(amount, invoice.currency) for position, amount in amounts.items()},
        reason="other", actor=make.ACTOR, at=LATER, **values,
    )  # fmt: skip


def test_notes_give_back_what_was_billed_after_coupons(invoice: Invoice, commit_checks: Callable[[], None]) -> None:
    assert (invoice.coupons_amount, invoice.taxes_amount, invoice.total_amount) == (eur("13.33"), eur("24"), eur("144"))

    # 100.00 × 9.9975 % (13.33 / 133.33) = 9.9975: 10.00 off; (100 − 9.9975) × 20 % = 18.0005
    first = create(invoice, {1: "100.00"})
    # the rest: 13.33 − 10.00, 24.00 − 18.00
    second = create(invoice, {2: "33.33"})
    commit_checks()

    assert (first.coupons_adjustment_amount, first.sub_total_amount, first.taxes_amount) == (
        eur("10.00"), eur("90.00"), eur("18.00"),
    )  # fmt: skip
    assert (second.coupons_adjustment_amount, second.sub_total_amount, second.taxes_amount) == (
        eur("3.33"), eur("30.00"), eur("6.00"),
    )  # fmt: skip
    assert first.total_amount + second.total_amount == invoice.gross_amount
    with pytest.raises(NotCreditable):
        create(invoice, {1: "0.01"})


def test_unused_time_nets_the_coupons(invoice: Invoice) -> None:
    payments.record(
        invoice_id=invoice.pk, amount=eur("144.00"), reference="", paid_at=make.AT, actor=make.ACTOR, at=make.AT
    )
    note = credit_notes.credit_unused(
        line_id=invoice.lines.get(position=1).pk, unused=Decimal(50), used=Decimal(50), destination="refund",
        reason="order_cancellation", actor=make.ACTOR, at=LATER,
    )  # fmt: skip

    # paid of the line 90.00 + 18.00, used 50.00 less its coupons with tax: 54.00; all of 45.00 + 9.00 is refunded
    assert note is not None
    assert (note.coupons_adjustment_amount, note.total_amount) == (eur("5.00"), eur("54.00"))
    assert (note.refund_amount, note.credit_amount) == (eur("54.00"), eur("0"))


def test_the_database_lets_no_note_give_back_more(invoice: Invoice, commit_checks: Callable[[], None]) -> None:
    note = create(invoice, {1: "100.00"})
    commit_checks()
    with connection.cursor() as cursor:
        for trigger in ("frozen", "sums", "invoice"):
            cursor.execute(f"ALTER TABLE invoicing_creditnote DISABLE TRIGGER invoicing_credit_note_{trigger}")
        # What was billed is 144.00: 108.00 are given back, and 36.01 more are one too many.
        cursor.execute(
            "UPDATE invoicing_creditnote SET total_amount = 144.01, credit_amount = 144.01, balance_amount = 144.01,"
            " sub_total_amount = 126.01 WHERE id = %s",
            [note.pk],
        )
    with pytest.raises(utils.IntegrityError, match="more than was billed"):
        commit_checks()


def test_the_books_show_what_is_left(invoice: Invoice) -> None:
    create(invoice, {1: "100.00"}, offset=eur("108.00"))

    balances = {row.role: row.amount for row in ledger.balances(billing_entity_id=invoice.billing_entity_id)}
    assert balances["receivable"] == eur("36.00")
    assert balances["revenue"] == eur("-30.00")


def test_a_draft_note_follows_the_coupons_of_its_invoice(customer: Customer, commit_checks: Callable[[], None]) -> None:
    drafted = make.draft(customer, "100.00").invoice
    credit_notes.credit_unused(
        line_id=drafted.lines.get().pk, unused=Decimal(40), used=Decimal(60), destination="credit",
        reason="order_change", actor=make.ACTOR, at=make.AT,
    )  # fmt: skip
    draft = CreditNote.objects.get()
    assert (draft.coupons_adjustment_amount, draft.total_amount) == (eur("0"), eur("48"))

    invoices.finalize(invoice_id=drafted.pk, actor=make.ACTOR, at=make.AT)
    commit_checks()

    # 40.00 less a tenth, and 20 % of 36.00
    note = CreditNote.objects.get()
    assert (note.status, note.number) == ("finalized", "ACME-001-001-CN001")
    assert (note.coupons_adjustment_amount, note.sub_total_amount, note.total_amount) == (
        eur("4"), eur("36"), eur("43.20"),
    )  # fmt: skip
    assert (note.reason, note.credit_amount, note.balance_amount) == ("order_change", eur("43.20"), eur("43.20"))


def test_an_offset_lowers_what_is_left_after_a_payment(invoice: Invoice) -> None:
    payments.record(
        invoice_id=invoice.pk, amount=eur("100.00"), reference="", paid_at=make.AT, actor=make.ACTOR, at=make.AT
    )
    found = credit_notes.estimate(
        invoice_id=invoice.pk, amounts={invoice.lines.get(position=1).pk: eur("100.00")}
    ).limits
    assert (found.creditable, found.refundable, found.offsettable) == (eur("108"), eur("100"), eur("44"))

    note = create(invoice, {1: "100.00"}, offset=eur("44.00"), refund=eur("64.00"))

    invoice.refresh_from_db()
    assert (note.offset_amount, note.refund_amount, note.refund_status) == (eur("44"), eur("64"), "pending")
    assert (invoice.offset_amount, invoice.payment_status) == (eur("44"), "succeeded")
    with pytest.raises(NotCreditable) as refusal:
        create(invoice, {2: "10.00"}, offset=eur("10.80"))
    assert refusal.value.code == "cannot_apply_to_paid_invoice"
