"""The checks of the books: nothing is found in sound books, and each check finds what was broken behind the database's
back, and nothing else does.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from moneyed import Money

from billing.services import books_register as billing_register
from config.kernel import checks
from config.kernel.checks import Scope
from invoicing.models import Invoice, Wallet
from invoicing.services import (
    books_checks,
    books_register,
    credit_notes,
    disputes,
    documents,
    invoices,
    payments,
    prepaid_credits,
    standalone_lines,
    wallet_top_ups,
    write_offs,
)
from invoicing.services.prepaid_credits import Grant
from invoicing.services.standalone_lines import StandaloneSpec
from invoicing.services.wallet_top_ups import TopUp
from tests.factories import books
from tests.factories import coupons as make_coupons
from tests.factories import invoicing as make

pytestmark = pytest.mark.django_db

SCOPE = Scope(as_of=make.AT, sample=50)


@pytest.fixture(autouse=True)
def _registered() -> None:
    books_register.register()
    billing_register.register()


@dataclass(frozen=True)
class Story:
    """Sound books with something of everything; what the tests break is named here."""

    bill: Invoice
    paid: Invoice
    wallet: Wallet


@pytest.fixture(scope="module")
def whole(django_db_setup: None, django_db_blocker: Any) -> Iterator[Story]:
    """Made once: what a test breaks is rolled back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield _told()
        transaction.set_rollback(True)


@pytest.fixture
def story(whole: Story, db: None) -> Story:
    return whole


def _told() -> Story:
    entity = make.make_entity(taxes=[make.make_tax("vat19", "0.19"), make.make_tax("city", "0.025")])
    customer = make.make_customer(entity, currency="EUR")
    wallet = _wallet(customer.external_id)
    _prepaid(customer.pk, entity.pk)
    make_coupons.give(customer, "c1")
    bill = make.issue(customer, "80.00", "33.33")
    paid = make.issue(make.make_customer(entity, "c2"), "100.00", "20.00")
    _pay(paid, "100.00")
    lines = list(paid.lines.order_by("position"))
    verb: dict[str, Any] = {"reason": "other", "actor": make.ACTOR, "at": make.AT}
    credit_notes.create(invoice_id=paid.pk, amounts={lines[0].pk: Money("10.00", "EUR")}, **verb)
    refund = credit_notes.create(
        invoice_id=paid.pk, amounts={lines[1].pk: Money("10.00", "EUR")}, refund=Money("12.15", "EUR"), **verb
    )
    credit_notes.update(credit_note_id=refund.pk, refund_status="succeeded", actor=make.ACTOR, at=make.AT)
    make.issue(paid.customer, "5.00")
    credit_notes.create(
        invoice_id=paid.pk, amounts={lines[1].pk: Money("1.00", "EUR")}, refund=Money("1.22", "EUR"), **verb
    )
    disputes.open_dispute(invoice_id=paid.pk, reason="late", amount=Money("5.00", "EUR"), actor=make.ACTOR, at=make.AT)
    voided = make.issue(paid.customer, "50.00")
    _pay(voided, "20.00")
    invoices.void(invoice_id=voided.pk, actor=make.ACTOR, at=make.AT)
    spec = StandaloneSpec(customer.pk, entity.pk, "EUR", make.line("7.00"))
    (fee,) = standalone_lines.create_many(specs=[spec], actor=make.ACTOR, at=make.AT)
    standalone_lines.set_payment_status(line_id=fee.pk, payment_status="succeeded", actor=make.ACTOR, at=make.AT)
    lost = make.issue(make.make_customer(entity, "c3"), "9.00")
    write_offs.write_off(invoice_id=lost.pk, reason="insolvent", actor=make.ACTOR, at=make.AT)
    documents.render(invoice_id=paid.pk, at=make.AT)
    make.draft(customer, "12.00")
    return Story(bill=bill, paid=paid, wallet=wallet)


def _wallet(external_id: str) -> Wallet:
    values: Any = {"external_customer_id": external_id, "code": "w", "currency": "EUR", "rate_amount": Decimal(1)}
    wanted = TopUp(paid_credits=Decimal(10), granted_credits=Decimal(2))
    wallet = wallet_top_ups.create_wallet(values=values, wanted=wanted, actor=make.ACTOR, at=make.AT)
    sold = wallet.transactions.get(transaction_status="purchased").invoice
    assert sold is not None
    _pay(sold, "10.00")
    wallet.refresh_from_db()
    return wallet


def _prepaid(customer_id: int, seller_id: int) -> None:
    """Grant what nothing sold: the account of what is prepaid is checked by those who sell it."""
    new = Grant(customer_id, seller_id, Money("4.00", "EUR"), date(2026, 1, 1), date(2026, 12, 31), "C-1", uuid.uuid4())
    prepaid_credits.grant(new=new, actor=make.ACTOR, at=make.AT)


def _pay(invoice: Invoice, amount: str) -> None:
    payments.record(
        invoice_id=invoice.pk,
        amount=Money(amount, "EUR"),
        reference="wire",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )


def broken() -> dict[str, list[str]]:
    """Return what each check finds that does not hold, in words. What is prepaid was granted, not sold: see above."""
    found: dict[str, list[str]] = {}
    for check, one in books_checks.findings(scope=SCOPE):
        if check.name != "prepaid_account":
            found.setdefault(check.name, []).append(f"{one.label}: {one.message}")
    return found


def test_sound_books_break_no_check(story: Story) -> None:
    assert broken() == {}
    looked = {check.name: check.run(SCOPE).looked_at for check in checks.registered()}
    nothing_to_see = {name for name, count in looked.items() if not count}
    # The rest is billing's, which has stories of its own.
    assert nothing_to_see == {"prepaid_account", "billed_once", "released", "traces", "usage"}


LINE = "(SELECT id FROM invoicing_invoiceline WHERE invoice_id = %(paid)s AND position = 1)"
ENTRY = "(SELECT min(id) FROM invoicing_ledgerentry WHERE source_id = %(paid)s AND fact = 'invoice_finalized')"
BROKEN = [
    ("entries_balance", f"DELETE FROM invoicing_ledgerposting WHERE entry_id = {ENTRY}",
     {"receivables", "invoices_booked"}),
    ("sellers_balance", f"""UPDATE invoicing_ledgerposting SET amount = amount + 1 WHERE entry_id = {ENTRY}
        AND account_id = (SELECT id FROM invoicing_ledgeraccount WHERE role = 'tax')""",
     {"entries_balance", "invoices_booked"}),
    ("receivables", f"""UPDATE invoicing_ledgerposting SET invoice_id = %(bill)s WHERE entry_id = {ENTRY}
        AND invoice_id = %(paid)s""", {"open_items"}),
    ("disputed", """UPDATE invoicing_ledgerposting SET account_id = (
            SELECT id FROM invoicing_ledgeraccount WHERE role = 'receivable')
        WHERE account_id = (SELECT id FROM invoicing_ledgeraccount WHERE role = 'disputed')""", set()),
    ("open_items", """UPDATE invoicing_ledgerposting SET invoice_id = NULL WHERE invoice_id = %(paid)s
        AND account_id = (SELECT id FROM invoicing_ledgeraccount WHERE role = 'disputed')""",
     {"receivables", "disputed"}),
    ("standalone_fees", "UPDATE invoicing_invoiceline SET payment_status = 'failed' WHERE invoice_id IS NULL", set()),
    ("sources", "DELETE FROM invoicing_disputemove", set()),
    ("invoices_booked", f"""UPDATE invoicing_ledgerposting SET account_id = (
            SELECT id FROM invoicing_ledgeraccount WHERE role = 'revenue') WHERE entry_id = {ENTRY}
        AND account_id = (SELECT id FROM invoicing_ledgeraccount WHERE role = 'tax')""", set()),
    ("credit_notes_booked",
     "UPDATE invoicing_creditnote SET refund_status = 'failed' WHERE refund_status = 'succeeded'",
     {"refunds"}),
    ("payments_booked", """DELETE FROM invoicing_ledgerposting WHERE entry_id IN (
        SELECT id FROM invoicing_ledgerentry WHERE fact = 'payment_received' AND source_id = (
            SELECT payment_id FROM invoicing_paymentallocation WHERE invoice_id = %(paid)s))""",
     {"entries_balance", "receivables"}),
    ("write_offs_booked", "UPDATE invoicing_ledgerentry SET fact = 'other' WHERE fact = 'invoice_written_off'", set()),
    ("uses_booked", "UPDATE invoicing_ledgerentry SET fact = 'other' WHERE fact = 'credit_used'", set()),
    ("customer_credit", "UPDATE invoicing_paymentrelease SET amount = amount - 1", {"invoice_sums"}),
    ("refunds", """UPDATE invoicing_ledgerposting SET account_id = (
            SELECT id FROM invoicing_ledgeraccount WHERE role = 'cash')
        WHERE account_id = (SELECT id FROM invoicing_ledgeraccount WHERE role = 'refunds') AND amount = -1.22""",
     {"credit_notes_booked"}),
    ("wallet_balances", "UPDATE invoicing_wallet SET balance_amount = balance_amount + 1, credits_balance = 5", set()),
    ("wallet_transactions", "DELETE FROM invoicing_walletconsumption WHERE purchased_amount > 0", set()),
    ("prepaid_credits", """UPDATE invoicing_prepaidcredit SET used_amount = 1, status = 'active'""", set()),
    ("invoice_sums", f"UPDATE invoicing_invoiceline SET amount = amount + 1 WHERE id = {LINE}", set()),
    ("payment_status", "UPDATE invoicing_invoice SET payment_overdue = TRUE WHERE payment_status = 'succeeded'", set()),
    ("coupons", "UPDATE customers_appliedcoupon SET used_amount = used_amount - 1", set()),
    ("credit_notes", """UPDATE invoicing_creditnoteitem SET amount = amount + 1 WHERE id = (
        SELECT min(id) FROM invoicing_creditnoteitem)""", set()),
    ("line_taxes", f"UPDATE invoicing_linetax SET rate = rate + 0.01 WHERE line_id = {LINE} AND tax_code = 'city'",
     {"tax_groups"}),
    ("tax_groups", """UPDATE invoicing_invoicetax SET amount = amount + 0.01
        WHERE invoice_id = %(paid)s AND tax_code = 'city'""", set()),
    ("numbers", "UPDATE platform_numbersequence SET last_value = last_value + 1 WHERE scope LIKE 'invoice:%%'", set()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "sql", "too"), BROKEN, ids=[row[0] for row in BROKEN])
def test_each_check_finds_what_is_broken(story: Story, name: str, sql: str, too: set[str]) -> None:
    with books.behind_its_back() as cursor:
        cursor.execute(sql, {"bill": story.bill.pk, "paid": story.paid.pk})
        assert cursor.rowcount > 0

    assert set(broken()) == {name} | too


def test_every_check_of_this_app_is_tried() -> None:
    tried = {row[0] for row in BROKEN} | {"pdf_totals"}
    billing = {"prepaid_account", "billed_once", "released", "traces", "usage"}
    assert {check.name for check in checks.registered()} == tried | billing


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("UPDATE platform_numbersequence SET last_value = last_value + 2 WHERE scope LIKE 'invoice:%%'",
         "it stands at 5, its 3 documents go from 1 to 3, missing from 4 on"),
        ("UPDATE invoicing_invoice SET sequential_id = 7 WHERE id = %(paid)s",
         "it stands at 3, its 3 documents go from 2 to 7, missing from 1 on"),
        ("UPDATE invoicing_invoice SET sequential_id = 2 WHERE id = %(paid)s",
         "it stands at 3, its 3 documents go from 2 to 3, missing from 1 on, 1 are repeated"),
        ("DELETE FROM platform_numbersequence WHERE scope LIKE 'credit_note:%%'",
         "it stands at 0, its 3 documents go from 1 to 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_numbers_is_said(story: Story, sql: str, message: str) -> None:
    with books.behind_its_back() as cursor:
        cursor.execute(sql, {"paid": story.paid.pk})

    assert any(text.endswith(message) for text in broken()["numbers"]), broken()["numbers"]


def test_a_pdf_is_what_was_rendered_and_says_the_total(story: Story, tmp_path: Path) -> None:
    document = story.paid.documents.get()
    with books.behind_its_back() as cursor:
        cursor.execute(
            "UPDATE invoicing_invoice SET fees_amount = fees_amount + 1, total_amount = total_amount + 1 WHERE id = %s",
            [story.paid.pk],
        )
    # 120.00 and 21.5 % of it
    assert broken()["pdf_totals"] == [f"{story.paid.number}: the document does not say 146.8 EUR as its total"]

    name = document.file.name
    with default_storage.open(name) as file:
        content = file.read()
    default_storage.delete(name)
    with default_storage.open(name, "wb") as file:
        file.write(content + b"\n")
    assert "was changed" in broken()["pdf_totals"][0]
    default_storage.delete(name)
    assert "is gone" in broken()["pdf_totals"][0]
