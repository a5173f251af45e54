"""What corrects an invoice: the fewest documents for each thing that is wrong, and where the money goes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from moneyed import Money

from config.kernel import errors
from invoicing.domain import corrections
from invoicing.domain.corrections import Facts, Fix, Kind, Line, Plan, Priced
from invoicing.domain.credit_notes import Limits


def eur(amount: str | Decimal) -> Money:
    return Money(Decimal(amount), "EUR")


def line(number: int, units: str, unit_amount: str, **values: Any) -> Line:
    billed = eur(Decimal(units) * Decimal(unit_amount))
    defaults: dict[str, Any] = {"billed": billed, "net": billed, "credited": eur("0"), "elsewhere": eur("0")}
    content = {**defaults, "waiting": eur("0"), **values}
    content.setdefault("left", content["net"] - content["credited"])
    return Line(id=number, label=f"Line {number}", units=Decimal(units), unit_amount=Decimal(unit_amount), **content)


def plan(*fixes: Fix, lines: tuple[Line, ...] = (), **values: Any) -> Plan:
    facts = Facts(
        status=values.pop("status", "finalized"),
        kind=values.pop("kind", "subscription"),
        currency="EUR",
        lines=lines or (line(1, "10", "2"), line(2, "1", "50")),
        can_wait=values.pop("can_wait", True),
    )
    return corrections.plan(facts=facts, fixes=fixes, **values)


def told(found: Plan) -> list[tuple[str, list[tuple[int, str, str]]]]:
    return [
        (step.kind.value, [(one.line_id, str(one.difference.amount), str(one.net.amount)) for one in step.changes])
        for step in found.steps
    ]


@pytest.mark.parametrize(
    ("fixes", "values", "steps"),
    [
        # 8 × 2 instead of 20: 4 too much
        ((Fix(1, units=Decimal(8)),), {}, [("credit_note", [(1, "-4.00", "4.00")])]),
        ((Fix(1, not_owed=True),), {}, [("credit_note", [(1, "-20.00", "20.00")])]),
        # 10 × 2.505 = 25.05
        ((Fix(1, unit_amount=Decimal("2.505")),), {}, [("next_invoice", [(1, "5.05", "0.00")])]),
        ((Fix(1, amount=eur("21")),), {"can_wait": False}, [("own_invoice", [(1, "1.00", "0.00")])]),
        ((Fix(1, amount=eur("21")),), {"owed_by": "own_invoice"}, [("own_invoice", [(1, "1.00", "0.00")])]),
        (
            (Fix(1, units=Decimal(9)), Fix(2, amount=eur("60"))),
            {},
            [("credit_note", [(1, "-2.00", "2.00")]), ("next_invoice", [(2, "10.00", "0.00")])],
        ),
        # Where the document itself is wrong one document in its place says everything that is right.
        ((Fix(1, units=Decimal(9)),), {"replaces": True}, [("replacement", [(1, "-2.00", "0.00")])]),
        ((), {"replaces": True}, [("replacement", [])]),
        ((Fix(2, tax_ids=(7,)),), {}, [("replacement", [(2, "0.00", "0.00")])]),
        ((Fix(1, units=Decimal(9)),), {"status": "draft"}, [("adjust", [(1, "-2.00", "0.00")])]),
        ((), {"status": "draft", "replaces": True}, [("refresh", [])]),
    ],
)
def test_the_fewest_documents(fixes: tuple[Fix, ...], values: dict[str, Any], steps: list[Any]) -> None:
    found = told(plan(*fixes, **values))
    assert [(kind, [(one, Decimal(a), Decimal(b)) for one, a, b in rows]) for kind, rows in found] == [
        (kind, [(one, Decimal(a), Decimal(b)) for one, a, b in rows]) for kind, rows in steps
    ]


@pytest.mark.parametrize(
    ("fixes", "values", "code"),
    [
        ((), {}, "nothing_to_correct"),
        ((Fix(1, units=Decimal(10)),), {}, "nothing_to_correct"),
        ((Fix(1),), {}, "value_is_mandatory"),
        ((Fix(1, units=Decimal(1), amount=eur("1")),), {}, "value_is_invalid"),
        ((Fix(1, units=Decimal(1)), Fix(1, units=Decimal(1))), {}, "fee_not_found"),
        ((Fix(9, units=Decimal(1)),), {}, "fee_not_found"),
        ((Fix(1, units=Decimal(-1)),), {}, "value_is_out_of_range"),
        ((Fix(1, amount=Money(1, "USD")),), {}, "currencies_does_not_match"),
        ((Fix(1, amount=eur("30")),), {"owed_by": "next_invoice", "can_wait": False}, "no_next_invoice"),
        ((Fix(1, amount=eur("30")),), {"owed_by": "x"}, "value_is_invalid"),
        ((Fix(1, amount=eur("30")),), {"kind": "credit"}, "not_correctable"),
        ((), {"kind": "advance_charges", "replaces": True}, "not_correctable"),
        ((Fix(1, units=Decimal(1)),), {"status": "voided"}, "not_correctable"),
        ((Fix(1, units=Decimal(1)),), {"status": "closed"}, "not_correctable"),
        ((Fix(1, tax_ids=(1,)),), {"status": "draft"}, "invalid_status"),
    ],
)
def test_what_is_refused(fixes: tuple[Fix, ...], values: dict[str, Any], code: str) -> None:
    with pytest.raises(errors.DomainError) as refused:
        plan(*fixes, **values)
    assert refused.value.code == code


def test_what_stands_by_now_is_what_counts() -> None:
    # 20.00 billed, 5.00 credited, 3.00 billed later: 18.00 stand.
    known = line(1, "10", "2", credited=eur("5"), elsewhere=eur("3"))

    (step,) = plan(Fix(1, amount=eur("16")), lines=(known,)).steps

    assert (step.kind, step.changes[0].before, step.changes[0].net) == (Kind.CREDIT_NOTE, eur("18"), eur("2"))
    with pytest.raises(corrections.InvalidCorrection) as refused:
        plan(Fix(1, amount=eur("2")), lines=(known,))  # 16.00 less, 15.00 are left
    assert refused.value.code == "higher_than_remaining_fee_amount"


@pytest.mark.parametrize(
    ("right", "steps"),
    [  # 20.00 billed, 3.00 wait
        ("25", [("drop", "5"), ("next_invoice", "5")]),
        ("20", [("drop", "0")]),
        ("1", [("drop", "-19"), ("credit_note", "-19")]),
    ],
)
def test_what_waits_is_dropped_when_something_else_is_right(right: str, steps: list[tuple[str, str]]) -> None:
    found = plan(Fix(1, amount=eur(right)), lines=(line(1, "10", "2", waiting=eur("3")),))
    assert [(step.kind.value, step.changes[0].difference) for step in found.steps] == [
        (kind, eur(difference)) for kind, difference in steps
    ]


def test_a_line_that_was_credited_is_not_billed_again_by_another_invoice() -> None:
    known = line(1, "10", "2", credited=eur("5"), elsewhere=eur("3"))

    (step,) = plan(lines=(known, line(2, "1", "50")), replaces=True).steps

    # 3.00 stay where they were billed.
    assert [(one.line_id, one.own) for one in step.changes] == [(1, eur("15"))]
    assert corrections.edited(change=step.changes[0]) == (Decimal(10), Decimal("1.5"))


def test_prices_that_include_taxes_are_credited_net() -> None:
    # 119.00 with 19 %; 59.50 less is 50.00 net.
    known = line(1, "1", "119", net=eur("100"))
    (step,) = plan(Fix(1, amount=eur("59.50")), lines=(known,)).steps
    assert step.changes[0].net == eur("50")
    (step,) = plan(Fix(1, not_owed=True), lines=(known,)).steps
    assert step.changes[0].net == eur("100")


def test_the_price_that_it_was_billed_by() -> None:
    priced = {1: Priced(units=Decimal(5), unit_amount=Decimal("2.2"), amount=eur("11"))}
    (step,) = plan(Fix(1, units=Decimal(5)), priced=priced).steps
    assert step.changes[0].after == eur("11")


@pytest.mark.parametrize(
    ("total", "creditable", "refundable", "offsettable", "way", "parts"),
    [
        ("12", "12", "0", "12", "credit", ("0", "0", "12")),
        ("12", "12", "0", "12", "refund", ("0", "0", "12")),
        ("12", "12", "12", "0", "credit", ("12", "0", "0")),
        ("12", "12", "12", "0", "refund", ("0", "12", "0")),
        ("12", "12", "5", "4", "refund", ("3", "5", "4")),
        ("12", "0", "12", "0", "credit", ("0", "12", "0")),  # prepaid credit is refunded
    ],
)
def test_where_it_goes(
    total: str, creditable: str, refundable: str, offsettable: str, way: str, parts: tuple[str, str, str]
) -> None:
    limits = Limits(creditable=eur(creditable), refundable=eur(refundable), offsettable=eur(offsettable))
    found = corrections.split(total=eur(total), limits=limits, given_back_by=way)
    assert (found.credit, found.refund, found.offset) == tuple(eur(part) for part in parts)
    assert found.total == eur(total)


_CENTS = some.integers(0, 10_000)


@given(units=some.integers(1, 50), price=_CENTS, right=_CENTS, credited=_CENTS, later=_CENTS)
def test_a_plan_comes_to_what_is_right(units: int, price: int, right: int, credited: int, later: int) -> None:
    billed = Decimal(units * price) / 100
    given_back = min(Decimal(credited) / 100, billed)
    known = line(
        1, str(units), str(Decimal(price) / 100), credited=eur(given_back), elsewhere=eur(Decimal(later) / 100)
    )
    wanted = eur(Decimal(right) / 100)
    if wanted == known.stands or known.stands - wanted > known.left:
        with pytest.raises(errors.DomainError):
            plan(Fix(1, amount=wanted), lines=(known,))
        return
    found = plan(Fix(1, amount=wanted), lines=(known,))
    (change,) = found.changes
    assert known.stands + change.difference == wanted
    assert change.net <= known.left
    if found.steps[0].kind is Kind.CREDIT_NOTE:
        assert change.net == -change.difference
    else:
        each, one = corrections.difference(change=change, line=known)
        assert abs(each * one - change.difference.amount) < Decimal("0.005")
    each, one = corrections.edited(change=change)
    assert abs(each * one - change.own.amount) < Decimal("0.005")
