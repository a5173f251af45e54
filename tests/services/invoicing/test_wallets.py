"""Wallets: bought credits come in when they are paid, invoices use them last, what is left at the end is lost."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from moneyed import Money

from config.kernel import errors
from customers.models import Customer
from invoicing.models import Invoice, LedgerEntry, Wallet, WalletConsumption, WalletTransaction
from invoicing.queries import ledger
from invoicing.services import invoices, payments, wallet_settlements, wallet_top_ups, wallets
from invoicing.services.wallet_top_ups import TopUp
from tests.factories import invoicing as make
from tests.factories import wallets as purses

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")]), currency="EUR")


def balances(customer: Customer) -> dict[str, Decimal]:
    return {row.role: row.amount.amount for row in ledger.balances(customer_id=customer.pk) if row.amount}


def refused(call: Callable[[], object]) -> dict[str, list[str]]:
    with pytest.raises(errors.DomainError) as caught:
        call()
    return caught.value.details or {"": [caught.value.code]}


def test_bought_credits_come_in_when_they_are_paid(customer: Customer, commit_checks: Callable[[], None]) -> None:
    wallet = purses.make_wallet(customer, rate_amount=Decimal("0.5"))

    row = purses.buy(wallet, "100", paid=False)

    # 100 credits of 0.50: the invoice is issued at once, owed and not taxed; nothing is in the wallet yet.
    assert (row.status, row.credit_amount, row.amount) == ("pending", Decimal(100), eur("50"))
    assert (row.invoice.kind, row.invoice.status, row.invoice.total_amount) == ("credit", "finalized", eur("50"))
    assert row.invoice.lines.get().item_uuid == row.uuid
    wallet.refresh_from_db()
    assert (wallet.credits_balance, wallet.balance_amount) == (0, eur("0"))
    assert balances(customer) == {"receivable": Decimal(50), "prepaid": Decimal(-50)}
    commit_checks()

    purses.pay(row.invoice)

    row.refresh_from_db()
    wallet.refresh_from_db()
    assert (row.status, row.remaining_credit_amount, row.remaining_amount) == ("settled", Decimal(100), eur("50"))
    assert (wallet.credits_balance, wallet.balance_amount, wallet.ongoing_balance_amount) == (100, eur("50"), eur("50"))
    assert balances(customer) == {"cash": Decimal(50), "prepaid": Decimal(-50)}
    assert wallet_settlements.settle_paid(invoice_ids=[row.invoice_id], at=make.AT) == []  # once
    commit_checks()


def test_a_purchase_may_wait_for_its_payment(customer: Customer, commit_checks: Callable[[], None]) -> None:
    wallet = purses.make_wallet(customer, invoice_requires_successful_payment=True)
    row = purses.buy(wallet, "10", paid=False)
    assert (row.invoice.status, row.invoice.number, balances(customer)) == ("open", None, {})

    invoices.update(invoice_id=row.invoice_id, payment_status="succeeded", notes=None, actor=make.ACTOR, at=make.AT)

    row.refresh_from_db()
    row.invoice.refresh_from_db()
    assert (row.status, row.invoice.status, row.invoice.number is None) == ("settled", "finalized", False)
    with pytest.raises(errors.NotAllowed):
        invoices.update(invoice_id=row.invoice_id, payment_status="pending", notes=None, actor=make.ACTOR, at=make.AT)
    commit_checks()


def test_invoices_use_what_was_given_before_what_was_bought(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    wallet = purses.make_wallet(customer)
    bought = purses.buy(wallet, "100")
    given = purses.give(wallet, "50")

    invoice = make.issue(customer, "100.00", at=make.AT + DAY)

    # 100 + 20 tax: 50 that was given, then 70 of what was bought.
    assert (invoice.prepaid_credit_amount, invoice.total_amount) == (eur("120"), eur("0"))
    assert invoice.payment_status == "succeeded"
    out = WalletTransaction.objects.get(invoice=invoice)
    assert (out.transaction_status, out.amount, out.purchased_amount) == ("invoiced", eur("120"), eur("70"))
    assert [(part.inbound_id, part.amount) for part in out.fundings.all()] == [
        (given.pk, eur("50")),
        (bought.pk, eur("70")),
    ]
    wallet.refresh_from_db()
    assert (wallet.balance_amount, wallet.consumed_amount, wallet.consumed_credits) == (eur("30"), eur("120"), 120)
    assert wallet.last_consumed_credit_at == make.AT + DAY
    # 100 cash came in, 30 of it is still owed as credits; 50 of the 100 revenue was a present.
    assert balances(customer) == {
        "cash": Decimal(100),
        "prepaid": Decimal(-30),
        "promotion": Decimal(50),
        "revenue": Decimal(-100),
        "tax": Decimal(-20),
    }
    assert ledger.out_of_balance() == {}
    commit_checks()


def test_several_wallets_pay_what_they_may_in_their_order(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    last = purses.make_wallet(customer, code="last")
    usage = purses.make_wallet(customer, code="usage", priority=10, fee_types=["charge"])
    over = purses.make_wallet(customer, code="over", priority=1, expiration_at=make.AT + DAY)
    for wallet in (last, usage, over):
        purses.give(wallet, "100")
    lines = (make.line("50.00"), make.line("200.00", kind="subscription", item_code="pro"))

    invoice = make.issue(customer, lines=lines, at=make.AT + 2 * DAY)

    # 60.00 of usage with tax by the one for usage, 100 of the other 240.00 by the last; the third one's time is over.
    paid = dict(WalletTransaction.objects.filter(invoice=invoice).values_list("wallet__code", "amount"))
    assert paid == {"usage": Decimal(60), "last": Decimal(100)}
    assert (invoice.prepaid_credit_amount, invoice.total_amount) == (eur("160"), eur("140"))
    commit_checks()


def test_one_off_invoices_and_drafts_use_nothing(customer: Customer, commit_checks: Callable[[], None]) -> None:
    wallet = purses.make_wallet(customer)
    purses.give(wallet, "100")

    draft = make.draft(customer, "10.00", at=make.AT + DAY).invoice
    sold = make.issue(customer, "10.00", kind="one_off", at=make.AT + DAY)

    assert (draft.prepaid_credit_amount, sold.prepaid_credit_amount) == (eur("0"), eur("0"))
    assert not WalletTransaction.objects.filter(transaction_type="outbound").exists()
    commit_checks()


def test_what_is_voided_or_left_at_the_end_is_lost(customer: Customer, commit_checks: Callable[[], None]) -> None:
    wallet = purses.make_wallet(customer, rate_amount=Decimal("0.333"))
    bought = purses.buy(wallet, "30")  # 9.99
    purses.give(wallet, "9")  # 2.997 -> 3.00, which are 9.00900 credits

    purses.top_up(wallet, voided_credits=Decimal(12))  # 3.996 -> 4.00: 3.00 that was given, 1.00 that was bought

    wallet.refresh_from_db()
    # 30 + 9.009 - (9.009 + 1.00 / 0.333 cut off = 3.003)
    assert (wallet.balance_amount, wallet.credits_balance) == (eur("8.99"), Decimal("26.99700"))
    assert balances(customer)["revenue"] == Decimal("-1.00")

    wallets.terminate(wallet_id=wallet.pk, actor=make.ACTOR, at=make.AT + DAY)
    wallets.terminate(wallet_id=wallet.pk, actor=make.ACTOR, at=make.AT + DAY)

    wallet.refresh_from_db()
    bought.refresh_from_db()
    assert (wallet.status, wallet.balance_amount, wallet.credits_balance) == ("terminated", eur("0"), 0)
    assert (bought.remaining_amount, bought.remaining_credit_amount) == (eur("0"), 0)
    assert balances(customer) == {"cash": Decimal("9.99"), "revenue": Decimal("-9.99")}
    assert refused(lambda: purses.give(wallet, "1")) == {"wallet_id": ["wallet_is_terminated"]}
    assert refused(lambda: wallets.update(wallet_id=wallet.pk, values={"name": "x"}, actor=make.ACTOR, at=make.AT)) == {
        "": ["wallet_not_active"]
    }
    commit_checks()


def test_wallets_end_by_themselves(customer: Customer) -> None:
    soon = purses.make_wallet(customer, code="soon", expiration_at=make.AT + DAY)
    later = purses.make_wallet(customer, code="later", expiration_at=make.AT + 3 * DAY)
    purses.give(soon, "5")
    waiting = purses.buy(soon, "10", paid=False, invoice_requires_successful_payment=True)

    assert (wallets.expire(as_of=make.AT + 2 * DAY), wallets.expire(as_of=make.AT + 2 * DAY)) == (1, 0)

    soon.refresh_from_db()
    later.refresh_from_db()
    waiting.refresh_from_db()
    assert (soon.status, soon.balance_amount, later.status) == ("terminated", eur("0"), "active")
    assert (waiting.status, waiting.invoice.status) == ("failed", "closed")


def test_what_is_paid_too_late_stays_the_customers(customer: Customer, commit_checks: Callable[[], None]) -> None:
    wallet = purses.make_wallet(customer)
    row = purses.buy(wallet, "10", paid=False)
    wallets.terminate(wallet_id=wallet.pk, actor=make.ACTOR, at=make.AT)

    purses.pay(row.invoice)

    wallet.refresh_from_db()
    assert (wallet.status, wallet.balance_amount) == ("terminated", eur("10"))
    assert make.issue(customer, "5.00", at=make.AT + DAY).prepaid_credit_amount == eur("0")
    assert balances(customer)["prepaid"] == Decimal(-10)
    commit_checks()


def test_a_voided_invoice_gives_its_credits_back_as_granted(
    customer: Customer, commit_checks: Callable[[], None]
) -> None:
    wallet = purses.make_wallet(customer)
    gone = purses.make_wallet(customer, code="gone", priority=1)
    purses.buy(wallet, "100")
    purses.give(wallet, "20")
    purses.buy(gone, "30")
    invoice = make.issue(customer, "100.00", at=make.AT + DAY)  # 30 of gone, 20 given and 70 bought of the other
    wallets.terminate(wallet_id=gone.pk, actor=make.ACTOR, at=make.AT + DAY)

    invoices.void(invoice_id=invoice.pk, actor=make.ACTOR, at=make.AT + 2 * DAY)

    wallet.refresh_from_db()
    gone.refresh_from_db()
    back = WalletTransaction.objects.get(voided_invoice=invoice)
    assert (back.transaction_status, back.amount, back.purchased_amount) == ("granted", eur("90"), eur("70"))
    assert (wallet.balance_amount, gone.balance_amount) == (eur("120"), eur("0"))
    # 130 cash; 100 of it is owed as credits again, 30 went with the wallet that is gone.
    assert balances(customer) == {"cash": Decimal(130), "prepaid": Decimal(-100), "revenue": Decimal(-30)}
    assert ledger.out_of_balance() == {}
    commit_checks()


def test_a_purchase_fails_with_its_invoice(customer: Customer, commit_checks: Callable[[], None]) -> None:
    wallet = purses.make_wallet(customer)
    row = purses.buy(wallet, "10", paid=False)

    invoices.void(invoice_id=row.invoice_id, actor=make.ACTOR, at=make.AT + DAY)

    row.refresh_from_db()
    wallet.refresh_from_db()
    assert (row.status, row.failed_at, wallet.balance_amount) == ("failed", make.AT + DAY, eur("0"))
    assert balances(customer) == {}
    commit_checks()


def test_the_same_key_does_it_once(customer: Customer) -> None:
    first = wallet_top_ups.create_wallet(
        values=purses.values(customer), wanted=TopUp(granted_credits=Decimal(5), key="k"), actor=make.ACTOR, at=make.AT
    )
    again = wallet_top_ups.create_wallet(
        values=purses.values(customer), wanted=TopUp(granted_credits=Decimal(5), key="k"), actor=make.ACTOR, at=make.AT
    )
    rows = [purses.top_up(first, paid_credits=Decimal(3), key="p") for _ in range(2)]

    assert first == again
    assert rows[0] == rows[1]
    assert (Invoice.objects.count(), WalletTransaction.objects.count()) == (1, 2)


def commit(statement: str) -> None:
    """Run a statement and check what the database would check when the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def draw_behind_the_services(wallet: Wallet, invoice: Invoice) -> None:
    """Write what the services never would."""
    WalletTransaction.objects.create(
        wallet=wallet,
        transaction_type="outbound",
        transaction_status="invoiced",
        status="settled",
        settled_at=make.AT,
        currency="EUR",
        credit_amount=1,
        amount=eur("1"),
        invoice=invoice,
    )
    commit("SET CONSTRAINTS invoicing_wallettx_invoice IMMEDIATE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoicing_wallet SET balance_amount = 1",
        "UPDATE invoicing_wallet SET credits_balance = 0",
        "UPDATE invoicing_wallet SET rate_amount = 2",
        "UPDATE invoicing_wallet SET balance_amount = -1",
        "DELETE FROM invoicing_wallet",
        "UPDATE invoicing_wallettransaction SET amount = 1 WHERE transaction_type = 'inbound'",
        "UPDATE invoicing_wallettransaction SET status = 'failed', failed_at = settled_at, settled_at = NULL",
        "UPDATE invoicing_wallettransaction SET remaining_amount = remaining_amount - 1 WHERE remaining_amount > 0",
        "DELETE FROM invoicing_wallettransaction",
        "UPDATE invoicing_walletconsumption SET amount = 1",
        "DELETE FROM invoicing_walletconsumption",
    ],
)
def test_the_database_keeps_it(customer: Customer, statement: str) -> None:
    wallet = purses.make_wallet(customer)
    purses.give(wallet, "100")
    make.issue(customer, "10.00", at=make.AT + DAY)

    with pytest.raises(IntegrityError), transaction.atomic():
        commit(statement)

    assert WalletConsumption.objects.get().amount == eur("12")
    assert LedgerEntry.objects.filter(fact="wallet_credits_used").count() == 1


def test_the_database_keeps_what_an_invoice_drew(customer: Customer) -> None:
    wallet = purses.make_wallet(customer)
    purses.give(wallet, "100")
    invoice = make.issue(customer, "10.00", kind="one_off", at=make.AT + DAY)

    with pytest.raises(IntegrityError, match="prepaid credit"), transaction.atomic():
        draw_behind_the_services(wallet, invoice)


def test_payments_of_other_invoices_settle_nothing(customer: Customer) -> None:
    wallet = purses.make_wallet(customer)
    row = purses.buy(wallet, "10", paid=False)
    other = make.issue(customer, "10.00")

    payments.record(invoice_id=other.pk, amount=eur("12"), reference="r", paid_at=make.AT, actor=make.ACTOR, at=make.AT)

    row.refresh_from_db()
    assert row.status == "pending"
