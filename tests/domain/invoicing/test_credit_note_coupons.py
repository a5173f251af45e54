"""Credit notes on invoices with coupons: their share, the tax after it, and all notes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import money
from invoicing.domain import credit_note_shares, credit_notes
from invoicing.domain.credit_notes import BilledInvoice, BilledLine, Credited, Limits, NotCreditable, Split
from invoicing.domain.tax import TaxRate

Row = tuple[Decimal, Decimal, tuple[TaxRate, ...]]
"""What a line came to, what coupons took off it, and its taxes."""


def rate(percent: str, number: int = 1) -> TaxRate:
    return TaxRate(id=number, code=f"t{number}", name=f"T{number}", rate=Decimal(percent) / 100)


VAT = (rate("20"),)


def billed(rows: Sequence[Row], *, currency: str = "EUR", paid: str = "0") -> BilledInvoice:
    def amount(value: Decimal) -> Money:
        return Money(money.quantize(value, currency=currency), currency)

    tax = sum(((net - off) * tax.rate for net, off, taxes in rows for tax in taxes), Decimal(0))
    return BilledInvoice(
        currency=currency,
        lines=tuple(
            BilledLine(
                id=number,
                amount=amount(net),
                taxes=taxes,
                credited=money.zero(currency),
                credited_precise=Decimal(0),
                coupons=off,
            )
            for number, (net, off, taxes) in enumerate(rows, start=1)
        ),
        taxes=amount(tax),
        taxes_credited=money.zero(currency),
        taxes_credited_precise=Decimal(0),
        coupons=amount(sum((off for _, off, _ in rows), Decimal(0))),
        coupons_credited=money.zero(currency),
        refundable=amount(Decimal(paid)),
        due=money.zero(currency),
    )


def after(invoice: BilledInvoice, note: Credited) -> BilledInvoice:
    """The invoice as the next credit note finds it."""
    taken = {item.line_id: item for item in note.items}
    return replace(
        invoice,
        lines=tuple(
            replace(
                line,
                credited=line.credited + taken[line.id].amount,
                credited_precise=line.credited_precise + taken[line.id].precise,
            )
            if line.id in taken
            else line
            for line in invoice.lines
        ),
        taxes_credited=invoice.taxes_credited + note.amount.tax,
        taxes_credited_precise=invoice.taxes_credited_precise + note.precise_taxes,
        coupons_credited=invoice.coupons_credited + note.coupons,
    )


@pytest.mark.parametrize(
    ("wanted", "coupons", "net", "tax"),
    [
        # 100 and 50 with a coupon of 15: 10 and 5. Half of the first line: 50 − 5 = 45, × 20 % = 9
        ({1: "50"}, "5", "45", "9"),
        ({2: "50"}, "5", "45", "9"),
        # 33.33 × 10 / 100 = 3.333; (33.33 − 3.333) × 20 % = 5.9994
        ({1: "33.33"}, "3.33", "30.00", "6.00"),
        ({1: "100", 2: "50"}, "15", "135", "27"),
    ],
)
def test_items_give_back_their_share_of_the_coupons(wanted: dict[int, str], coupons: str, net: str, tax: str) -> None:
    invoice = billed([(Decimal(100), Decimal(10), VAT), (Decimal(50), Decimal(5), VAT)])

    note = credit_notes.credit(invoice=invoice, wanted={line: Decimal(amount) for line, amount in wanted.items()})

    assert (note.coupons.amount, note.amount.net.amount, note.amount.tax.amount) == (
        Decimal(coupons),
        Decimal(net),
        Decimal(tax),
    )
    assert note.groups[0].base == note.amount.net


def test_the_last_note_takes_the_rest_of_the_coupons() -> None:
    # a coupon of 1 over three lines of 1: 0.33333 each
    third = Decimal("0.3333333")
    invoice = billed([(Decimal(1), third, ()), (Decimal(1), third, ()), (Decimal(1), third, ())])
    notes = []
    for line in (1, 2, 3):
        notes.append(credit_notes.credit(invoice=invoice, wanted={line: Decimal(1)}))
        invoice = after(invoice, notes[-1])

    assert [note.coupons.amount for note in notes] == [Decimal("0.33"), Decimal("0.33"), Decimal("0.34")]
    assert sum(note.amount.net.amount for note in notes) == 2


def test_no_note_takes_more_of_the_coupons_than_is_left() -> None:
    # a coupon of 2 yen over four lines of 10: half a yen each, which rounds up for the first two
    rows: list[Row] = [(Decimal(10), Decimal("0.5"), ())] * 4
    invoice = billed(rows, currency="JPY")
    taken = []
    for line in (1, 2, 3, 4):
        note = credit_notes.credit(invoice=invoice, wanted={line: Decimal(10)})
        taken.append(note.coupons.amount)
        invoice = after(invoice, note)

    assert taken == [1, 1, 0, 0]


def test_a_line_that_coupons_paid_gives_nothing_back() -> None:
    invoice = billed([(Decimal(10), Decimal(10), VAT), (Decimal(10), Decimal(0), VAT)])

    note = credit_notes.credit(invoice=invoice, wanted={1: Decimal(10)})

    assert note.amount.gross.amount == 0
    assert note.taxes_rate == 0
    with pytest.raises(NotCreditable) as refusal:
        credit_notes.split(
            total=note.amount.gross,
            limits=credit_notes.limits(invoice=invoice, total=note.amount.gross),
            wanted=Split(note.amount.gross, note.amount.gross, note.amount.gross),
        )
    assert refusal.value.code == "total_amount_must_be_positive"


RATES = (rate("19", 1), rate("7", 2), rate("20.6", 3))


@st.composite
def invoices(draw: st.DrawFn) -> BilledInvoice:
    """Lines in a currency of 0, 2 or 3 decimals, with coupons of whole minor units spread by what the lines come to."""
    currency = draw(st.sampled_from(["JPY", "EUR", "BHD"]))
    places = money.exponent(currency)
    cents = draw(st.lists(st.integers(1, 30_000), min_size=1, max_size=4))
    coupon = draw(st.integers(0, sum(cents)))
    lines = []
    for minor in cents:
        share = money.floor_to(Decimal(coupon) * minor / sum(cents), 5)
        taxes = draw(st.lists(st.sampled_from(RATES), unique=True, max_size=3))
        lines.append((Decimal(minor).scaleb(-places), share.scaleb(-places), tuple(taxes)))
    return replace(billed(lines, currency=currency), coupons=money.from_minor(coupon, currency))


@settings(max_examples=200, deadline=None)
@given(
    invoice=invoices(),
    steps=st.lists(st.tuples(st.integers(1, 4), st.decimals(min_value=0, max_value=1, places=4)), max_size=8),
)
def test_all_notes_together_give_back_exactly_what_was_billed(
    invoice: BilledInvoice, steps: list[tuple[int, Decimal]]
) -> None:
    start, notes = invoice, []
    for number, share in steps:
        line = next((line for line in invoice.lines if line.id == number), None)
        amount = credit_notes.truncated(line.left_precise * share, currency=invoice.currency) if line else Decimal(0)
        if amount > 0:
            notes.append(credit_notes.credit(invoice=invoice, wanted={number: amount}))
            invoice = after(invoice, notes[-1])
        assert invoice.taxes_credited <= invoice.taxes
        assert invoice.coupons_credited <= invoice.coupons
    rest = {line.id: line.left_precise for line in invoice.lines if line.left_precise}
    if rest:
        notes.append(credit_notes.credit(invoice=invoice, wanted=rest))

    nothing = money.zero(start.currency)
    net = sum((line.amount for line in start.lines), nothing) - start.coupons
    assert sum((note.amount.net for note in notes), nothing) == net
    assert sum((note.amount.tax for note in notes), nothing) == start.taxes
    assert all(note.amount.tax >= nothing and note.amount.net >= nothing for note in notes)
    assert all(note.coupons >= nothing for note in notes)


@settings(max_examples=150, deadline=None)
@given(invoice=invoices(), percent=st.integers(1, 130))
def test_a_net_amount_is_given_back_exactly(invoice: BilledInvoice, percent: int) -> None:
    nothing = money.zero(invoice.currency)
    whole = sum((line.amount for line in invoice.lines), nothing) - invoice.coupons
    wanted_net = money.from_minor(money.to_minor(whole) * percent // 100, invoice.currency)

    items, net = credit_note_shares.items_of_net(invoice=invoice, net=wanted_net)

    assert net == min(wanted_net, whole)
    if items:
        note = credit_notes.credit(invoice=invoice, wanted=items, net=net)
        assert note.amount.net == net
        assert nothing <= note.coupons <= invoice.coupons


def test_the_largest_lines_give_back_first() -> None:
    # coupons take a tenth of both: 45 of the net come from 50 of the larger line
    invoice = billed([(Decimal(20), Decimal(2), VAT), (Decimal(100), Decimal(10), VAT)])

    items, net = credit_note_shares.items_of_net(invoice=invoice, net=Money(45, "EUR"))

    assert (items, net) == ({2: Decimal(50)}, Money(45, "EUR"))
    assert credit_note_shares.items_of_net(invoice=invoice, net=Money(0, "EUR")) == ({}, Money(0, "EUR"))


def test_prepaid_credit_is_no_credit_for_later_invoices() -> None:
    total, nothing = Money(10, "EUR"), Money(0, "EUR")
    sold = Limits(creditable=nothing, refundable=total, offsettable=nothing)

    assert credit_notes.usual(total=total, limits=sold) == Split(nothing, total, nothing)
    assert credit_notes.usual(total=total, limits=Limits(nothing, nothing, total)).offset == total
    assert credit_notes.usual(total=total, limits=Limits(total, total, total)).credit == total
    with pytest.raises(NotCreditable) as refusal:
        credit_notes.split(total=total, limits=sold, wanted=Split(total, nothing, nothing))
    assert refusal.value.code == "cannot_credit_invoice"
