"""Makers of wallets and their credits for tests. Deterministic and plain."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from customers.models import Customer
from invoicing.models import Invoice, Wallet, WalletTransaction
from invoicing.services import payments, wallet_top_ups, wallets
from invoicing.services.wallet_top_ups import TopUp
from invoicing.services.wallets import WalletValues
from tests.factories import invoicing as make


def values(customer: Customer, **further: Any) -> WalletValues:
    """Say what a wallet is made of: credits worth one of the customer's currency, or of the euro."""
    given: Any = {
        "external_customer_id": customer.external_id,
        "currency": customer.currency or "EUR",
        "rate_amount": Decimal(1),
        **further,
    }
    found: WalletValues = given
    return found


def make_wallet(customer: Customer, **further: Any) -> Wallet:
    """Make an empty wallet."""
    return wallets.create(values=values(customer, **further), actor=make.ACTOR, at=make.AT)


def top_up(wallet: Wallet, **wanted: Any) -> list[WalletTransaction]:
    """Ask for transactions."""
    return wallet_top_ups.top_up(wallet_id=wallet.pk, wanted=TopUp(**wanted), actor=make.ACTOR, at=make.AT)


def give(wallet: Wallet, quantity: str, **wanted: Any) -> WalletTransaction:
    """Give credits."""
    return top_up(wallet, granted_credits=Decimal(quantity), **wanted)[0]


def buy(wallet: Wallet, quantity: str, *, paid: bool = True, **wanted: Any) -> WalletTransaction:
    """Buy credits, and pay them unless said otherwise."""
    row = top_up(wallet, paid_credits=Decimal(quantity), **wanted)[0]
    if paid and row.invoice is not None:
        pay(row.invoice)
    return row


def pay(invoice: Invoice) -> None:
    """Pay all of an invoice."""
    payments.record(
        invoice_id=invoice.pk,
        amount=invoice.total_amount,
        reference="transfer",
        paid_at=make.AT,
        actor=make.ACTOR,
        at=make.AT,
    )
