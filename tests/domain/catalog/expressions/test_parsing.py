"""Reading expressions: what is refused, and where."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.domain.expressions import parsing
from catalog.domain.expressions.syntax import MAX_DEPTH, MAX_LENGTH, InvalidExpression, Part


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("", 1, "a value is expected"),
        ("   ", 4, "a value is expected"),
        ("1 +", 4, "a value is expected"),
        ("1 + * 2", 5, "a value is expected"),
        ("1 2", 3, "an operator is expected before 2"),
        ("12abc", 3, "an operator is expected before abc"),
        ("1.", 2, ". means nothing here"),
        (".5", 1, ". means nothing here"),
        ("1e3", 2, "an operator is expected before e3"),
        ("(1 + 2", 7, ") is expected"),
        ("1 + 2)", 6, "an operator is expected before )"),
        ("2 ** 3", 4, "a value is expected"),
        ("+1", 1, "a value is expected"),
        ("1 % 2", 3, "% means nothing here"),
        ("'open", 1, "the text has no closing quote"),
        ('"double"', 1, '" means nothing here'),
        ("1 + 'open", 5, "the text has no closing quote"),
        ("bytes", 1, "bytes means nothing: texts stand in quotes"),
        ("1 + properties.bytes", 5, "properties.bytes means nothing: texts stand in quotes"),
        ("event", 1, "only event.code, event.timestamp and event.properties.name are known of an event"),
        ("event.id", 1, "only event.code, event.timestamp and event.properties.name are known of an event"),
        ("event.properties", 1, "only event.code, event.timestamp and event.properties.name are known of an event"),
        ("event.properties.a.b", 1, "only event.code, event.timestamp and event.properties.name are known of an event"),
        ("event.properties.", 17, ". means nothing here"),
        ("ROUND()", 7, "a value is expected"),
        ("ROUND(1, 2, 3)", 13, "ROUND takes a value and digits, nothing more"),
        ("ROUND(1", 8, ") is expected"),
        ("LEAST(1,)", 9, "a value is expected"),
        ("SQRT(4)", 1, "there is no function SQRT"),
        ("1 + __import__('os')", 5, "there is no function __import__"),
        ("ROUND", 1, "ROUND means nothing: texts stand in quotes"),
        ("1" * 31, 1, "a number has at most 30 digits on either side"),
        ("1 + 0." + "1" * 31, 5, "a number has at most 30 digits on either side"),
        ("1;2", 2, "; means nothing here"),
        ("é + 1", 1, "é means nothing: texts stand in quotes"),
    ],
)
def test_a_bad_expression_is_refused_with_the_position_of_its_fault(text: str, position: int, problem: str) -> None:
    with pytest.raises(InvalidExpression) as caught:
        parsing.parse(text)
    assert (caught.value.position, caught.value.problem) == (position, problem)
    assert caught.value.details["expression"] == ["invalid_expression"]
    assert caught.value.details["expression_position"] == [str(position)]


def test_expressions_are_bounded_in_length_and_depth() -> None:
    wide = "+".join(["1"] * (MAX_LENGTH // 2))
    assert isinstance(parsing.parse(wide), Part)
    with pytest.raises(InvalidExpression) as too_long:
        parsing.parse("1" + " " * MAX_LENGTH)
    assert too_long.value.position == MAX_LENGTH + 1
    # The innermost value is a level too.
    levels = MAX_DEPTH - 1
    assert isinstance(parsing.parse("(" * levels + "1" + ")" * levels), Part)
    for opening in ("(", "-", "ROUND("):
        with pytest.raises(InvalidExpression) as too_deep:
            parsing.parse(opening * MAX_DEPTH + "1" + ")" * MAX_DEPTH)
        assert too_deep.value.problem == f"an expression has at most {MAX_DEPTH} levels"


@given(st.text(alphabet="0129.'+-*/(), eventproisc_RONDCAT\n\t\x00é²", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_either_read_or_refused_at_a_place_in_it(text: str) -> None:
    try:
        position = parsing.parse(text).position
    except InvalidExpression as refusal:
        position = refusal.position
    assert 1 <= position <= len(text) + 1
