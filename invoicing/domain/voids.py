"""What becomes of the money of an invoice that is voided. Owns the arithmetic; knows no table.

What its credit notes gave the customer already was paid for by the invoice, so that much is not given back a second
time. What is left of payments and credits is the customer's again, and what is left of the revenue is taken back. Then
the customer owes nothing of it, to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass

from moneyed import Money

from config.kernel import errors, money


class VoidTooMuch(errors.Invalid):
    """More is to be given back than was billed, or refunded than was paid."""


@dataclass(frozen=True)
class Settled:
    """How an issued invoice stands. All gross: what it came to, and what credit notes gave back of it.

    ``offset`` are credit notes that lowered what is due, ``credited`` those that gave credit or refunds and stand.
    ``paid`` is money, ``credits`` are credits of other credit notes, ``prepaid`` is prepaid credit of contracts and
    ``wallet`` money of wallets.
    """

    gross: Money
    offset: Money
    credited: Money
    paid: Money
    credits: Money
    prepaid: Money
    wallet: Money


@dataclass(frozen=True)
class Given:
    """What is given back: ``held`` of payments, ``credits``, ``prepaid`` and ``wallet`` of credits that it used.

    ``reversed`` is the gross amount of which revenue and tax are taken back. ``kept`` is money of wallets that stays
    with the seller, ``written_off`` what credit notes gave that nobody had paid.
    """

    held: Money
    credits: Money
    prepaid: Money
    wallet: Money
    kept: Money
    written_off: Money
    reversed: Money


def given(settled: Settled, *, keeps_wallet: bool) -> Given:
    """Say what voiding an invoice gives back. No rounding: sums of rounded amounts.

    With ``keeps_wallet`` no money of wallets goes back to them, and credit notes count against it first. Then they
    count against payments, credits, prepaid credit and, without it, money of wallets, in this order.
    """
    nothing = money.zero(settled.gross.currency.code)
    counted, kept, wallet = settled.credited, nothing, settled.wallet
    if keeps_wallet:
        kept = settled.wallet - min(counted, settled.wallet)
        counted -= min(counted, settled.wallet)
        wallet = nothing
    held = settled.paid - min(counted, settled.paid)
    counted -= settled.paid - held
    unused = settled.credits - min(counted, settled.credits)
    counted -= settled.credits - unused
    prepaid = settled.prepaid - min(counted, settled.prepaid)
    counted -= settled.prepaid - prepaid
    unspent = wallet - min(counted, wallet)
    counted -= wallet - unspent
    return Given(
        held=held,
        credits=unused,
        prepaid=prepaid,
        wallet=unspent,
        kept=kept,
        written_off=counted,
        reversed=settled.gross - settled.offset - settled.credited - kept,
    )


def demand_parts(*, credit: Money, refund: Money, creditable: Money, refundable: Money) -> None:
    """Demand that a credit note in place of a voided invoice gives back no more than it may. All gross.

    Raises VoidTooMuch: `total_amount_exceeds_invoice_amount` for both together, `exceeds_remaining_amount` for more
    refund than was paid, `invalid_value` for less than nothing.
    """
    for name, amount in (("credit_amount", credit), ("refund_amount", refund)):
        if amount.amount < 0:
            raise VoidTooMuch("invalid_value", "An amount is not below nothing.", {name: ["invalid_value"]})
        money.to_minor(amount)
    if credit + refund > creditable:
        code = "total_amount_exceeds_invoice_amount"
        raise VoidTooMuch(code, f"No more than {creditable} is left of the invoice.", {"credit_refund_amount": [code]})
    if refund > refundable:
        code = "exceeds_remaining_amount"
        raise VoidTooMuch(code, f"No more than {refundable} was paid.", {"refund_amount": [code]})
