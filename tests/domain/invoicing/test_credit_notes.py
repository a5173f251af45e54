"""Credit notes in figures: rounding, tax, limits, where the total goes; never more than was billed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import money
from invoicing.domain import credit_notes, totals
from invoicing.domain import tax as tax_rules
from invoicing.domain.credit_notes import BilledInvoice, BilledLine, Limits, NotCreditable, Split
from invoicing.domain.tax import TaxRate


def eur(amount: str | Decimal | int) -> Money:
    return Money(Decimal(amount), "EUR")


def rate(percent: str, number: int = 1) -> TaxRate:
    return TaxRate(id=number, code=f"t{number}", name=f"T{number}", rate=Decimal(percent) / 100)


def billed(
    lines: Sequence[tuple[str | Decimal, Sequence[TaxRate]]], *, paid: str = "0", due: str | None = None
) -> BilledInvoice:
    whole = totals.total(lines=[(eur(amount), rates) for amount, rates in lines], currency="EUR")
    return BilledInvoice(
        currency="EUR",
        lines=tuple(
            BilledLine(id=number, amount=eur(amount), taxes=tuple(rates), credited=eur(0), credited_precise=Decimal(0))
            for number, (amount, rates) in enumerate(lines, start=1)
        ),
        taxes=whole.amount.tax,
        taxes_credited=eur(0),
        taxes_credited_precise=Decimal(0),
        coupons=eur(0),
        coupons_credited=eur(0),
        refundable=eur(paid),
        due=whole.amount.gross - eur(paid) if due is None else eur(due),
    )


def after(invoice: BilledInvoice, note: credit_notes.Credited) -> BilledInvoice:
    """The invoice as the next credit note finds it."""
    taken = {item.line_id: item for item in note.items}
    return BilledInvoice(
        currency=invoice.currency,
        lines=tuple(
            line
            if line.id not in taken
            else BilledLine(
                id=line.id,
                amount=line.amount,
                taxes=line.taxes,
                credited=line.credited + taken[line.id].amount,
                credited_precise=line.credited_precise + taken[line.id].precise,
            )
            for line in invoice.lines
        ),
        taxes=invoice.taxes,
        taxes_credited=invoice.taxes_credited + note.amount.tax,
        taxes_credited_precise=invoice.taxes_credited_precise + note.precise_taxes,
        coupons=invoice.coupons,
        coupons_credited=invoice.coupons_credited + note.coupons,
        refundable=invoice.refundable,
        due=invoice.due,
    )


@pytest.mark.parametrize(
    ("line", "percent", "wanted", "net", "tax", "gross"),
    [
        # 200.00 × 29 / 30 = 193.33333…; × 25 % = 48.33333…: both round down, so the sum is 241.66 and not 241.67
        ("200.00", "25", "193.3333333", "193.33", "48.33", "241.66"),
        ("68.33", "20", "68.33", "68.33", "13.67", "82.00"),  # 13.666
        ("31.00", "20", "16", "16.00", "3.20", "19.20"),
        ("10.00", "20", "10", "10.00", "2.00", "12.00"),
        ("100.00", "0", "23.71", "23.71", "0.00", "23.71"),
        ("50.00", "19", "0.004", "0.00", "0.00", "0.00"),  # less than half a cent
        ("50.00", "19", "0.005", "0.01", "0.00", "0.01"),  # half a cent is rounded up, its tax of 0.00095 down
    ],
)
def test_a_line_is_given_back(line: str, percent: str, wanted: str, net: str, tax: str, gross: str) -> None:
    amount = credit_notes.truncated(Decimal(wanted), currency="EUR")
    # a second line, so that the first one never exhausts the invoice
    note = credit_notes.credit(invoice=billed([(line, [rate(percent)]), ("7", [rate(percent)])]), wanted={1: amount})

    assert (note.amount.net, note.amount.tax, note.amount.gross) == (eur(net), eur(tax), eur(gross))
    assert note.taxes_rate == Decimal(percent) / 100


def test_the_last_note_takes_the_rest_of_the_tax() -> None:
    invoice = billed([("68.33", [rate("20")]), ("68.33", [rate("20")])])  # tax 27.332: 27.33

    first = credit_notes.credit(invoice=invoice, wanted={1: Decimal("68.33")})
    second = credit_notes.credit(invoice=after(invoice, first), wanted={2: Decimal("68.33")})

    assert (first.amount.tax, first.precise_taxes) == (eur("13.67"), Decimal("13.6660"))
    assert (second.amount.tax, second.precise_taxes) == (eur("13.66"), Decimal("13.6620"))  # less 13.67 - 13.666
    assert first.amount.gross + second.amount.gross == eur("163.99")


def test_several_taxes_are_one_group_each() -> None:
    a, b = rate("10", 1), rate("5", 2)
    invoice = billed([("100", [a, b]), ("50", [a]), ("9", [])])

    note = credit_notes.credit(invoice=invoice, wanted={1: Decimal(60), 2: Decimal("12.34"), 3: Decimal(1)})

    groups = {group.tax.code: (group.base, group.amount) for group in note.groups}
    assert groups == {"t1": (eur("72.34"), eur("7.23")), "t2": (eur("60"), eur("3.00"))}
    assert note.amount.tax == eur("10.23")  # 7.234 + 3
    assert note.taxes_rate == Decimal("0.13954186")  # 10.234 / 73.34


def test_truncation_keeps_five_decimals_of_a_minor_unit() -> None:
    assert credit_notes.truncated(Decimal("193.33333399"), currency="EUR") == Decimal("193.3333339")
    assert credit_notes.truncated(Decimal("193.999999"), currency="JPY") == Decimal("193.99999")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({}, "items_missing"),
        ({9: Decimal(1)}, "fee_not_found"),
        ({1: Decimal(0)}, "invalid_value"),
        ({1: Decimal(-1)}, "invalid_value"),
        ({1: Decimal("10.01")}, "higher_than_remaining_fee_amount"),
    ],
)
def test_what_cannot_be_given_back(wanted: dict[int, Decimal], code: str) -> None:
    with pytest.raises(NotCreditable) as refusal:
        credit_notes.credit(invoice=billed([("10", [])]), wanted=wanted)

    assert refusal.value.code == code


def test_limits() -> None:
    invoice = billed([("68.33", [rate("20")]), ("68.33", [rate("20")])], paid="5")

    found = credit_notes.limits(invoice=invoice, total=eur("82"))

    assert found == Limits(creditable=eur("82"), refundable=eur("5"), offsettable=eur("82"))


LIMITS = Limits(creditable=eur("82.00"), refundable=eur("5.00"), offsettable=eur("40.00"))


def parts(credit: str = "0", refund: str = "0", offset: str = "0") -> Split:
    return Split(credit=eur(credit), refund=eur(refund), offset=eur(offset))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (parts("82"), parts("82")),
        (parts("77", "5"), parts("77", "5")),
        (parts("37", "5", "40"), parts("37", "5", "40")),
        (parts("82.01"), parts("82")),  # a cent off: the first part takes it
        (parts("76.99", "5"), parts("77", "5")),
        (parts("0", "5", "76.99"), None),
    ],
)
def test_the_total_goes_where_it_is_wanted(wanted: Split, found: Split | None) -> None:
    if found is None:
        with pytest.raises(NotCreditable):
            credit_notes.split(total=eur("82.00"), limits=LIMITS, wanted=wanted)
        return
    assert credit_notes.split(total=eur("82.00"), limits=LIMITS, wanted=wanted) == found


@pytest.mark.parametrize(
    ("wanted", "limits", "code"),
    [
        (parts(), LIMITS, "total_amount_must_be_positive"),
        (parts("82.02"), LIMITS, "does_not_match_item_amounts"),
        (parts("76.50", "5.50"), LIMITS, "higher_than_remaining_invoice_amount"),
        (parts("41", "0", "41"), LIMITS, "higher_than_remaining_invoice_amount"),
        (parts("81", "1"), Limits(eur("82"), eur(0), eur("40")), "cannot_refund_unpaid_invoice"),
        (parts("81", "0", "1"), Limits(eur("82"), eur("82"), eur(0)), "cannot_apply_to_paid_invoice"),
    ],
)
def test_parts_that_are_refused(wanted: Split, limits: Limits, code: str) -> None:
    with pytest.raises(NotCreditable) as refusal:
        credit_notes.split(total=eur("82.00"), limits=limits, wanted=wanted)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("destination", "paid", "used", "limits", "found"),
    [
        ("credit", "120", "24", ("96", "120", "0"), parts("96")),
        ("refund", "120", "24", ("96", "120", "0"), parts("0", "96")),  # paid in full: 120 - 24
        ("refund", "50", "24", ("96", "50", "70"), parts("70", "26")),  # 50 - 24
        ("refund", "20", "24", ("96", "20", "100"), parts("96")),  # nothing beyond what was used
        ("offset", "50", "24", ("96", "50", "70"), parts("0", "26", "70")),
        ("offset", "20", "24", ("96", "20", "90"), parts("6", "0", "90")),  # no more off than is due
        ("refund", "120", "0", ("96", "120", "0"), parts("0", "96")),  # never more than the total
    ],
)
def test_unused_time(destination: str, paid: str, used: str, limits: tuple[str, str, str], found: Split) -> None:
    creditable, refundable, offsettable = limits
    bounds = Limits(eur(creditable), min(eur(refundable), eur(creditable)), min(eur(offsettable), eur(creditable)))

    split = credit_notes.unused(
        total=eur("96"), limits=bounds, destination=destination, paid_share=Decimal(paid), used=Decimal(used)
    )

    assert split == found
    assert split.total == eur("96")


def test_an_unknown_destination_is_refused() -> None:
    with pytest.raises(NotCreditable):
        credit_notes.unused(total=eur(1), limits=LIMITS, destination="skip", paid_share=Decimal(0), used=Decimal(0))


def test_credits_pay_in_their_order() -> None:
    assert credit_notes.use(total=eur("10"), balances=[eur("4"), eur("7"), eur("3")]) == [eur("4"), eur("6"), eur("0")]
    assert credit_notes.use(total=eur("0"), balances=[eur("4")]) == [eur("0")]


def test_what_was_paid_of_a_line() -> None:
    # 60 paid of 240, the line is 120 of it: 60 × 120 / 240
    paid = credit_notes.refunded_share(paid=eur("60"), line_gross=Decimal(120), invoice_gross=eur("240"))
    assert paid == Decimal(30)
    assert credit_notes.refunded_share(paid=eur("0"), line_gross=Decimal(0), invoice_gross=eur("0")) == 0


AMOUNTS = st.decimals(min_value="0.01", max_value="300", places=2)
RATES = st.lists(st.sampled_from([rate("19", 1), rate("7", 2), rate("20.6", 3)]), unique=True, max_size=2)


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(st.tuples(AMOUNTS, RATES), min_size=1, max_size=4),
    steps=st.lists(st.tuples(st.integers(1, 4), st.decimals(min_value=0, max_value=1, places=4)), max_size=8),
)
def test_all_notes_together_give_back_exactly_what_was_billed(
    lines: list[tuple[Decimal, list[TaxRate]]], steps: list[tuple[int, Decimal]]
) -> None:
    invoice = start = billed(lines)
    notes = []
    for number, share in steps:
        line = next((line for line in invoice.lines if line.id == number), None)
        if line is None:
            continue
        amount = credit_notes.truncated(line.left_precise * share, currency="EUR")
        if amount > 0:
            notes.append(credit_notes.credit(invoice=invoice, wanted={number: amount}))
            invoice = after(invoice, notes[-1])
        assert invoice.taxes_credited <= invoice.taxes
        assert all(line.credited <= line.amount for line in invoice.lines)
    rest = {line.id: line.left_precise for line in invoice.lines if line.left_precise}
    if rest:
        notes.append(credit_notes.credit(invoice=invoice, wanted=rest))

    whole = sum((line.amount for line in start.lines), eur(0)) + start.taxes
    assert sum((note.amount.gross for note in notes), eur(0)) == whole
    assert all(note.amount.tax >= eur(0) and note.amount.net >= eur(0) for note in notes)


@given(
    prices=st.lists(st.integers(1, 10**6), min_size=1, max_size=4),
    percent=st.sampled_from(["0.07", "0.19", "0.2", "0.255"]),
)
def test_of_prices_that_include_taxes_each_gives_back_itself(prices: list[int], percent: str) -> None:
    taxes = (TaxRate(id=1, code="t", name="T", rate=Decimal(percent)),)
    gross = [money.from_minor(price, "EUR") for price in prices]
    nets = [money.rounded(Money(tax_rules.net_of(gross=one.amount, taxes=taxes), "EUR")) for one in gross]
    whole = totals.total(lines=[(net, taxes) for net in nets], currency="EUR", gross=gross).amount
    invoice = BilledInvoice(
        currency="EUR",
        lines=tuple(
            BilledLine(
                id=number, amount=net, taxes=taxes, credited=eur(0), credited_precise=Decimal(0),
                included_taxes=price.amount - net.amount,
            )
            for number, (net, price) in enumerate(zip(nets, gross, strict=True))
        ),
        taxes=whole.tax, taxes_credited=eur(0), taxes_credited_precise=Decimal(0), coupons=eur(0),
        coupons_credited=eur(0), refundable=eur(0), due=whole.gross,
    )  # fmt: skip
    for line, price in zip(invoice.lines, gross, strict=True):
        if line.amount:
            note = credit_notes.credit(invoice=invoice, wanted={line.id: line.amount.amount})
            assert note.amount.gross == price
            assert note.groups[0].amount == note.amount.tax
    wanted = {line.id: line.amount.amount for line in invoice.lines if line.amount}
    if wanted:
        assert credit_notes.credit(invoice=invoice, wanted=wanted).amount.gross == sum(gross, eur(0))
