"""Coupons on an invoice: their order, what they take, and the shares of the lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import money
from invoicing.domain import coupon_trace, coupons
from invoicing.domain.coupons import Billed, Coupon

AT = datetime(2026, 1, 1, tzinfo=UTC)


def fixed(amount: str, currency: str = "EUR", *, key: int = 1, **values: object) -> Coupon:
    return Coupon(id=key, applied_at=AT + timedelta(minutes=key), amount=Money(amount, currency), **values)  # type: ignore[arg-type]


def percent(rate: str, *, key: int = 1, **values: object) -> Coupon:
    return Coupon(id=key, applied_at=AT + timedelta(minutes=key), rate=Decimal(rate), **values)  # type: ignore[arg-type]


def billed(*amounts: str, currency: str = "EUR") -> list[Billed]:
    return [Billed(Money(amount, currency)) for amount in amounts]


def taken(lines: Sequence[Billed], *found: Coupon, currency: str = "EUR") -> list[tuple[int, str, list[str]]]:
    uses = coupons.take(lines=lines, coupons=found, currency=currency)
    return [(use.coupon_id, str(use.amount.amount), [str(share.normalize()) for share in use.shares]) for use in uses]


def test_an_amount_is_spread_over_the_lines_by_what_they_come_to() -> None:
    # 10.00 × 100/200, 50/200, 30/200, 20/200
    found = taken(billed("100", "50", "30", "20"), fixed("10"))

    assert found == [(1, "10", ["5", "2.5", "1.5", "1"])]


def test_shares_have_five_decimals_of_the_minor_unit() -> None:
    # 0.10 / 3 = 0.0333333…, of cents 3.33333
    assert taken(billed("10", "10", "10"), fixed("0.10")) == [(1, "0.10", ["0.0333333"] * 3)]
    # Yen have no smaller unit: 10 / 3 = 3.33333
    assert taken(billed("100", "100", "100", currency="JPY"), fixed("10", "JPY"), currency="JPY") == [
        (1, "10", ["3.33333"] * 3)
    ]
    # Dinars have three: 0.010 / 3 = 3.33333 thousandths
    assert taken(billed("1", "1", "1", currency="BHD"), fixed("0.010", "BHD"), currency="BHD") == [
        (1, "0.010", ["0.00333333"] * 3)
    ]


@pytest.mark.parametrize(
    ("rate", "amount", "whole"),
    [
        ("0.1", "10.05", "1.01"),  # 1.005 is rounded half up
        ("0.155", "3.00", "0.47"),  # 0.465
        ("1", "3.33", "3.33"),
        ("0.001", "1.00", None),  # 0.001 is nothing: the coupon is not used
    ],
)
def test_a_rate_is_rounded_to_the_currency(rate: str, amount: str, whole: str | None) -> None:
    found = taken(billed(amount), percent(rate))

    assert [(one, found_amount) for one, found_amount, _ in found] == ([] if whole is None else [(1, whole)])


def test_an_amount_takes_no_more_than_there_is_and_nothing_in_another_currency() -> None:
    assert taken(billed("6"), fixed("12")) == [(1, "6.00", ["6"])]
    assert taken(billed("6"), fixed("12", "USD")) == []
    assert taken(billed("0"), fixed("12")) == []
    assert taken([], fixed("12")) == []


def test_metrics_go_first_then_plans_then_all_and_the_first_applied_first() -> None:
    everything = [
        percent("0.1", key=1),
        fixed("1", key=2),
        fixed("1", key=3, plans=frozenset({"pro"})),
        fixed("1", key=4, metrics=frozenset({"calls"})),
        fixed("1", key=5, metrics=frozenset({"calls"})),
    ]

    assert [one.id for one in coupons.in_order(everything)] == [4, 5, 3, 1, 2]


def test_percentage_then_amount_and_amount_then_percentage() -> None:
    # 10 % of 100.00, then 20.00 of 90.00; the other way 20.00, then 10 % of 80.00
    assert [amount for _, amount, _ in taken(billed("100"), percent("0.1", key=1), fixed("20", key=2))] == [
        "10.00",
        "20",
    ]
    assert [amount for _, amount, _ in taken(billed("100"), fixed("20", key=1), percent("0.1", key=2))] == [
        "20",
        "8.00",
    ]


def test_a_limited_coupon_lowers_its_lines_alone() -> None:
    lines = [
        Billed(Money("100", "EUR"), plan="pro"),
        Billed(Money("40", "EUR"), plan="pro", metric="calls"),
        Billed(Money("60", "EUR"), plan="basic", metric="calls"),
    ]

    assert taken(lines, percent("0.5", plans=frozenset({"pro"}))) == [(1, "70.00", ["5E+1", "2E+1", "0"])]
    assert taken(lines, fixed("10", metrics=frozenset({"calls"}))) == [(1, "10", ["0", "4", "6"])]
    assert taken(lines, fixed("10", metrics=frozenset({"seats"}))) == []
    # Ten come off usage first, then half of what is left of the plan: (100 + 36) / 2
    assert [
        amount
        for _, amount, _ in taken(
            lines, percent("0.5", key=1, plans=frozenset({"pro"})), fixed("10", key=2, metrics=frozenset({"calls"}))
        )
    ] == ["10", "68.00"]


def test_a_limited_coupon_takes_whole_minor_units_of_what_is_left_of_its_lines() -> None:
    lines = [Billed(Money("1.00", "EUR"), metric="a"), Billed(Money("2.00", "EUR"), metric="b")]
    # The first takes 0.10: 0.0333333 of 1.00; what is left of it, 0.9666667, comes to 96 whole cents.
    found = taken(
        lines, fixed("0.10", key=1, metrics=frozenset({"a", "b"})), fixed("5", key=2, metrics=frozenset({"a"}))
    )

    assert [(one, amount) for one, amount, _ in found] == [(1, "0.10"), (2, "0.96")]


def test_lines_below_nothing_have_no_share_and_lower_what_there_is() -> None:
    # 100 − 30 = 70 is left: an amount of 80 takes 70, all of it off the first line.
    assert taken(billed("100", "-30"), fixed("80")) == [(1, "70.00", ["7E+1", "0"])]
    limited = [Billed(Money("100", "EUR"), plan="pro"), Billed(Money("-30", "EUR"), plan="basic")]
    assert taken(limited, percent("1", plans=frozenset({"pro"}))) == [(1, "70.00", ["7E+1", "0"])]


def test_nothing_is_taken_once_nothing_is_left() -> None:
    assert [one for one, _, _ in taken(billed("5"), fixed("5", key=1), fixed("5", key=2), percent("0.1", key=3))] == [1]


def test_a_coupon_is_an_amount_or_a_rate_and_has_one_limit() -> None:
    with pytest.raises(ValueError, match="an amount or a rate"):
        Coupon(id=1, applied_at=AT)
    with pytest.raises(ValueError, match="plans or to metrics"):
        fixed("1", plans=frozenset({"a"}), metrics=frozenset({"b"}))


AMOUNTS = st.integers(-500, 100_000)
LIMITS = st.sampled_from(
    [{}, {"plans": frozenset({"p1"})}, {"metrics": frozenset({"m1"})}, {"plans": frozenset({"p9"})}]
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[str, list[Billed], list[Coupon]]:
    currency = draw(st.sampled_from(["EUR", "JPY", "BHD"]))
    lines = [
        Billed(
            money.from_minor(draw(AMOUNTS), currency),
            plan=draw(st.sampled_from(["p1", "p2", ""])),
            metric=draw(st.sampled_from(["m1", "m2", ""])),
        )
        for _ in range(draw(st.integers(0, 6)))
    ]
    found = []
    for number in range(draw(st.integers(0, 5))):
        values = {"id": number, "applied_at": AT + timedelta(days=draw(st.integers(0, 3))), **draw(LIMITS)}
        if draw(st.booleans()):
            found.append(Coupon(rate=Decimal(draw(st.integers(1, 1000))) / 1000, **values))
        else:
            found.append(Coupon(amount=money.from_minor(draw(st.integers(1, 50_000)), currency), **values))
    return currency, lines, found


@given(stories())
def test_what_is_taken_is_what_the_lines_share_and_never_more_than_there_is(
    story: tuple[str, list[Billed], list[Coupon]],
) -> None:
    currency, lines, found = story
    uses = coupons.take(lines=lines, coupons=found, currency=currency)
    finest = Decimal(1).scaleb(-money.exponent(currency) - coupons.SHARE_PLACES)
    whole = sum((line.net.amount for line in lines), Decimal(0))
    # A share is at most half of its last decimal off; a line that an earlier coupon left so little of is cut there.
    allowed = finest * (len(lines) or 1) * (len(found) + 1)

    for use in uses:
        assert use.amount.amount > 0
        assert money.to_minor(use.amount)
        assert abs(sum(use.shares) - use.amount.amount) <= allowed
    assert sum(use.amount.amount for use in uses) <= max(whole, Decimal(0))
    for line, share in zip(lines, coupons.shares(uses=uses, lines=len(lines)), strict=True):
        assert 0 <= share <= max(line.net.amount, Decimal(0))
    assert len({use.coupon_id for use in uses}) == len(uses)


@given(stories())
def test_what_is_stored_can_be_computed_again(story: tuple[str, list[Billed], list[Coupon]]) -> None:
    currency, lines, found = story
    by_id = {coupon.id: coupon for coupon in found}
    by_position = dict(enumerate(lines, start=1))
    uses = coupons.take(lines=lines, coupons=found, currency=currency)
    stored = [
        (
            place,
            use.amount,
            coupon_trace.written(coupon=by_id[use.coupon_id], code="c", name="C", use=use, positions=list(by_position)),
        )
        for place, use in enumerate(uses, start=1)
    ]

    assert coupon_trace.agrees(stored=stored, lines=by_position, currency=currency)
    if stored:
        place, amount, trace = stored[0]
        other = amount + money.from_minor(1, currency)
        assert not coupon_trace.agrees(
            stored=[(place, other, trace), *stored[1:]], lines=by_position, currency=currency
        )
