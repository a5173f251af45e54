"""What is asked of an engine that works out taxes, and what it may answer. Owns both forms; sends nothing.

An engine tells rates, line by line; what they come to is worked out here as for any other tax, on what coupons leave.
"""

from __future__ import annotations

import decimal
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from config.kernel import errors, money

FORMAT = "tax-question/1"
ATTEMPTS = 8
"""After so many questions without an answer somebody has to look at it."""

SPECIAL = {
    "customer_exempt": "Customer is exempt",
    "juris_has_no_tax": "Jurisdiction has no tax",
    "juris_not_taxed": "Not taxed in this jurisdiction",
    "not_collecting": "No tax is collected here",
    "reverse_charge": "Reverse charge",
    "transaction_exempt": "Transaction is exempt",
    "unknown_taxation": "Taxation unknown",
}
"""What an engine may say of a whole invoice: there is no tax on it, and why."""

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")
_LONGEST = 255


class InvalidAnswer(errors.Invalid):
    """An engine's answer cannot be read, or is not about these lines."""


class Refused(errors.Invalid):
    """An engine says that it cannot tax this."""


@dataclass(frozen=True)
class EngineTax:
    """One tax on one line as the engine tells it: a fraction, and the part of the line that it is on."""

    code: str
    name: str
    rate: Decimal
    base_rate: Decimal = Decimal(1)

    @property
    def effective(self) -> Decimal:
        """Return the rate on the whole line."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return money.round_half_up(self.rate * self.base_rate, 8)

    @property
    def description(self) -> str:
        """Return what a document says where only a part of a line is taxed."""
        if self.base_rate == 1:
            return ""
        return f"{(self.rate * 100).normalize():f} % on {(self.base_rate * 100).normalize():f} % of the amount"


@dataclass(frozen=True)
class Answer:
    """The taxes of each line by its place; ``special`` is a code for the whole invoice, which has no tax then."""

    lines: Mapping[int, tuple[EngineTax, ...]]
    special: str = ""


def special(code: str) -> EngineTax:
    """Return the tax of nothing that stands for what an engine says of a whole invoice."""
    return EngineTax(code=code, name=SPECIAL[code], rate=Decimal(0))


def digest(question: Mapping[str, Any]) -> str:
    """Return what tells questions apart: the same invoice of the same lines and parties has the same."""
    text = json.dumps(question, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def parse(content: Any, *, places: Collection[int]) -> Answer:
    """Read an engine's answer about the lines at these places.

    ``{"status": "taxed", "lines": [{"id": 1, "taxes": [{"code": …, "name": …, "rate": "0.19"}]}]}``, or
    ``{"status": "special", "code": "reverse_charge"}``. Raises Refused for ``{"status": "refused", "error": {…}}``, and
    InvalidAnswer for anything else: no tax is ever guessed.
    """
    if not isinstance(content, Mapping):
        raise _invalid("it is no object")
    match content.get("status"):
        case "taxed":
            return Answer(lines=_lines(content.get("lines"), places))
        case "special":
            if content.get("code") not in SPECIAL:
                raise _invalid(f"it has an unknown special code {str(content.get('code'))[:50]!r}")
            return Answer(lines=dict.fromkeys(places, ()), special=str(content["code"]))
        case "refused":
            error = content.get("error")
            said = error if isinstance(error, Mapping) else {}
            code = str(said.get("code") or "refused")[:_LONGEST]
            raise Refused(code, str(said.get("message") or "The engine refused.")[:2000])
        case _:
            raise _invalid("it has no known status")


def _lines(rows: Any, places: Collection[int]) -> dict[int, tuple[EngineTax, ...]]:
    if not isinstance(rows, list):
        raise _invalid("it has no lines")
    found: dict[int, tuple[EngineTax, ...]] = {}
    for row in rows:
        place = row.get("id") if isinstance(row, Mapping) else None
        if not isinstance(place, int) or isinstance(place, bool) or place not in places or place in found:
            raise _invalid("a line is none of the question, or there twice")
        taxes = row.get("taxes")
        if not isinstance(taxes, list):
            raise _invalid(f"line {place} has no list of taxes")
        found[place] = tuple(_tax(one, place) for one in taxes)
        if len({one.code for one in found[place]}) < len(taxes):
            raise _invalid(f"line {place} has a tax twice")
    if found.keys() != set(places):
        raise _invalid("lines of the question are missing")
    return found


def _tax(row: Any, place: int) -> EngineTax:
    try:
        tax = EngineTax(
            code=row["code"],
            name=row["name"],
            rate=_fraction(row["rate"]),
            base_rate=_fraction(row.get("base_rate", "1")),
        )
        is_named = bool(_CODE.fullmatch(tax.code)) and 0 < len(tax.name) <= _LONGEST
    except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise _invalid(f"a tax of line {place} cannot be read") from error
    if not is_named or not 0 <= tax.rate <= 1 or not 0 <= tax.base_rate <= 1:
        raise _invalid(f"a tax of line {place} has no code, no name, or no rate from 0 to 1")
    return tax


def _fraction(value: object) -> Decimal:
    """Read a decimal in text: a JSON number would have gone through a float."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,8})?", value):
        raise TypeError("no decimal in text")
    return Decimal(value)


def _invalid(why: str) -> InvalidAnswer:
    return InvalidAnswer("invalid_answer", f"The answer of the tax engine cannot be used: {why}.")
