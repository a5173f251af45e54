"""What an expression is made of, once it has been read: frozen nodes, and the bounds that keep every expression small.
Owns the shape; reading text is `parsing`'s, computing is `evaluating`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from config.kernel import errors

MAX_LENGTH = 2000
MAX_DEPTH = 30
MAX_DIGITS = 30
"""On either side of the point: both together are the 60 digits that the kernel's rounding works with."""


class Operator(StrEnum):
    """What stands between two values."""

    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    DIVIDED_BY = "/"


class Function(StrEnum):
    """What may be called."""

    CONCAT = "CONCAT"
    ROUND = "ROUND"
    CEIL = "CEIL"
    FLOOR = "FLOOR"
    LEAST = "LEAST"
    GREATEST = "GREATEST"


@dataclass(frozen=True, slots=True)
class Constant:
    """A number or a text that stands in the expression."""

    value: Decimal | str


@dataclass(frozen=True, slots=True)
class EventCode:
    """The code of the event."""


@dataclass(frozen=True, slots=True)
class EventTimestamp:
    """The time of the event in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the event."""

    name: str


@dataclass(frozen=True, slots=True)
class Negation:
    """A value with a minus before it."""

    operand: Part


@dataclass(frozen=True, slots=True)
class Step:
    """An operator and the value after it."""

    operator: Operator
    operand: Part
    position: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Values joined by operators of one rank, from left to right: a long sum is wide, not deep."""

    first: Part
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    function: Function
    arguments: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A node and where it starts in the text: the first character has position 1."""

    node: Constant | EventCode | EventTimestamp | Property | Negation | Chain | Call
    position: int


class InvalidExpression(errors.Invalid):
    """The text is no expression. ``position`` is that of the first character that does not fit, from 1."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(
            "invalid_expression",
            f"The expression is not valid at character {position}: {problem}.",
            {
                "expression": ["invalid_expression"],
                "expression_position": [str(position)],
                "expression_problem": [problem],
            },
        )
        self.problem = problem
        self.position = position
