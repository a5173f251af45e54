"""Cutting the text of an expression into words. Owns what a number, a text and a name look like."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from catalog.domain.expressions.syntax import MAX_LENGTH, InvalidExpression


class Kind(StrEnum):
    """What a word is."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    SIGN = "sign"
    END = "end"


class Token(NamedTuple):
    """A word as it is written, and where it starts, from 1."""

    kind: Kind
    text: str
    position: int


# A name may have dots: event.properties.bytes is one word. No alternative can match the beginning of another one.
_WORD = re.compile(
    r"""
    (?P<number> [0-9]+ (?: \. [0-9]+ )? )
    | (?P<text> ' (?: [^'] | '' )* ' )
    | (?P<name> [^\W\d] \w* (?: \. [^\W\d] \w* )* )
    | (?P<sign> [-+*/(),] )
    """,
    re.VERBOSE,
)
_BLANK = re.compile(r"[ \t\r\n]*")


def cut(text: str) -> list[Token]:
    """Return the words of an expression; the last one is its end. Raises InvalidExpression for what is no word."""
    if len(text) > MAX_LENGTH:
        raise InvalidExpression(f"an expression has at most {MAX_LENGTH} characters", MAX_LENGTH + 1)
    found = []
    at = _after_blanks(text, 0)
    while at < len(text):
        word = _WORD.match(text, at)
        if word is None or word.lastgroup is None:
            problem = "the text has no closing quote" if text[at] == "'" else f"{text[at]} means nothing here"
            raise InvalidExpression(problem, at + 1)
        found.append(Token(Kind(word.lastgroup), word[0], at + 1))
        at = _after_blanks(text, word.end())
    return [*found, Token(Kind.END, "", len(text) + 1)]


def _after_blanks(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return at if blank is None else blank.end()
