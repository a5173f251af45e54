"""What a credit note comes to. Owns its figures: items, taxes, limits and where the total goes; knows no table.

Items may be finer than the currency, because unused days are. Each item is rounded once. What coupons took off the
lines is taken off the items in the same share, unrounded, and their sum is rounded once. The tax is the unrounded sum
over the items without that share, rounded once; net and tax make the total. The note that gives back the last of an
invoice takes the rest of its coupons and its tax, so that all notes together give back exactly what was billed.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from moneyed import Money

from config.kernel import errors, money
from invoicing.domain.tax import TaxRate
from invoicing.domain.totals import Taxed, TaxGroup

ITEM_PLACES = 5
"""Decimals of a minor unit that an item keeps; what is finer is cut off."""

_RATE_PLACES = 8


class NotCreditable(errors.Invalid):
    """More is to be given back than is left of a line or an invoice, or nothing at all."""


@dataclass(frozen=True)
class BilledLine:
    """A line as it was billed, net, and what earlier notes gave back of it: rounded and as it was before rounding.

    ``coupons`` is what coupons took off the line, in major units before rounding; ``amount`` and ``credited`` are
    before coupons. ``included_taxes`` is the tax of a line whose price includes it, in major units: of such a line the
    same share of its tax is given back as of its net amount, so that a whole one gives back the price.
    """

    id: int
    amount: Money
    taxes: tuple[TaxRate, ...]
    credited: Money
    credited_precise: Decimal
    coupons: Decimal = Decimal(0)
    included_taxes: Decimal | None = None

    @property
    def left(self) -> Money:
        """Return what may still be given back, net."""
        return self.amount - self.credited

    @property
    def left_precise(self) -> Decimal:
        """Return what may still be given back, net, before rounding."""
        return max(self.amount.amount - self.credited_precise, Decimal(0))

    def coupons_of(self, amount: Decimal) -> Decimal:
        """Return what coupons took off a part of the line, in major units, unrounded."""
        return self.coupons * amount / self.amount.amount if self.coupons else Decimal(0)

    def taxes_of(self, amount: Decimal) -> dict[int, Decimal]:
        """Return the taxes of a part of the line by tax, in major units, unrounded: without its share of coupons."""
        base = amount - self.coupons_of(amount)
        rate = sum((tax.rate for tax in self.taxes), Decimal(0))
        if self.included_taxes is None or not rate:
            return {tax.id: base * tax.rate for tax in self.taxes}
        included = self.included_taxes * amount / self.amount.amount
        return {tax.id: included * tax.rate / rate for tax in self.taxes}


@dataclass(frozen=True)
class BilledInvoice:
    """An invoice as it was billed, and what earlier notes gave back of its tax, rounded and before rounding.

    ``taxes`` are those of the lines that can be given back: one below nothing, which corrects another invoice, takes
    nothing from the others. ``coupons`` is what coupons took off, ``coupons_credited`` what earlier notes took off
    their items for it. ``refundable`` is what was paid and not refunded yet, ``due`` what is still to be paid.
    """

    currency: str
    lines: tuple[BilledLine, ...]
    taxes: Money
    taxes_credited: Money
    taxes_credited_precise: Decimal
    coupons: Money
    coupons_credited: Money
    refundable: Money
    due: Money


@dataclass(frozen=True)
class Item:
    """What is given back of a line, net: rounded, and before rounding."""

    line_id: int
    precise: Decimal
    amount: Money


@dataclass(frozen=True)
class Credited:
    """A credit note in figures. ``precise_taxes`` is the tax before rounding; ``taxes_rate`` is over the items.

    ``coupons`` is what is taken off the items because coupons lowered the lines, ``precise_coupons`` the same before
    rounding. The net amount is the items without it.
    """

    items: tuple[Item, ...]
    groups: tuple[TaxGroup, ...]
    coupons: Money
    precise_coupons: Decimal
    precise_taxes: Decimal
    taxes_rate: Decimal
    amount: Taxed


@dataclass(frozen=True)
class Limits:
    """The most that a credit note may give back each way."""

    creditable: Money
    refundable: Money
    offsettable: Money


@dataclass(frozen=True)
class Split:
    """Where the total of a credit note goes."""

    credit: Money
    refund: Money
    offset: Money

    @property
    def total(self) -> Money:
        """Return the sum."""
        return self.credit + self.refund + self.offset


def truncated(amount: Decimal, *, currency: str) -> Decimal:
    """Cut an amount in major units off at what an item keeps: five decimals of a minor unit."""
    return money.floor_to(amount, money.exponent(currency) + ITEM_PLACES)


def credit(*, invoice: BilledInvoice, wanted: Mapping[int, Decimal], net: Money | None = None) -> Credited:
    """Work out a credit note over net amounts before coupons, in major units, by line.

    Rounds each item, each tax group, the share of the coupons and the tax once, half up. The share of the coupons takes
    what rounding leaves where ``net``, the rounded amount to be given back before tax, is given. Raises NotCreditable
    for a line of another invoice, nothing, or more than is left of a line (`higher_than_remaining_fee_amount`).
    """
    lines = {line.id: line for line in invoice.lines}
    items = tuple(_item(lines, line_id, amount) for line_id, amount in wanted.items())
    if not items:
        raise NotCreditable("items_missing", "Nothing is to be given back.", {"items": ["value_is_mandatory"]})
    bases: dict[int, Decimal] = {}
    owed: dict[int, Decimal] = {}
    rates: dict[int, TaxRate] = {}
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        whole = precise_coupons = Decimal(0)
        for item in items:
            line = lines[item.line_id]
            share = line.coupons_of(item.precise)
            precise_coupons += share
            whole += item.precise - share
            taxes_of = line.taxes_of(item.precise)
            for tax in line.taxes:
                rates.setdefault(tax.id, tax)
                bases[tax.id] = bases.get(tax.id, Decimal(0)) + item.precise - share
                owed[tax.id] = owed.get(tax.id, Decimal(0)) + taxes_of[tax.id]
        precise = sum(owed.values(), Decimal(0))
        rate = precise / whole if whole else Decimal(0)
        groups = tuple(_group(tax, bases[tax.id], owed[tax.id], invoice.currency) for tax in rates.values())
        left = invoice.taxes - invoice.taxes_credited
        if _exhausts(invoice, items):
            precise -= invoice.taxes_credited.amount - invoice.taxes_credited_precise
            taxes = left
        else:
            taxes = min(_money(precise, invoice.currency), left)
        amount = sum((item.amount for item in items), money.zero(invoice.currency))
        coupons = _coupons(invoice, amount, _money(precise_coupons, invoice.currency) if net is None else amount - net)
    return Credited(
        items=items,
        groups=groups,
        coupons=coupons,
        precise_coupons=precise_coupons,
        precise_taxes=precise,
        taxes_rate=money.round_half_up(rate, _RATE_PLACES),
        amount=Taxed.of(net=amount - coupons, tax=taxes),
    )


def limits(*, invoice: BilledInvoice, total: Money) -> Limits:
    """Return the most that a note of this total may give back each way: never refund what was not paid."""
    return Limits(
        creditable=total, refundable=min(invoice.refundable, total), offsettable=min(max(invoice.due, total * 0), total)
    )


def split(*, total: Money, limits: Limits, wanted: Split) -> Split:
    """Send a total where it is wanted. A difference of one minor unit is taken by the first part that is not zero.

    Raises NotCreditable when the parts are not the total (`does_not_match_item_amounts`), when a refund is more than
    was paid, or an offset more than is due.
    """
    currency = total.currency.code
    if wanted.total.amount <= 0:
        raise NotCreditable(
            "total_amount_must_be_positive",
            "A credit note gives something back.",
            {"base": ["total_amount_must_be_positive"]},
        )
    difference = total - wanted.total
    if abs(money.to_minor(difference)) > 1:
        raise NotCreditable(
            "does_not_match_item_amounts",
            f"The items come to {total}, the parts to {wanted.total}.",
            {"base": ["does_not_match_item_amounts"]},
        )
    parts = [wanted.credit, wanted.refund, wanted.offset]
    taker = next(index for index, part in enumerate(parts) if part.amount > 0)
    parts[taker] += difference
    found = Split(credit=parts[0], refund=parts[1], offset=parts[2])
    if found.credit > limits.creditable:
        code = "higher_than_remaining_invoice_amount" if limits.creditable else "cannot_credit_invoice"
        raise NotCreditable(code, "It pays no later invoices.", {"credit_amount_cents": [code]})
    excess = max(found.refund - limits.refundable, money.zero(currency))
    if excess and (excess > difference or not limits.refundable or not limits.creditable):
        code = "higher_than_remaining_invoice_amount" if limits.refundable else "cannot_refund_unpaid_invoice"
        raise NotCreditable(code, f"No more than {limits.refundable} was paid.", {"refund_amount_cents": [code]})
    over = max(found.offset - limits.offsettable, money.zero(currency))
    if over and (over > difference or not limits.offsettable or not limits.creditable):
        code = "higher_than_remaining_invoice_amount" if limits.offsettable else "cannot_apply_to_paid_invoice"
        raise NotCreditable(code, f"No more than {limits.offsettable} is due.", {"offset_amount_cents": [code]})
    return Split(credit=found.credit + excess + over, refund=found.refund - excess, offset=found.offset - over)


def usual(*, total: Money, limits: Limits) -> Split:
    """Return where a total goes when nobody says it: credit, else a refund, else off what is due, as far as allowed."""
    credit = min(total, limits.creditable)
    refund = min(total - credit, limits.refundable)
    return Split(credit=credit, refund=refund, offset=total - credit - refund)


def unused(*, total: Money, limits: Limits, destination: str, paid_share: Decimal, used: Decimal) -> Split:
    """Send what is given back for unused time where the customer wants it: credit, refund or offset.

    ``paid_share`` is what was paid of the line and ``used`` what was used of it, both gross in major units. Refunded is
    what was paid beyond what was used; the rest is credit, or with `offset` lowers what is due, as far as that goes.
    Raises NotCreditable for another destination.
    """
    nothing = money.zero(total.currency.code)
    if destination == "credit":
        return Split(credit=total, refund=nothing, offset=nothing)
    if destination not in {"refund", "offset"}:
        raise NotCreditable(
            "invalid_value", f"{destination} is no way to give back.", {"destination": ["invalid_value"]}
        )
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        overpaid = _money(paid_share - used, total.currency.code)
    refund = max(min(overpaid, limits.refundable), nothing)
    rest = total - refund
    offset = min(rest, limits.offsettable) if destination == "offset" else nothing
    return Split(credit=rest - offset, refund=refund, offset=offset)


def use(*, total: Money, balances: Sequence[Money]) -> list[Money]:
    """Pay an invoice with credits, in their order; return what is taken of each."""
    taken = []
    for balance in balances:
        amount = min(balance, total)
        total -= amount
        taken.append(amount)
    return taken


def refunded_share(*, paid: Money, line_gross: Decimal, invoice_gross: Money) -> Decimal:
    """Return what was paid of a line when an invoice was paid in part: its share by gross amount, unrounded."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return paid.amount * line_gross / invoice_gross.amount if invoice_gross else Decimal(0)


def _item(lines: Mapping[int, BilledLine], line_id: int, amount: Decimal) -> Item:
    line = lines.get(line_id)
    if line is None:
        raise NotCreditable("fee_not_found", "The line is not on this invoice.", {"items": ["fee_not_found"]})
    currency = line.amount.currency.code
    if amount <= 0:
        raise NotCreditable("invalid_value", "An item is more than nothing.", {"amount_cents": ["invalid_value"]})
    rounded = _money(amount, currency)
    if amount > line.left_precise and rounded > line.left:
        raise NotCreditable(
            "higher_than_remaining_fee_amount",
            f"No more than {line.left} is left of the line.",
            {"amount_cents": ["higher_than_remaining_fee_amount"]},
        )
    if rounded >= line.left or amount >= line.left_precise:
        return Item(line_id=line_id, precise=line.left_precise or amount, amount=line.left)
    return Item(line_id=line_id, precise=amount, amount=rounded)


def _exhausts(invoice: BilledInvoice, items: Sequence[Item]) -> bool:
    taken = {item.line_id: item.amount for item in items}
    return all(line.left == taken.get(line.id, line.left * 0) for line in invoice.lines if line.amount.amount > 0)


def _coupons(invoice: BilledInvoice, amount: Money, wanted: Money) -> Money:
    """Keep the share of the coupons where the notes to come can still take the rest of them off their items."""
    left = invoice.coupons - invoice.coupons_credited
    nothing = money.zero(invoice.currency)
    creditable = sum((line.left for line in invoice.lines if line.amount.amount > 0), nothing)
    return min(max(wanted, left - (creditable - amount), nothing), left, amount)


def _group(tax: TaxRate, base: Decimal, owed: Decimal, currency: str) -> TaxGroup:
    return TaxGroup(tax=tax, base=_money(base, currency), amount=_money(owed, currency))


def _money(amount: Decimal, currency: str) -> Money:
    return Money(money.quantize(amount, currency=currency), currency)
