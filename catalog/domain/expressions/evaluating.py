"""Computing an expression for an event. Owns what each part of it means, and how exact figures are.

Sums, differences and products are exact. A quotient has 150 digits; results and what is rounded are taken to 30
decimals first, half up, so that a third times three is one.
"""

from __future__ import annotations

import decimal
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from catalog.domain import decimals, rounding
from catalog.domain.expressions.syntax import (
    MAX_DIGITS,
    Call,
    Chain,
    Constant,
    EventCode,
    EventTimestamp,
    Function,
    Negation,
    Operator,
    Part,
    Property,
    Step,
)
from catalog.domain.rounding import MAX_PRECISION, Rounding, RoundingFunction
from config.kernel import errors, money

MAX_TEXT = 1000

Value = Decimal | str

_PLAIN = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_CONTEXT = decimal.Context(
    prec=150,
    rounding=ROUND_HALF_UP,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
_ROUNDINGS = {
    Function.ROUND: RoundingFunction.ROUND,
    Function.CEIL: RoundingFunction.CEIL,
    Function.FLOOR: RoundingFunction.FLOOR,
}


@dataclass(frozen=True, slots=True)
class Event:
    """What an expression may ask of an event. ``timestamp`` is in Unix seconds, ``properties`` is decoded JSON."""

    code: str
    timestamp: Decimal
    properties: Mapping[str, object]


class NotEvaluable(errors.Invalid):
    """The expression has no value for this event. ``position`` tells the part of the expression that has none."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(
            "invalid_event",
            f"The expression has no value for the event, at character {position}: {problem}.",
            {"event": ["invalid_event"], "expression_position": [str(position)], "expression_problem": [problem]},
        )
        self.problem = problem
        self.position = position


def evaluate(*, expression: Part, event: Event) -> Value:
    """Return the value of an expression for an event: a number of at most 30 digits on either side, or a text.

    A text that is a plain decimal counts as a number wherever a number is asked for. Raises NotEvaluable for a missing
    property, a text or truth value in a calculation, a division by zero, and for what grows too large.
    """
    value = _value(expression, event)
    if isinstance(value, str):
        return _short(value, expression.position)
    return _kept(value, expression.position)


def text(value: Value) -> str:
    """Return a value as a property holds it: numbers in plain digits."""
    return value if isinstance(value, str) else decimals.text(value)


def _value(part: Part, event: Event) -> Value:
    match part.node:
        case Constant(value):
            return value
        case Property(name):
            return _property(name, event.properties.get(name), part.position)
        case Chain(first, steps):
            # As a loop: a sum may have hundreds of terms.
            result = _number(first, event)
            for step in steps:
                result = _calculated(result, step, event)
            return result
        case Negation(operand):
            return _CONTEXT.minus(_number(operand, event))
        case Call(function, arguments):
            return _called(function, arguments, event)
        case EventCode():
            return event.code
        case EventTimestamp():
            return event.timestamp


def _property(name: str, value: object, position: int) -> Value:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    problem = f"the event has no property {name}" if value is None else f"the property {name} is no single value"
    raise NotEvaluable(problem, position)


def _calculated(left: Decimal, step: Step, event: Event) -> Decimal:
    right = _number(step.operand, event)
    match step.operator:
        case Operator.PLUS:
            return _CONTEXT.add(left, right)
        case Operator.MINUS:
            return _CONTEXT.subtract(left, right)
        case Operator.TIMES:
            return _CONTEXT.multiply(left, right)
        case Operator.DIVIDED_BY:
            if not right:
                raise NotEvaluable("a division by zero", step.position)
            return _CONTEXT.divide(left, right)


def _called(function: Function, arguments: tuple[Part, ...], event: Event) -> Value:
    if function is Function.CONCAT:
        return functools.reduce(lambda joined, part: _short(joined + _text(part, event), part.position), arguments, "")
    if function in _ROUNDINGS:
        digits = _digits(arguments[1], event) if len(arguments) > 1 else 0
        figure = _kept(_number(arguments[0], event), arguments[0].position)
        return rounding.apply(value=figure, rounding=Rounding(_ROUNDINGS[function], digits))
    figures = [_number(argument, event) for argument in arguments]
    return min(figures) if function is Function.LEAST else max(figures)


def _number(part: Part, event: Event) -> Decimal:
    value = _value(part, event)
    if isinstance(value, str):
        if not _PLAIN.fullmatch(value):
            raise NotEvaluable(f"“{value[:40]}” is no number", part.position)
        value = Decimal(value)
    # Figures of an event may be of any size; those within bounds keep every calculation small.
    return _kept(value, part.position) if isinstance(part.node, Property) else value


def _text(part: Part, event: Event) -> str:
    value = _value(part, event)
    return value if isinstance(value, str) else decimals.text(_kept(value, part.position))


def _digits(part: Part, event: Event) -> int:
    digits = _kept(_number(part, event), part.position)
    if digits != digits.to_integral_value() or abs(digits) > MAX_PRECISION:
        raise NotEvaluable(f"digits are whole numbers from -{MAX_PRECISION} to {MAX_PRECISION}", part.position)
    return int(digits)


def _kept(value: Decimal, position: int) -> Decimal:
    """Return the figure to 30 decimals, half up. Raises NotEvaluable from 10 ** 30 on, whatever the sign."""
    if not value:
        return Decimal(0)
    if value.is_finite() and value.adjusted() < MAX_DIGITS:
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -MAX_DIGITS:
            return value
        try:
            return money.round_half_up(value, MAX_DIGITS)
        except money.ValueOutOfRange:
            pass  # it was rounded up to 10 ** 30
    raise NotEvaluable("the figure is too large", position)


def _short(value: str, position: int) -> str:
    if len(value) > MAX_TEXT:
        raise NotEvaluable(f"a text has at most {MAX_TEXT} characters", position)
    return value
