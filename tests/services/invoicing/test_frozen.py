"""What the database itself refuses: changing what was issued, booked or paid, and taking a number twice."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from moneyed import Money

from invoicing.models import (
    Invoice,
    InvoiceLine,
    InvoiceTax,
    LedgerAccount,
    LedgerEntry,
    LedgerPosting,
    LineTax,
    Payment,
    PaymentAllocation,
)
from invoicing.services import payments
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued() -> Invoice:
    customer = make.make_customer(make.make_entity(taxes=[make.make_tax()]))
    invoice = make.issue(customer, "100.00")
    payments.record(
        invoice_id=invoice.pk,
        amount=Money("19.00", "EUR"),
        reference="wire",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )
    return invoice


def refused(statement: str, *values: object) -> str:
    """Run a statement that the database must refuse, and return why."""
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        "number = 'FORGED'",
        "sequential_id = 99",
        "total_amount = total_amount + 1, fees_amount = fees_amount + 1",
        "issuing_date = issuing_date + 1",
        "payment_due_date = payment_due_date + 1",
        "snapshot = '{}'",
        "currency = 'USD'",
        "finalized_at = now()",
        "locale = 'fr'",
        "purchase_order_number = 'x'",
        "status = 'draft', number = NULL, finalized_at = NULL",
        "status = 'closed'",
    ],
)
def test_an_issued_invoice_keeps_every_column(issued: Invoice, change: str) -> None:
    assert "invoice" in refused(f"UPDATE invoicing_invoice SET {change} WHERE id = %s", issued.pk)


@pytest.mark.parametrize(
    "table",
    ["invoice", "invoiceline", "invoicetax", "linetax", "payment", "paymentallocation", "ledgerentry", "ledgerposting"],
)
@pytest.mark.parametrize("statement", ["DELETE FROM invoicing_{}", "UPDATE invoicing_{} SET uuid = gen_random_uuid()"])
def test_what_was_issued_booked_or_paid_is_frozen(issued: Invoice, table: str, statement: str) -> None:
    assert refused(statement.format(table))


def test_nothing_is_added_to_an_issued_invoice(issued: Invoice) -> None:
    line, group, tax = InvoiceLine.objects.get(), InvoiceTax.objects.get(), LineTax.objects.get()
    for row in (line, group, tax):
        copy = type(row).objects.get(pk=row.pk)
        copy.pk, copy.uuid = None, None
        with pytest.raises(IntegrityError), transaction.atomic():
            copy.save(force_insert=True)
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        InvoiceLine.objects.filter(pk=line.pk).update(invoice=None)


def test_a_draft_may_still_change(issued: Invoice) -> None:
    draft = make.draft(issued.customer, "5.00").invoice

    assert Invoice.objects.filter(pk=draft.pk).update(locale="fr") == 1
    assert InvoiceLine.objects.filter(invoice=draft).update(label="Anything") == 1


def test_a_number_cannot_be_given_twice(issued: Invoice) -> None:
    draft = make.draft(issued.customer, "5.00").invoice

    assert "invoicing_invoice_number" in refused(
        "UPDATE invoicing_invoice SET status = 'finalized', finalized_at = created_at, number = %s WHERE id = %s",
        issued.number,
        draft.pk,
    )


def test_a_document_without_a_number_and_a_draft_with_one_are_refused(issued: Invoice) -> None:
    draft = make.draft(issued.customer, "5.00").invoice

    assert "finalized_has_number" in refused(
        "UPDATE invoicing_invoice SET status = 'finalized', finalized_at = created_at WHERE id = %s", draft.pk
    )
    assert "draft_has_no_number" in refused("UPDATE invoicing_invoice SET number = 'X' WHERE id = %s", draft.pk)


def test_totals_and_payments_must_agree(issued: Invoice, commit_checks: Callable[[], None]) -> None:
    draft = make.draft(issued.customer, "5.00").invoice
    assert "invoicing_invoice_total" in refused("UPDATE invoicing_invoice SET total_amount = 1 WHERE id = %s", draft.pk)
    assert "invoicing_invoice_paid" in refused(
        "UPDATE invoicing_invoice SET paid_amount = total_amount + 1 WHERE id = %s", issued.pk
    )
    Invoice.objects.filter(pk=issued.pk).update(paid_amount=20)  # its payments are 19
    with pytest.raises(IntegrityError, match="differs from its payments"):
        commit_checks()


def test_money_cannot_be_allocated_behind_the_invoices_back(issued: Invoice, commit_checks: Callable[[], None]) -> None:
    payment = Payment.objects.create(
        customer=issued.customer, currency="EUR", amount=Money("1.00", "EUR"), reference="", paid_at=make.AT
    )
    PaymentAllocation.objects.create(payment=payment, invoice=issued, currency="EUR", amount=Money("1.00", "EUR"))

    with pytest.raises(IntegrityError, match="differs from its payments"):
        commit_checks()


@pytest.mark.parametrize(
    "amounts", [[("receivable", "EUR", "1.00")], [("cash", "EUR", "1.00"), ("tax", "USD", "-1.00")], []]
)
def test_an_entry_that_does_not_balance_is_refused_at_the_end(
    issued: Invoice, commit_checks: Callable[[], None], amounts: list[tuple[str, str, str]]
) -> None:
    commit_checks()
    entry = LedgerEntry.objects.create(
        billing_entity=issued.billing_entity,
        customer=issued.customer,
        fact="forged",
        source_type="invoicing.invoice",
        source_id=issued.pk,
        booked_at=make.AT,
        accounting_date=make.AT.date(),
        description="Forged",
    )
    for role, currency, amount in amounts:
        account = LedgerAccount.objects.get(billing_entity=issued.billing_entity, role=role)
        LedgerPosting.objects.create(entry=entry, account=account, currency=currency, amount=Money(amount, currency))

    with pytest.raises(IntegrityError, match=r"is off by|has no postings"):
        commit_checks()


def test_the_same_fact_is_booked_once(issued: Invoice) -> None:
    entry = LedgerEntry.objects.get(fact="invoice_finalized")
    entry.pk, entry.uuid = None, None

    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save(force_insert=True)
    assert LedgerEntry.objects.filter(fact="invoice_finalized").count() == 1
