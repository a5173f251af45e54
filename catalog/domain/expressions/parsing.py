"""Reading an expression. Owns the grammar; every refusal tells the character at which the text stops making sense."""

from __future__ import annotations

import functools
from collections.abc import Callable
from decimal import Decimal

from catalog.domain.expressions import tokens
from catalog.domain.expressions.syntax import (
    MAX_DEPTH,
    MAX_DIGITS,
    Call,
    Chain,
    Constant,
    EventCode,
    EventTimestamp,
    Function,
    InvalidExpression,
    Negation,
    Operator,
    Part,
    Property,
    Step,
)
from catalog.domain.expressions.tokens import Kind, Token

_SUM = (Operator.PLUS, Operator.MINUS)
_PRODUCT = (Operator.TIMES, Operator.DIVIDED_BY)
_WITH_DIGITS = (Function.ROUND, Function.CEIL, Function.FLOOR)
_ATTRIBUTES = "only event.code, event.timestamp and event.properties.name are known of an event"


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Part:
    """Return the expression that a text means. Raises InvalidExpression with the position of the first fault.

    The same text gives the same object as long as it is remembered: events come in by the thousand.
    """
    return _Reader(tokens.cut(text)).read()


class _Reader:
    """Reads words from left to right; each method leaves the place behind what it has read."""

    def __init__(self, words: list[Token]) -> None:
        self.words = words
        self.at = 0
        self.depth = 0

    def read(self) -> Part:
        found = self._sum()
        if self._next.kind is not Kind.END:
            raise InvalidExpression(f"an operator is expected before {self._next.text}", self._next.position)
        return found

    @property
    def _next(self) -> Token:
        return self.words[self.at]

    def _take(self) -> Token:
        found = self.words[self.at]
        self.at += 1
        return found

    def _is(self, sign: str) -> bool:
        return self._next.kind is Kind.SIGN and self._next.text == sign

    def _expect(self, sign: str) -> None:
        if not self._is(sign):
            raise InvalidExpression(f"{sign} is expected", self._next.position)
        self._take()

    def _sum(self) -> Part:
        return self._chain(_SUM, self._product)

    def _product(self) -> Part:
        return self._chain(_PRODUCT, self._value)

    def _chain(self, operators: tuple[Operator, ...], operand: Callable[[], Part]) -> Part:
        first = operand()
        steps = []
        while any(self._is(operator) for operator in operators):
            sign = self._take()
            steps.append(Step(Operator(sign.text), operand(), sign.position))
        return Part(Chain(first, tuple(steps)), first.position) if steps else first

    def _value(self) -> Part:
        word = self._take()
        # Everything that nests passes here, so this is where depth is counted.
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InvalidExpression(f"an expression has at most {MAX_DEPTH} levels", word.position)
        found = self._node(word)
        self.depth -= 1
        return found

    def _node(self, word: Token) -> Part:
        if word.kind is Kind.NUMBER:
            return Part(Constant(_number(word)), word.position)
        if word.kind is Kind.TEXT:
            return Part(Constant(word.text[1:-1].replace("''", "'")), word.position)
        if word.kind is Kind.NAME:
            return Part(self._call(word) if self._is("(") else _attribute(word), word.position)
        if word.text == Operator.MINUS:
            return Part(Negation(self._value()), word.position)
        if word.text == "(":
            found = self._sum()
            self._expect(")")
            return found
        raise InvalidExpression("a value is expected", word.position)

    def _call(self, name: Token) -> Call:
        try:
            function = Function(name.text.upper())
        except ValueError as error:
            raise InvalidExpression(f"there is no function {name.text}", name.position) from error
        self._expect("(")
        arguments = [self._sum()]
        while self._is(","):
            self._take()
            arguments.append(self._sum())
        if function in _WITH_DIGITS and len(arguments) > 2:
            raise InvalidExpression(f"{function} takes a value and digits, nothing more", arguments[2].position)
        self._expect(")")
        return Call(function, tuple(arguments))


def _number(word: Token) -> Decimal:
    whole, _, places = word.text.partition(".")
    if len(whole) > MAX_DIGITS or len(places) > MAX_DIGITS:
        raise InvalidExpression(f"a number has at most {MAX_DIGITS} digits on either side", word.position)
    return Decimal(word.text)


def _attribute(word: Token) -> EventCode | EventTimestamp | Property:
    match word.text.split("."):
        case ["event", "code"]:
            return EventCode()
        case ["event", "timestamp"]:
            return EventTimestamp()
        case ["event", "properties", name]:
            return Property(name)
        case ["event", *_]:
            raise InvalidExpression(_ATTRIBUTES, word.position)
    raise InvalidExpression(f"{word.text} means nothing: texts stand in quotes", word.position)
