"""Prepaid credit: bought without revenue and tax, drawn after taxes and other credits, expired or rolled over once."""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from moneyed import Money

from config.kernel import errors
from customers.models import Customer
from invoicing.domain.facts import InvoiceFinalized, InvoicePaid
from invoicing.models import Invoice, InvoiceLine, InvoiceTax, LedgerEntry, PrepaidCredit, PrepaidCreditUse
from invoicing.queries import ledger, revenue
from invoicing.services import credit_notes, invoices, payments, prepaid_credits, prepaid_draws
from invoicing.services.credit_note_wallets import UnableToCreditSale
from invoicing.services.prepaid_credits import Grant, InvalidPrepaidCredit
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")]))


def grant(customer: Customer, amount: str, **values: Any) -> PrepaidCredit:
    content: dict[str, Any] = {
        "customer_id": customer.pk,
        "billing_entity_id": customer.billing_entity_id,
        "amount": Money(amount, values.pop("currency", "EUR")),
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2026, 12, 31),
        "source": "Contract CT-1",
        "source_uuid": uuid.uuid4(),
    }
    return prepaid_credits.grant(new=Grant(**{**content, **values}), actor=make.ACTOR, at=make.AT)


def sell(customer: Customer, amount: str) -> Invoice:
    """Issue an invoice of prepaid credit."""
    line = make.line(amount, kind="credit", group_key="", group_label="")
    return make.issue(customer, lines=(line,), kind="credit")


def booked(fact: str) -> set[tuple[str, Decimal]]:
    entry = LedgerEntry.objects.get(fact=fact)
    return {(row.account.role, row.amount.amount) for row in entry.postings.select_related("account")}


def commit(statement: str) -> None:
    """Run a statement and check what the database would check when the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def draw_for_somebody_else(credit: PrepaidCredit, invoice: Invoice) -> None:
    """Write what the services never would."""
    PrepaidCreditUse.objects.create(credit=credit, invoice=invoice, currency="EUR", amount=eur("1"))
    credit.used_amount = eur("1")
    credit.save()
    commit("SELECT 1")


def balances(customer: Customer) -> dict[str, Decimal]:
    return {row.role: row.amount.amount for row in ledger.balances(customer_id=customer.pk) if row.amount}


def test_a_purchase_is_neither_revenue_nor_taxed(customer: Customer, commit_checks: Callable[[], None]) -> None:
    invoice = sell(customer, "1000.00")

    assert (invoice.fees_amount, invoice.taxes_amount, invoice.total_amount) == (eur("1000"), eur("0"), eur("1000"))
    assert not InvoiceTax.objects.filter(invoice=invoice).exists()
    assert booked("invoice_finalized") == {("receivable", Decimal(1000)), ("prepaid", Decimal(-1000))}
    assert revenue.by_month(since=date(2026, 5, 1)) == []
    assert not PrepaidCredit.objects.exists()  # whoever sold it grants it
    commit_checks()


def test_credit_pays_what_is_issued_with_its_tax(
    customer: Customer, heard: list[object], commit_checks: Callable[[], None]
) -> None:
    sold = sell(customer, "100.00")
    payments.record(invoice_id=sold.pk, amount=eur("100"), reference="r", paid_at=make.AT, actor=make.ACTOR, at=make.AT)
    credit = grant(customer, "100.00")
    heard.clear()

    first = make.issue(customer, "50.00", at=make.AT + DAY)
    second = make.issue(customer, "50.00", at=make.AT + 2 * DAY)

    assert (first.taxes_amount, first.prepaid_credit_amount, first.total_amount) == (eur("10"), eur("60"), eur("0"))
    assert (first.payment_status, first.paid_at) == ("succeeded", make.AT + DAY)
    assert (second.prepaid_credit_amount, second.total_amount, second.payment_status) == (
        eur("40"),  # what was left of 100
        eur("20"),
        "pending",
    )
    credit.refresh_from_db()
    assert (credit.used_amount, credit.left, credit.status) == (eur("100"), eur("0"), "used_up")
    assert [(use.invoice_id, use.amount) for use in credit.uses.all()] == [
        (first.pk, eur("60")),
        (second.pk, eur("40")),
    ]
    assert heard == [
        InvoiceFinalized(invoice_id=first.pk),
        InvoicePaid(invoice_id=first.pk),
        InvoiceFinalized(invoice_id=second.pk),
    ]
    assert ledger.out_of_balance() == {}
    # Cash 100 was received, 100 net earned and 20 taxed, 20 is due; the liability is used up.
    assert balances(customer) == {
        "cash": Decimal(100),
        "receivable": Decimal(20),
        "revenue": Decimal(-100),
        "tax": Decimal(-20),
    }
    commit_checks()


def test_credit_notes_come_first(customer: Customer, commit_checks: Callable[[], None]) -> None:
    corrected = make.issue(customer, "10.00")
    credit_notes.create(
        invoice_id=corrected.pk,
        amounts={InvoiceLine.objects.get(invoice=corrected).pk: eur("10")},
        reason="other",
        actor=make.ACTOR,
        at=make.AT,
    )
    credit = grant(customer, "500.00")

    invoice = make.issue(customer, "100.00", at=make.AT + DAY)

    # 120 − 12 of the credit note = 108 of the prepaid credit.
    assert (invoice.credit_notes_amount, invoice.prepaid_credit_amount) == (eur("12"), eur("108"))
    credit.refresh_from_db()
    assert credit.left == eur("392")
    commit_checks()


def test_the_one_that_expires_first_is_drawn_first(customer: Customer) -> None:
    late = grant(customer, "100.00")
    soon = grant(customer, "100.00", valid_until=date(2026, 6, 30))
    urgent = grant(customer, "5.00", priority=1)

    make.issue(customer, "50.00")

    left = {one.pk: one.left.amount for one in PrepaidCredit.objects.all()}
    assert left == {urgent.pk: 0, soon.pk: Decimal(45), late.pk: Decimal(100)}  # 60 = 5 + 55


def test_credit_is_for_its_lines_days_seller_and_currency_alone(customer: Customer) -> None:
    grant(customer, "500.00", group_keys=["sub1"])
    grant(customer, "500.00", valid_from=date(2026, 4, 2))  # the lines are of April, from its first day
    grant(customer, "500.00", valid_until=date(2026, 3, 31), valid_from=date(2026, 3, 1))
    grant(customer, "500.00", currency="USD")
    other = make.make_entity("other")
    grant(customer, "500.00", billing_entity_id=other.pk)
    grant(make.make_customer(customer.billing_entity, "c2"), "500.00")

    lines = (make.line("10.00"), make.line("30.00", group_key="sub2"))
    invoice = make.issue(customer, lines=lines)

    assert (invoice.prepaid_credit_amount, invoice.total_amount) == (eur("12"), eur("36"))
    assert PrepaidCreditUse.objects.count() == 1


def test_credit_buys_no_credit(customer: Customer) -> None:
    grant(customer, "500.00")

    assert sell(customer, "100.00").prepaid_credit_amount == eur("0")
    assert not PrepaidCreditUse.objects.exists()


def test_a_draft_draws_nothing_until_it_is_issued(customer: Customer, commit_checks: Callable[[], None]) -> None:
    credit = grant(customer, "100.00")

    draft = make.draft(customer, "50.00").invoice

    assert (draft.total_amount, draft.prepaid_credit_amount) == (eur("60"), eur("0"))
    assert prepaid_draws.would_draw(invoice=draft) == [(credit, eur("60"))]
    invoices.void_draft(invoice_id=draft.pk, reason="", actor=make.ACTOR, at=make.AT)
    credit.refresh_from_db()
    assert credit.left == eur("100")
    draft.refresh_from_db()
    assert prepaid_draws.would_draw(invoice=draft) == []
    commit_checks()


def test_several_invoices_of_one_round_share_the_credit(customer: Customer, commit_checks: Callable[[], None]) -> None:
    grant(customer, "70.00")
    drafts = [make.draft(customer, "50.00").invoice.pk for _ in range(2)]

    issued = invoices.finalize_many(invoice_ids=drafts, actor=make.ACTOR, at=make.AT)

    assert [one.prepaid_credit_amount for one in issued] == [eur("60"), eur("10")]
    commit_checks()


def test_the_same_source_grants_once(customer: Customer) -> None:
    source = uuid.uuid4()

    first, again = (grant(customer, "100.00", source_uuid=source) for _ in range(2))

    assert first == again
    assert PrepaidCredit.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "until"),
    [("0", date(2026, 12, 31)), ("-1", date(2026, 12, 31)), ("0.001", date(2026, 12, 31)), ("1", date(2025, 12, 31))],
)
def test_nonsense_is_not_granted(customer: Customer, amount: str, until: date) -> None:
    with pytest.raises(InvalidPrepaidCredit):
        grant(customer, amount, valid_until=until)

    assert not PrepaidCredit.objects.exists()


def test_what_is_left_expires_as_revenue_once(customer: Customer, commit_checks: Callable[[], None]) -> None:
    sell(customer, "100.00")
    credit = grant(customer, "100.00")
    make.issue(customer, "50.00")
    after = datetime(2027, 1, 2, tzinfo=UTC)

    for _ in range(2):
        expired = prepaid_credits.expire(credit_id=credit.pk, on=date(2026, 12, 31), actor=make.ACTOR, at=after)

    assert (expired.status, expired.used_amount, expired.closed_amount, expired.left) == (
        "expired",
        eur("60"),
        eur("40"),
        eur("0"),
    )
    assert booked("prepaid_credit_expired") == {("prepaid", Decimal(40)), ("revenue", Decimal(-40))}
    assert LedgerEntry.objects.get(fact="prepaid_credit_expired").accounting_date == date(2026, 12, 31)
    assert "prepaid" not in balances(customer)
    assert ledger.out_of_balance() == {}
    assert make.issue(customer, "50.00", at=make.AT + DAY).prepaid_credit_amount == eur("0")
    commit_checks()


def test_what_is_left_rolls_over_without_a_booking(customer: Customer, commit_checks: Callable[[], None]) -> None:
    credit = grant(customer, "100.00", group_keys=["sub1"])
    make.issue(customer, "50.00")
    before = LedgerEntry.objects.count()

    new, again = (
        prepaid_credits.roll_over(
            credit_id=credit.pk,
            valid_until=date(2027, 12, 31),
            source="Contract CT-1, rolled over",
            on=date(2026, 12, 31),
            actor=make.ACTOR,
            at=make.AT,
        )
        for _ in range(2)
    )

    assert new == again
    assert (new.amount, new.valid_from, new.group_keys) == (eur("40"), date(2027, 1, 1), ["sub1"])
    credit.refresh_from_db()
    assert (credit.status, credit.closed_amount) == ("rolled_over", eur("40"))
    assert LedgerEntry.objects.count() == before
    commit_checks()


def test_used_up_credit_neither_expires_nor_rolls_over(customer: Customer) -> None:
    credit = grant(customer, "60.00")
    make.issue(customer, "50.00")
    common: dict[str, Any] = {"credit_id": credit.pk, "on": date(2026, 12, 31), "actor": make.ACTOR, "at": make.AT}

    assert prepaid_credits.expire(**common).status == "used_up"
    assert prepaid_credits.roll_over(valid_until=date(2027, 1, 31), source="x", **common).pk == credit.pk
    assert PrepaidCredit.objects.count() == 1


def test_the_purchase_cannot_be_credited(customer: Customer) -> None:
    sold = sell(customer, "100.00")

    with pytest.raises(UnableToCreditSale) as caught:
        credit_notes.create(
            invoice_id=sold.pk,
            amounts={InvoiceLine.objects.get(invoice=sold).pk: eur("10")},
            reason="other",
            actor=make.ACTOR,
            at=make.AT,
        )

    assert caught.value.code == "invalid_type_or_status"


def test_an_unknown_credit_is_not_found() -> None:
    with pytest.raises(errors.NotFound):
        prepaid_credits.expire(credit_id=0, on=date(2026, 1, 1), actor=make.ACTOR, at=make.AT)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_prepaidcredit SET used_amount = used_amount + 1",  # more than its uses
        "UPDATE invoicing_prepaidcredit SET used_amount = 101",  # more than was granted
        "UPDATE invoicing_prepaidcredit SET amount = amount + 1",
        "UPDATE invoicing_prepaidcredit SET status = 'used_up'",
        "DELETE FROM invoicing_prepaidcredituse",
        "UPDATE invoicing_prepaidcredituse SET amount = 1",
        "UPDATE invoicing_invoice SET prepaid_credit_amount = 1, total_amount = 119",
    ],
)
def test_the_database_refuses_sums_that_do_not_agree(customer: Customer, statement: str) -> None:
    grant(customer, "100.00")
    make.issue(customer, "50.00")

    with pytest.raises(IntegrityError), transaction.atomic():
        commit(statement)
    assert PrepaidCredit.objects.get().used_amount == eur("60")


def test_the_database_refuses_credit_of_somebody_else(customer: Customer) -> None:
    stranger = make.make_customer(customer.billing_entity, "c2")
    credit = grant(stranger, "100.00")
    invoice = make.issue(customer, "50.00")

    with pytest.raises(IntegrityError), transaction.atomic():
        draw_for_somebody_else(credit, invoice)
    assert not PrepaidCreditUse.objects.exists()


def test_credit_notes_of_an_invoice_that_was_prepaid_are_credit(customer: Customer) -> None:
    grant(customer, "500.00")
    invoice = make.issue(customer, "50.00")

    note = credit_notes.create(
        invoice_id=invoice.pk,
        amounts={InvoiceLine.objects.get(invoice=invoice).pk: eur("50")},
        reason="other",
        actor=make.ACTOR,
        at=make.AT,
    )

    assert (note.credit_amount, note.refund_amount, note.offset_amount) == (eur("60"), eur("0"), eur("0"))
    assert PrepaidCredit.objects.get().left == eur("440")  # what was drawn stays drawn
    assert ledger.out_of_balance() == {}
