"""The money of voided invoices where several things meet: mappings that changed, wallets beside credit notes, sold
credits, and money for invoices that were closed. The checks of the books hold after each.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from config.kernel import errors
from customers.models import BillingEntity, Customer
from invoicing.domain.accounts import Rule
from invoicing.models import CreditNote, Invoice, InvoiceLine, LedgerAccount, LedgerPosting, Payment, WalletTransaction
from invoicing.queries import held_payments as held_money
from invoicing.queries import ledger, revenue
from invoicing.services import (
    accounts,
    credit_notes,
    disputes,
    held_payments,
    invoices,
    open_invoices,
    payments,
    regenerating,
)
from invoicing.services.accounts import AccountValues
from invoicing.services.voiding import CreditNoteParts
from tests.factories import books
from tests.factories import coupons as make_coupons
from tests.factories import invoicing as make
from tests.factories import wallets as purse

pytestmark = pytest.mark.django_db


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def seller() -> BillingEntity:
    return make.make_entity(taxes=[make.make_tax("t", "0.20")])


@pytest.fixture
def customer(seller: BillingEntity) -> Customer:
    return make.make_customer(seller)


def void(invoice: Invoice, **values: Any) -> Invoice:
    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT, **values)
    return Invoice.objects.get(pk=invoice.pk)


def pay(invoice: Invoice, amount: str) -> Payment:
    return payments.record(
        invoice_id=invoice.pk, amount=eur(amount), reference="w", paid_at=make.AT, actor=make.ACTOR, at=make.AT
    )


def credit(invoice: Invoice, amount: str, **way: Money) -> CreditNote:
    line = InvoiceLine.objects.get(invoice=invoice)
    return credit_notes.create(
        invoice_id=invoice.pk, amounts={line.pk: eur(amount)}, reason="other", actor=make.ACTOR, at=make.AT, **way
    )


def roles(customer: Customer) -> dict[str, Money]:
    return {row.role: row.amount for row in ledger.balances(customer_id=customer.pk) if row.amount}


def map_to(seller: BillingEntity, code: str, role: str, **narrowed: str) -> None:
    account = LedgerAccount.objects.filter(billing_entity=seller, code=code).first()
    if account is None:
        kind = "revenue" if role == "revenue" else "liability"
        values = AccountValues(code=code, name=f"Account {code}", type=kind, role=role)
        account = accounts.create(billing_entity_id=seller.pk, values=values, actor=make.ACTOR, at=make.AT)
    accounts.map_postings(
        billing_entity_id=seller.pk,
        values=Rule(account_id=account.pk, role=role, **narrowed),
        actor=make.ACTOR,
        at=make.AT,
    )


def by_code() -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for row in LedgerPosting.objects.select_related("account"):
        sums[row.account.code] = sums.get(row.account.code, Decimal(0)) + row.amount.amount
    return {code: amount for code, amount in sums.items() if amount}


@pytest.mark.parametrize("noted", [False, True])
def test_a_void_leaves_the_accounts_that_its_invoice_was_booked_on(
    seller: BillingEntity, customer: Customer, *, noted: bool
) -> None:
    map_to(seller, "4010", "revenue", line_kind="subscription")
    map_to(seller, "4020", "revenue", item_code="books")
    map_to(seller, "2220", "tax", tax_code="t")
    lines = [
        make.line("33.33", kind="subscription", item_code="pro"),
        make.line("33.33", item_code="books"),
        make.line("33.35"),
    ]
    make_coupons.give(customer, amount_cents=1000)
    # 100.01 − 10.00 = 90.01; the coupon's thirds make parts that do not come out to the cent
    invoice = make.issue(customer, lines=lines)
    if noted:
        line = InvoiceLine.objects.get(invoice=invoice, item_code="books")
        credit_notes.create(
            invoice_id=invoice.pk, amounts={line.pk: eur("11.11")}, reason="other", actor=make.ACTOR, at=make.AT
        )
    # What is mapped by now is not what it was.
    map_to(seller, "4099", "revenue", line_kind="subscription")
    map_to(seller, "4098", "revenue", item_code="books")
    map_to(seller, "2298", "tax", tax_code="t")
    map_to(seller, "4097", "revenue")

    void(invoice)

    left = by_code()
    assert not left.keys() & {"4000", "4010", "4020", "4097", "4098", "4099", "2200", "2220", "2298", "1200"}
    books.assert_sound()


def test_a_note_on_what_a_wallet_paid_is_not_given_back_once_more(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    wallet = purse.make_wallet(customer)
    purse.buy(wallet, "120")
    invoice = make.issue(customer, "100.00")
    assert (invoice.total_amount, invoice.prepaid_credit_amount) == (eur("0"), eur("120"))
    credit(invoice, "50.00", credit=eur("60"))

    void(invoice)

    # 120 were paid: 60 are a credit by the note, 60 are in the wallet again.
    wallet.refresh_from_db()
    assert (wallet.balance_amount, wallet.credits_balance) == (eur("60"), Decimal(60))
    assert roles(customer) == {"cash": eur("120"), "customer_credit": eur("-60"), "prepaid": eur("-60")}
    books.assert_sound()
    commit_checks()


def test_wallet_payment_coupon_note_and_dispute_on_one_invoice(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    coupon = make_coupons.give(customer, amount_cents=1000)
    bought, given = purse.make_wallet(customer, code="a"), purse.make_wallet(customer, code="b")
    purse.buy(bought, "20")
    purse.give(given, "10")
    invoice = make.issue(customer, "110.00")  # − 10 = 100, 120 with tax, − 30 = 90
    assert invoice.total_amount == eur("90")
    pay(invoice, "40.00")
    disputes.open_dispute(invoice_id=invoice.pk, amount=eur("50"), reason="no", actor=make.ACTOR, at=make.AT)

    voided = void(invoice)

    coupon.refresh_from_db()
    for wallet, amount in ((bought, "20"), (given, "10")):
        wallet.refresh_from_db()
        assert wallet.balance_amount == eur(amount)
    assert (coupon.status, coupon.used_amount, voided.disputed_amount) == ("active", eur("0"), eur("0"))
    assert held_money.held(Payment.objects.filter(amount=40).get()) == eur("40")
    assert roles(customer) == {"cash": eur("60"), "customer_credit": eur("-40"), "prepaid": eur("-20")}
    books.assert_sound()
    commit_checks()


@pytest.mark.parametrize("with_note", [False, True])
def test_an_unpaid_purchase_of_credits_is_voided_and_bought_anew(
    customer: Customer, commit_checks: Callable[[], None], *, with_note: bool
) -> None:
    wallet = purse.make_wallet(customer)
    row = purse.buy(wallet, "100", paid=False)
    invoice = Invoice.objects.get(pk=row.invoice_id)
    pay(invoice, "30.00")
    parts = CreditNoteParts(credit=eur("0"), refund=eur("0")) if with_note else None

    void(invoice, credit_note=parts)

    row.refresh_from_db()
    wallet.refresh_from_db()
    assert (row.status, wallet.balance_amount) == ("failed", eur("0"))
    assert roles(customer) == {"cash": eur("30"), "customer_credit": eur("-30")}
    with pytest.raises(errors.NotAllowed) as refused:
        regenerating.regenerate(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT)
    assert refused.value.code == "invalid_type_or_status"
    assert WalletTransaction.objects.count() == 1
    books.assert_sound()
    commit_checks()


def test_money_for_an_invoice_that_was_closed_pays_another_or_goes_back(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    waiting = make.draft(customer, "100.00").invoice
    open_invoices.hold(invoice_id=waiting.pk, actor=make.ACTOR, at=make.AT)
    payment = pay(waiting, "70.00")
    books.assert_sound()

    open_invoices.close(invoice_id=waiting.pk, reason="late", actor=make.ACTOR, at=make.AT)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.paid_amount, held_money.held(payment)) == ("closed", eur("0"), eur("70"))
    assert [row.pk for row in held_money.holding(customer_id=customer.pk)] == [payment.pk]
    books.assert_sound()
    other = make.issue(customer, "50.00")
    held_payments.allocate(payment_id=payment.pk, invoice_id=other.pk, amount=eur("60"), actor=make.ACTOR, at=make.AT)
    held_payments.refund(payment_id=payment.pk, amount=eur("10"), reference="", actor=make.ACTOR, at=make.AT)

    assert roles(customer) == {"cash": eur("60"), "revenue": eur("-50"), "tax": eur("-10")}
    # 70 came in before there was anything to pay with it, 10 went back: that it paid an invoice later is no new money.
    assert [row.collected for row in revenue.by_month(since=date(2000, 1, 1)) if row.collected] == [eur("60")]
    assert len(ledger.entries_of_invoice(waiting)) == 2  # it came in, and a part was paid back
    books.assert_sound()
    commit_checks()
