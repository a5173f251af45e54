"""The meaning of expressions: figures to the last digit, texts, and what has no value."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.domain.expressions import evaluating, parsing
from catalog.domain.expressions.evaluating import Event, NotEvaluable, Value

PROPERTIES: dict[str, Any] = {
    "cpu": 4,
    "ms": "1500",
    "gb": Decimal("0.1"),
    "padded": "007",
    "word": "eu-west",
    "flag": True,
    "none": None,
    "rows": [1],
    "huge": "1" + "0" * 35,
    "power": "1e3",
    "größe": "12",
}
EVENT = Event(code="requests", timestamp=Decimal("1700000000.5"), properties=PROPERTIES)


def value(text: str) -> Value:
    return evaluating.evaluate(expression=parsing.parse(text), event=EVENT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("100 / 10 / 5", "2"),
        ("2 - -3", "5"),
        ("-2 * 3", "-6"),
        ("--2", "2"),
        ("-event.properties.cpu", "-4"),
        ("-0", "0"),
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "0." + "3" * 30),
        ("2 / 3", "0." + "6" * 29 + "7"),
        ("1 / 3 * 3", "1"),
        ("FLOOR(1 / 3 * 3)", "1"),
        ("event.properties.cpu * 25 * event.properties.ms", "150000"),
        ("event.properties.ms / 1000", "1.5"),
        ("event.properties.gb * 3", "0.3"),
        ("event.properties.größe + 1", "13"),
        ("event.timestamp - 1700000000", "0.5"),
        ("ROUND(2.5)", "3"),
        ("ROUND(-2.5)", "-3"),
        ("ROUND(1.005, 2)", "1.01"),
        ("round(1234.5, -2)", "1200"),
        ("ROUND(2 / 3, 1 + 1)", "0.67"),
        ("CEIL(1.01)", "2"),
        ("Ceil(-1.01)", "-1"),
        ("CEIL(1.001, 2)", "1.01"),
        ("FLOOR(1.99)", "1"),
        ("floor(-1.01)", "-2"),
        ("FLOOR(1999, -3)", "1000"),
        ("LEAST(event.properties.ms, 10.0)", "10"),
        ("GREATEST(event.properties.ms, 10, 2000)", "2000"),
        ("LEAST(3)", "3"),
        ("1\n\t+\r1", "2"),
    ],
)
def test_figures_are_computed_as_on_paper(text: str, expected: str) -> None:
    found = value(text)
    assert isinstance(found, Decimal)
    assert evaluating.text(found) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'eu'", "eu"),
        ("'it''s'", "it's"),
        ("''", ""),
        ("event.code", "requests"),
        ("event.properties.word", "eu-west"),
        ("event.properties.padded", "007"),
        ("event.properties.flag", "true"),
        ("CONCAT(event.properties.word, '-', event.properties.cpu)", "eu-west-4"),
        ("concat(event.code, ':', 1 / 4, event.properties.padded)", "requests:0.25007"),
        ("CONCAT(event.timestamp)", "1700000000.5"),
        # Joined digits are a number for whoever asks for one.
        ("CONCAT('1', '2') + 1", "13"),
    ],
)
def test_texts_are_joined_as_they_are_written(text: str, expected: str) -> None:
    assert evaluating.text(value(text)) == expected


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("1 + event.properties.missing", 5, "the event has no property missing"),
        ("event.properties.none", 1, "the event has no property none"),
        ("CONCAT('a', event.properties.rows)", 13, "the property rows is no single value"),
        ("2 * event.properties.word", 5, "“eu-west” is no number"),
        ("2 * event.properties.flag", 5, "“true” is no number"),
        ("2 * event.properties.power", 5, "“1e3” is no number"),
        ("-'x'", 2, "“x” is no number"),
        ("GREATEST(1, 'x')", 13, "“x” is no number"),
        ("10 / (event.properties.cpu - 4)", 4, "a division by zero"),
        ("event.properties.huge / 100000000", 1, "the figure is too large"),
        (" * ".join(["9999999999"] * 4), 1, "the figure is too large"),
        (" * ".join(["9" * 30] * 50), 1, "the figure is too large"),
        ("ROUND(1, 16)", 10, "digits are whole numbers from -15 to 15"),
        ("ROUND(1, 0.5)", 10, "digits are whole numbers from -15 to 15"),
        ("CEIL(" + "9" * 30 + ", -15)", 1, "the figure is too large"),
        ("9" * 30 + "." + "9" * 30 + " + 1 / 3", 1, "the figure is too large"),
    ],
)
def test_what_has_no_value_is_told_with_its_position(text: str, position: int, problem: str) -> None:
    with pytest.raises(NotEvaluable) as caught:
        value(text)
    assert (caught.value.position, caught.value.problem) == (position, problem)
    assert caught.value.details["event"] == ["invalid_event"]


def test_a_text_may_not_grow_without_bound() -> None:
    long = "CONCAT(" + ", ".join(["event.properties.text"] * 2) + ")"
    event = Event(code="c", timestamp=Decimal(0), properties={"text": "x" * 501})
    with pytest.raises(NotEvaluable, match="at most 1000 characters"):
        evaluating.evaluate(expression=parsing.parse(long), event=event)


figures = st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False)


@given(first=figures, rest=st.lists(st.tuples(st.sampled_from("+-*"), figures), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_sums_differences_and_products_are_exact(first: Decimal, rest: list[tuple[str, Decimal]]) -> None:
    # One level of brackets after the other, so that the plain computation needs no precedence.
    text, expected = f"{first:f}", Fraction(first)
    for operator, figure in rest:
        text = f"({text}) {operator} {figure:f}"
        exact = Fraction(figure)
        expected = {"+": expected + exact, "-": expected - exact, "*": expected * exact}[operator]
    if abs(expected) >= 10**29:
        return
    found = value(text)
    assert isinstance(found, Decimal)
    # Products of six figures have at most 36 decimals, of which 30 are kept.
    assert abs(Fraction(found) - expected) * 2 <= Fraction(1, 10**30)


@given(left=figures, right=figures.filter(bool))
@settings(max_examples=100, deadline=None)
def test_a_quotient_is_right_to_thirty_decimals_and_turns_back(left: Decimal, right: Decimal) -> None:
    found = value(f"{left:f} / {right:f}")
    assert isinstance(found, Decimal)
    assert abs(Fraction(found) - Fraction(left) / Fraction(right)) * 2 <= Fraction(1, 10**30)
    assert value(f"{left:f} / {right:f} * {right:f}") == left
