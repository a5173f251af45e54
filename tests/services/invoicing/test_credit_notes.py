"""Giving back: what is written, booked and told, on issued invoices and on drafts; and what is refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from config.kernel import errors
from config.platform.models import AuditEntry
from invoicing.domain.credit_notes import NotCreditable
from invoicing.domain.facts import InvoicePaid
from invoicing.models import CreditNote, CreditNoteItem, Invoice, InvoiceLine, LedgerEntry
from invoicing.queries import credit_notes as known
from invoicing.queries import ledger, receivables, revenue
from invoicing.services import credit_notes, invoices, payments
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

LATER = make.AT + timedelta(days=10)


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def invoice() -> Invoice:
    """Two lines, 200.00 and 40.00, at 25 %: 300.00."""
    entity = make.make_entity(taxes=[make.make_tax("t", "0.25")])
    return make.issue(make.make_customer(entity), "200.00", "40.00")


def line_of(invoice: Invoice, position: int = 1) -> InvoiceLine:
    return InvoiceLine.objects.get(invoice=invoice, position=position)


def unused(line: InvoiceLine, amount: str, **values: Any) -> CreditNote | None:
    defaults: dict[str, Any] = {
        "used": Decimal(0),
        "destination": "credit",
        "reason": "order_cancellation",
        "actor": make.ACTOR,
        "at": LATER,
    }
    return credit_notes.credit_unused(line_id=line.pk, unused=Decimal(amount), **{**defaults, **values})


def create(invoice: Invoice, amounts: dict[int, Money], **values: Any) -> CreditNote:
    defaults: dict[str, Any] = {"reason": "other", "actor": make.ACTOR, "at": LATER}
    return credit_notes.create(invoice_id=invoice.pk, amounts=amounts, **{**defaults, **values})


def pay(invoice: Invoice, amount: str) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=Money(amount, invoice.currency),
        reference="wire",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )


def booked(fact: str) -> set[tuple[str, Decimal]]:
    return {(row.account.role, row.amount.amount) for row in LedgerEntry.objects.get(fact=fact).postings.all()}


def test_unused_time_becomes_credit(invoice: Invoice, heard: list[object], commit_checks: Callable[[], None]) -> None:
    line = line_of(invoice)

    note = unused(line, "193.33333333333")  # 200.00 × 29 / 30

    assert note is not None
    assert (note.number, note.sequential_id, note.status) == ("ACME-001-001-CN001", 1, "finalized")
    assert (note.sub_total_amount, note.taxes_amount, note.total_amount) == (eur("193.33"), eur("48.33"), eur("241.66"))
    assert (note.credit_amount, note.balance_amount, note.credit_status) == (eur("241.66"), eur("241.66"), "available")
    assert (note.refund_amount, note.refund_status, note.offset_amount) == (eur("0"), "", eur("0"))
    assert (note.reason, note.issuing_date, note.snapshot) == (
        "order_cancellation",
        date(2026, 5, 11),
        invoice.snapshot,
    )
    item = CreditNoteItem.objects.get()
    assert (item.line_id, item.amount, item.precise_amount) == (line.pk, eur("193.33"), Decimal("193.3333333"))
    tax = note.applied_taxes.get()
    assert (tax.tax_code, tax.base_amount, tax.amount) == ("t", eur("193.33"), eur("48.33"))
    assert booked("credit_note_issued") == {
        ("revenue", Decimal("193.33")),
        ("tax", Decimal("48.33")),
        ("customer_credit", Decimal("-241.66")),
    }
    assert AuditEntry.objects.get(verb="issue").new["total_cents"] == 24166
    invoice.refresh_from_db()
    assert (invoice.total_amount, receivables.owed(invoice)) == (eur("300"), eur("300"))
    assert heard == []
    commit_checks()


def test_a_line_below_nothing_takes_nothing_from_the_others(commit_checks: Callable[[], None]) -> None:
    entity = make.make_entity(taxes=[make.make_tax("t", "0.25")])
    invoice = make.issue(make.make_customer(entity), "100.00", "-30.00")  # 70.00 and 17.50

    first = unused(line_of(invoice), "90")
    rest = create(invoice, {line_of(invoice).pk: eur("10")})

    # What the customer got back by the second line was for another time: the first one is given back as it was billed.
    assert first is not None
    assert (first.total_amount, rest.total_amount, rest.taxes_amount) == (eur("112.5"), eur("12.5"), eur("2.5"))
    with pytest.raises(NotCreditable):
        create(invoice, {line_of(invoice).pk: eur("0.01")})
    with pytest.raises(NotCreditable):
        create(invoice, {line_of(invoice, 2).pk: eur("0.01")})
    assert ledger.out_of_balance() == {}
    commit_checks()


def test_nothing_is_left_to_give_back_twice(invoice: Invoice) -> None:
    line = line_of(invoice)
    first = unused(line, "150")

    second = unused(line, "150")

    assert first is not None
    assert second is not None
    assert (first.sub_total_amount, second.sub_total_amount, second.number) == (
        eur("150"),
        eur("50"),
        "ACME-001-001-CN002",
    )
    assert unused(line, "150") is None
    assert unused(line_of(invoice, 2), "0") is None
    assert unused(line_of(invoice, 2), "-3") is None
    assert unused(line_of(invoice, 2), "0.004") is None
    assert CreditNote.objects.count() == 2


@pytest.mark.parametrize(
    ("paid", "destination", "credit", "refund", "offset"),
    [
        # 100 of 200 net is unused: 125 gross. Of 300 paid, the line's share is 250; used is 100 × 1.25
        ("300.00", "refund", "0", "125", "0"),
        ("240.00", "refund", "50", "75", "0"),  # share 240 × 250 / 300 = 200, less 125
        ("100.00", "refund", "125", "0", "0"),  # share 83.33, all of it used
        ("240.00", "offset", "0", "75", "50"),  # the rest off the 60 due
        ("290.00", "offset", "0", "116.67", "8.33"),  # share 241.666…, less 125
        ("300.00", "offset", "0", "125", "0"),
        ("300.00", "credit", "125", "0", "0"),
    ],
)
def test_unused_time_goes_where_it_is_wanted(
    invoice: Invoice, paid: str, destination: str, credit: str, refund: str, offset: str
) -> None:
    pay(invoice, paid)

    note = unused(line_of(invoice), "100", used=Decimal(100), destination=destination)

    assert note is not None
    assert (note.credit_amount, note.refund_amount, note.offset_amount) == (eur(credit), eur(refund), eur(offset))
    assert note.refund_status == ("pending" if refund != "0" else "")
    invoice.refresh_from_db()
    assert invoice.offset_amount == eur(offset)
    assert receivables.owed(invoice) == eur("300") - eur(paid) - eur(offset)
    assert ledger.out_of_balance() == {}


def test_an_offset_that_leaves_nothing_due_pays_the_invoice(
    invoice: Invoice, heard: list[object], commit_checks: Callable[[], None]
) -> None:
    pay(invoice, "100.00")

    create(invoice, {line_of(invoice).pk: eur("160")}, offset=eur("200"))

    invoice.refresh_from_db()
    assert (invoice.payment_status, invoice.paid_amount, invoice.offset_amount) == ("succeeded", eur("100"), eur("200"))
    assert (invoice.paid_at, receivables.due()) == (LATER, {})
    assert heard == [InvoicePaid(invoice_id=invoice.pk)]
    assert booked("credit_note_issued") == {
        ("revenue", Decimal(160)),
        ("tax", Decimal(40)),
        ("receivable", Decimal(-200)),
    }
    with pytest.raises(errors.Invalid):
        pay(invoice, "0.01")
    commit_checks()


def test_a_part_that_was_taken_off_need_not_be_paid(invoice: Invoice, heard: list[object]) -> None:
    create(invoice, {line_of(invoice, 2).pk: eur("40")}, offset=eur("50"))

    pay(invoice, "250.00")

    invoice.refresh_from_db()
    assert (invoice.payment_status, receivables.owed(invoice)) == ("succeeded", eur("0"))
    assert heard == [InvoicePaid(invoice_id=invoice.pk)]


def test_a_refund_is_told_when_it_was_paid(invoice: Invoice) -> None:
    pay(invoice, "300.00")
    note = create(invoice, {line_of(invoice).pk: eur("100")}, refund=eur("125"))

    told = credit_notes.tell_refund(
        credit_note_id=note.pk, refund_status="succeeded", actor=make.ACTOR, at=LATER + timedelta(days=1)
    )

    assert (told.refund_status, told.refunded_at) == ("succeeded", LATER + timedelta(days=1))
    assert booked("refund_paid") == {("refunds", Decimal(125)), ("cash", Decimal(-125))}
    assert [(row.billed.amount, row.collected.amount) for row in revenue.by_month(since=date(2026, 5, 1))] == [
        (Decimal(175), Decimal(175))  # 300 − 125 each
    ]
    again = credit_notes.tell_refund(credit_note_id=note.pk, refund_status="succeeded", actor=make.ACTOR, at=LATER)
    assert again.refunded_at == LATER + timedelta(days=1)
    with pytest.raises(credit_notes.UnableToCredit) as refusal:
        credit_notes.tell_refund(credit_note_id=note.pk, refund_status="failed", actor=make.ACTOR, at=LATER)
    assert refusal.value.code == "is_succeeded"
    assert LedgerEntry.objects.filter(fact="refund_paid").count() == 1


def test_what_is_left_of_a_credit_is_voided(invoice: Invoice, commit_checks: Callable[[], None]) -> None:
    note = create(invoice, {line_of(invoice).pk: eur("100")})  # 125.00
    make.issue(invoice.customer, "20.00", at=LATER)  # uses 25.00

    gone = credit_notes.void(credit_note_id=note.pk, actor=make.ACTOR, at=LATER)

    assert (gone.credit_status, gone.balance_amount, gone.voided_at) == ("voided", eur("0"), LATER)
    assert booked("credit_voided") == {
        ("customer_credit", Decimal(100)),
        ("revenue", Decimal(-80)),
        ("tax", Decimal(-20)),
    }
    assert known.balance(customer_id=invoice.customer_id) == {}
    with pytest.raises(credit_notes.UnableToCredit) as refusal:
        credit_notes.void(credit_note_id=note.pk, actor=make.ACTOR, at=LATER)
    assert refusal.value.code == "no_voidable_amount"
    commit_checks()


def test_a_key_gives_back_once(invoice: Invoice) -> None:
    line = line_of(invoice)
    first = create(invoice, {line.pk: eur("10")}, idempotency_key="k")

    assert create(invoice, {line.pk: eur("10")}, idempotency_key="k") == first
    assert CreditNote.objects.count() == 1
    other = make.issue(invoice.customer, "5.00")
    with pytest.raises(credit_notes.KeyReused):
        create(other, {line_of(other).pk: eur("1")}, idempotency_key="k")
    with pytest.raises(credit_notes.KeyReused):
        create(invoice, {line.pk: eur("11")}, idempotency_key="k")
    assert CreditNote.objects.count() == 1


def test_an_estimate_writes_nothing(invoice: Invoice) -> None:
    pay(invoice, "20.00")

    found = credit_notes.estimate(invoice_id=invoice.pk, amounts={line_of(invoice).pk: eur("100")})

    assert found.credited.amount.gross == eur("125")
    assert (found.limits.creditable, found.limits.refundable, found.limits.offsettable) == (
        eur("125"),
        eur("20"),
        eur("125"),
    )
    assert not CreditNote.objects.exists()


def test_what_cannot_be_credited(invoice: Invoice) -> None:
    line, draft = line_of(invoice), make.draft(invoice.customer, "5.00").invoice
    cases: list[tuple[Any, str]] = [
        (lambda: create(draft, {line_of(draft).pk: eur("1")}), "invalid_type_or_status"),
        (lambda: create(invoice, {line.pk: eur("200.01")}), "higher_than_remaining_fee_amount"),
        (lambda: create(invoice, {line.pk: eur("1")}, refund=eur("1.25")), "cannot_refund_unpaid_invoice"),
        (lambda: create(invoice, {line.pk: Money("1", "USD")}), "currencies_does_not_match"),
        (lambda: create(invoice, {line.pk: eur("1.001")}), "unrounded_amount"),
        (lambda: create(invoice, {line_of(draft).pk: eur("1")}), "fee_not_found"),
        (lambda: create(invoice, {line.pk: eur("1")}, reason="whim"), "validation_errors"),
        (lambda: unused(line, "1", reason="whim"), "validation_errors"),
        (lambda: unused(line, "1", destination="skip"), "invalid_value"),
    ]
    for act, code in cases:
        with pytest.raises(errors.DomainError) as refusal:
            act()
        assert refusal.value.code == code
    assert not CreditNote.objects.exists()


def test_a_draft_invoice_has_a_draft_credit_note_and_both_are_issued(commit_checks: Callable[[], None]) -> None:
    entity = make.make_entity(taxes=[make.make_tax("t", "0.25")], invoice_grace_period=3)
    drafted = make.draft(make.make_customer(entity), "200.00")
    note = unused(drafted.lines[0], "100", at=make.AT)
    assert note is not None
    assert (note.status, note.number, LedgerEntry.objects.count()) == ("draft", None, 0)
    assert not known.visible().exists()
    commit_checks()

    invoices.finalize(invoice_id=drafted.invoice.pk, actor=make.ACTOR, at=LATER)

    note.refresh_from_db()
    issued = Invoice.objects.get()
    assert (note.status, note.number, note.issuing_date) == ("finalized", "ACME-001-001-CN001", date(2026, 5, 11))
    assert (note.balance_amount, issued.total_amount, issued.credit_notes_amount) == (eur("125"), eur("250"), eur("0"))
    assert note.snapshot == issued.snapshot
    assert {entry.fact for entry in LedgerEntry.objects.all()} == {"invoice_finalized", "credit_note_issued"}
    commit_checks()


def test_a_draft_credit_note_follows_its_line(commit_checks: Callable[[], None]) -> None:
    entity = make.make_entity(taxes=[make.make_tax("t", "0.25")], invoice_grace_period=3)
    drafted = make.draft(make.make_customer(entity), "200.00")
    unused(drafted.lines[0], "50", at=make.AT)

    invoices.recompute(
        invoice_id=drafted.invoice.pk,
        lines=[make.line("7", item_code="x"), make.line("100")],
        actor=make.ACTOR,
        at=LATER,
    )

    note = CreditNote.objects.get()
    assert (note.sub_total_amount, note.total_amount, note.credit_amount) == (eur("25"), eur("31.25"), eur("31.25"))
    assert note.items.get().line == InvoiceLine.objects.get(amount=100)
    commit_checks()
    invoices.recompute(invoice_id=drafted.invoice.pk, lines=[make.line("7", item_code="x")], actor=make.ACTOR, at=LATER)
    assert not CreditNote.objects.exists()
    commit_checks()


def test_a_draft_credit_note_goes_with_its_draft(commit_checks: Callable[[], None]) -> None:
    drafted = make.draft(make.make_customer(make.make_entity(invoice_grace_period=3)), "200.00")
    unused(drafted.lines[0], "50", at=make.AT)

    invoices.void_draft(invoice_id=drafted.invoice.pk, reason="test", actor=make.ACTOR, at=LATER)

    assert not CreditNote.objects.exists()
    assert unused(drafted.lines[0], "50") is None
    commit_checks()


def test_the_day_is_local_to_the_invoice() -> None:
    customer = make.make_customer(make.make_entity(), timezone="Asia/Tokyo")
    invoice = make.issue(customer, "9.00", timezone="Asia/Tokyo")

    note = unused(line_of(invoice), "1", at=datetime(2026, 5, 31, 15, tzinfo=UTC))  # midnight in Tokyo

    assert note is not None
    assert note.issuing_date == date(2026, 6, 1)
    assert LedgerEntry.objects.get(fact="credit_note_issued").accounting_date == date(2026, 6, 1)


def test_yen_have_no_decimals() -> None:
    invoice = make.issue(make.make_customer(make.make_entity()), "3100", currency="JPY")

    note = unused(line_of(invoice), "1033.5")

    assert note is not None
    assert (note.total_amount, note.items.get().precise_amount) == (Money(1034, "JPY"), Decimal("1033.5"))
