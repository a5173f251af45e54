"""Credit notes on invoices that sold credits of a wallet: what may be given back of them, and taking the credits out.

A sale that was paid is refunded, as far as its credits are still in the wallet, and they leave it. One that was not
paid is taken back as a whole, off what is due. Neither gives credit for later invoices: the wallet itself is that.
"""

from __future__ import annotations

from datetime import datetime

from moneyed import Money

from config.kernel import errors, money
from config.kernel.actors import Actor
from invoicing.domain import wallets
from invoicing.domain.credit_notes import BilledInvoice, Limits, NotCreditable
from invoicing.models import CreditNote, Invoice, Wallet, WalletTransaction
from invoicing.queries import wallets as known
from invoicing.services import announcements, wallet_rows, wallet_settlements


class UnableToCreditSale(errors.NotAllowed):
    """The sale of credits, or its wallet, is in no state that allows it."""


def limits(*, invoice: Invoice, billed: BilledInvoice, total: Money) -> Limits:
    """Return the most that a note of this total may give back of an invoice of prepaid credit each way.

    Raises UnableToCreditSale (`invalid_type_or_status`) for prepaid credit that no wallet holds, a wallet that is gone
    and a part of a sale that was not paid, and NotCreditable (`higher_than_wallet_balance`) for credits that were used.
    """
    nothing = money.zero(invoice.currency)
    sale = _sale(invoice)
    if sale is None:
        raise _refused("Prepaid credit was bought: it is used, or it expires.")
    # What was paid after the end of the wallet is still in it, and this is its only way out.
    if sale.wallet.status != Wallet.Status.ACTIVE and not sale.remaining_amount:
        raise _refused("The wallet is gone, and its credits with it.")
    if sale.status == WalletTransaction.Status.PENDING:
        if invoice.paid_amount or total != invoice.total_amount:
            raise _refused("Credits that were not paid for yet are taken back as a whole.")
        return Limits(creditable=nothing, refundable=nothing, offsettable=total)
    if sale.status != WalletTransaction.Status.SETTLED:
        raise _refused("The sale of these credits failed.")
    if total > min(sale.remaining_amount, sale.wallet.balance_amount):
        raise NotCreditable(
            "higher_than_wallet_balance",
            f"No more than {min(sale.remaining_amount, sale.wallet.balance_amount)} of these credits is left.",
            {"base": ["higher_than_wallet_balance"]},
        )
    return Limits(creditable=nothing, refundable=min(billed.refundable, total), offsettable=nothing)


def lock(*, invoice: Invoice) -> None:
    """Lock the wallet of a sale, so that what is left of its credits stays until the transaction ends."""
    sale = _sale(invoice)
    if sale is not None:
        known.locked(sale.wallet_id)


def take_out(*, note: CreditNote, invoice: Invoice, actor: Actor, at: datetime) -> None:
    """Take the credits that an issued note gave back out of their wallet, or give up the sale that was not paid.

    The note's own booking gives back what was owed for them. Invoice and wallet are locked.
    """
    wallet_settlements.fail(invoice_ids=[invoice.pk], at=at, actor=actor)
    sale = _sale(invoice)
    if sale is None or sale.status != WalletTransaction.Status.SETTLED:
        return
    wallet = known.locked(sale.wallet_id)
    flow = wallet_rows.outflow(
        wallet=wallet,
        parts=wallets.consume(note.total_amount, grants=[wallet_rows.grant(sale)], rate=wallet.rate_amount),
        grants=[sale],
        kind=WalletTransaction.Kind.VOIDED,
        at=at,
        voided_transaction=sale,
        credit_note=note,
        name=f"Credit note {note.number}",
    )
    wallet_rows.write(outflows=[flow])
    announcements.moved(transactions=[flow.transaction], at=at)


def _sale(invoice: Invoice) -> WalletTransaction | None:
    rows = WalletTransaction.objects.filter(
        invoice=invoice, transaction_status=WalletTransaction.Kind.PURCHASED
    ).select_related("wallet")
    return rows.first()


def _refused(message: str) -> UnableToCreditSale:
    return UnableToCreditSale("invalid_type_or_status", message)
