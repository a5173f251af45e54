"""Corrections of invoices that coupons, wallets and credits paid, of prices with their tax, and of amended events; the
check of all books finds nothing after them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.db import connection
from moneyed import Money

from billing.domain.event_corrections import Action, CorrectionIn
from billing.models import UsageEvent
from billing.services import books_register as billing_register
from billing.services import invoice_corrections, runs
from billing.services.invoice_corrections import Asked, Corrected
from config.kernel.checks import Scope
from customers.models import Customer
from invoicing.domain.corrections import Fix
from invoicing.models import CreditNote, Invoice, Wallet
from invoicing.queries import ledger
from invoicing.services import books_checks, books_register
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import coupons, wallets
from tests.factories import invoicing as make
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax("t", "0.20")]))


def correct(invoice: Invoice, **values: Any) -> Corrected:
    asked = Asked(reason="wrong", **values)
    shown = invoice_corrections.preview(invoice_id=invoice.pk, asked=asked, actor=make.ACTOR, at=make.AT)
    done = invoice_corrections.correct(invoice_id=invoice.pk, asked=asked, actor=make.ACTOR, at=make.AT)
    assert shown.effect == done.effect
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    assert ledger.out_of_balance() == {}
    return done


def balances(done: Corrected) -> dict[str, tuple[Decimal, Decimal]]:
    return {one.name: (one.before.amount, one.after.amount) for one in done.effect.balances}


def test_a_wallet_has_its_credits_again_and_pays_the_new_invoice(customer: Customer) -> None:
    wallet = wallets.make_wallet(customer)
    wallets.give(wallet, "50")
    invoice = make.issue(customer, "100.00")
    assert invoice.total_amount.amount == Decimal(70)

    done = correct(invoice, fixes=(Fix(invoice.lines.get().pk, amount=Money(20, "EUR")),), document_is_wrong=True)

    # 20.00 and 20 %: 24.00 of the 50.00 that are in the wallet again
    new = Invoice.objects.get(regenerated_from=invoice)
    assert (new.gross_amount.amount, new.total_amount.amount, new.payment_status) == (Decimal(24), 0, "succeeded")
    assert Wallet.objects.get().balance_amount.amount == Decimal(26)
    assert balances(done)["wallets"] == (Decimal(0), Decimal(26))
    assert not CreditNote.objects.exists()


def test_coupons_are_spread_over_what_is_given_back(customer: Customer) -> None:
    coupons.give(customer, rate="0.10")
    invoice = make.issue(customer, "100.00", "50.00")
    first, _ = invoice.lines.order_by("position")

    done = correct(invoice, fixes=(Fix(first.pk, not_owed=True),))

    # 100.00 less 10 %, and 20 % of 90.00
    assert CreditNote.objects.get().total_amount.amount == Decimal(108)
    assert balances(done)["invoice_due"] == (Decimal(162), Decimal(54))


def test_a_price_with_its_tax(customer: Customer) -> None:
    invoice = make.issue(customer, lines=(make.line("120.00", is_tax_inclusive=True),))
    line = invoice.lines.get()
    assert line.amount.amount == Decimal(100)

    correct(invoice, fixes=(Fix(line.pk, amount=Money("60", "EUR")),))
    assert CreditNote.objects.get().total_amount.amount == Decimal(60)
    correct(invoice, fixes=(Fix(line.pk, amount=Money("66", "EUR")),))

    # 6.00 with its tax: 5.00 and 1.00
    own = Invoice.objects.exclude(pk=invoice.pk).get()
    assert (own.fees_amount.amount, own.total_amount.amount) == (Decimal(5), Decimal(6))


def test_an_amended_event_and_the_check_of_all_books(customer: Customer) -> None:
    charge = goods.standard(goods.make_metric("requests"), "0.10")
    made.make_subscription(customer, goods.make_plan("pro", cents=2800, charges=[charge]), at=instant("2026-03-01"))
    made.send("sub", "requests", *(f"2026-03-{day}" for day in range(10, 20)))
    runs.run(as_of=instant("2026-04-01T00:10"), trigger="test", actor=make.ACTOR)
    invoice = Invoice.objects.get()
    event = UsageEvent.objects.order_by("timestamp").values_list("transaction_id", flat=True)[0]
    amended = CorrectionIn(
        "fix", "sub", event, Action.AMEND, "the clock was wrong",
        changes={"timestamp": msgspec.Raw(b'"2026-04-02T00:00:00Z"')}, sent={"corrects": event, "action": "amend"},
    )  # fmt: skip

    correct(invoice, events=(amended,))

    # 10 → 9 requests: 0.10, and 20 % of it
    assert CreditNote.objects.get().total_amount.amount == Decimal("0.12")
    fee, usage = invoice.lines.order_by("position")
    correct(invoice, fixes=(Fix(fee.pk, amount=Money(30, "EUR")),), owed_by="own_invoice")
    correct(invoice, fixes=(Fix(usage.pk, units=Decimal(20)),))
    correct(invoice, document_is_wrong=True)
    runs.run(as_of=instant("2026-05-01T00:10"), trigger="test", actor=make.ACTOR)
    books_register.register()
    billing_register.register()
    scope = Scope(as_of=instant("2026-05-01T00:10"), sample=50)
    found = [f"{check.name}: {one.label} {one.message}" for check, one in books_checks.findings(scope=scope)]
    assert found == []
