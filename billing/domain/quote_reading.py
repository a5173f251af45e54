"""Reading the terms of a quote from JSON: every field typed and bounded, and the path of what is wrong named.

Owns what a single field may hold and which fields a kind of quote needs. Whether plans, coupons and taxes exist is the
services' to know. Keys that no field has are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from billing.domain.quote_values import (
    ChangeKind,
    DiscountScope,
    InvalidTerms,
    QuoteChange,
    QuoteCommitment,
    QuoteCoupon,
    QuoteCredits,
    QuoteItem,
    QuoteOneOff,
    QuotePhase,
    QuoteTerms,
)
from catalog.domain import decimals

T = TypeVar("T")
MOST_MONTHS = 240
MOST_ROWS = 100
MOST_TEXT = 255
MOST_LONG_TEXT = 100_000
MOST_CENTS = 10**15
MOST_DAYS = 3650
_LAST_YEAR = 2900
_DEEPEST = 12
_MOST_NODES = 20_000
_FREQUENCIES = ("", "once", "recurring", "forever")


def read(data: object) -> QuoteTerms:
    """Return the terms that JSON holds; what is left out is as `QuoteTerms` has it.

    Raises InvalidTerms (`validation_errors`), whose details name the path of each field that is wrong
    (``items.0.phases.1.units.seats``). Whatever the JSON is, nothing else is raised.
    """
    fields = _Fields(data)
    terms = _terms(fields)
    fields.demand()
    return terms


class _Fields:
    """One JSON object at a path; what is wrong is gathered over the whole tree."""

    def __init__(self, data: object, path: str = "", wrong: dict[str, list[str]] | None = None) -> None:
        self.path = path
        self.wrong: dict[str, list[str]] = {} if wrong is None else wrong
        self.data: Mapping[Any, Any] = data if isinstance(data, Mapping) else {}
        if not isinstance(data, Mapping):
            self.wrong.setdefault(path or "terms", []).append("invalid_type")

    def refuse(self, name: str, code: str) -> None:
        """Note that a field is wrong."""
        self.wrong.setdefault(f"{self.path}.{name}" if self.path else name, []).append(code)

    def demand(self) -> None:
        """Raise what was noted, if anything was."""
        if self.wrong:
            raise InvalidTerms("validation_errors", f"Please check: {', '.join(self.wrong)}.", self.wrong)

    def text(self, name: str, *, default: str = "", most: int = MOST_TEXT, required: bool = False) -> str:
        value = self.data.get(name, default)
        if not isinstance(value, str) or "\x00" in value:
            self.refuse(name, "invalid_type" if value is not None else "value_is_mandatory")
            return default
        if len(value) > most:
            self.refuse(name, "value_is_too_long")
        if required and not value.strip():
            self.refuse(name, "value_is_mandatory")
        return value

    def choice(self, name: str, allowed: Sequence[str], *, default: str = "") -> str:
        value = self.text(name, default=default)
        if value not in allowed:
            self.refuse(name, "invalid_value")
            return default
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.data.get(name, default)
        if not isinstance(value, bool):
            self.refuse(name, "invalid_type")
            return default
        return value

    def whole(self, name: str, *, least: int, most: int, default: int = 0, required: bool = False) -> int:
        found = self.maybe_whole(name, least=least, most=most)
        if self.data.get(name, None if required else default) is None:
            self.refuse(name, "value_is_mandatory")
        return default if found is None else found

    def maybe_whole(self, name: str, *, least: int, most: int) -> int | None:
        value = self.data.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(name, "invalid_type")
            return None
        if not least <= value <= most:
            self.refuse(name, "value_is_out_of_range")
            return None
        return value

    def number(self, name: str, *, default: Decimal, least: Decimal, most: Decimal) -> Decimal:
        value = self.data.get(name, default)
        found = decimals.read(value)
        if found is None:
            self.refuse(name, "invalid_value" if value is not None else "value_is_mandatory")
            return default
        if not least <= found <= most:
            self.refuse(name, "value_is_out_of_range")
            return default
        return found

    def maybe_number(self, name: str, *, least: Decimal, most: Decimal) -> Decimal | None:
        if self.data.get(name) is None:
            return None
        return self.number(name, default=least, least=least, most=most)

    def day(self, name: str) -> date | None:
        value = self.data.get(name)
        if value is None or value == "":
            return None
        found = value if type(value) is date else None
        if isinstance(value, str):
            try:
                found = date.fromisoformat(value)
            except ValueError:
                found = None
        if found is None or not 1900 <= found.year <= _LAST_YEAR:
            self.refuse(name, "invalid_date")
            return None
        return found

    def public_id(self, name: str) -> UUID | None:
        value = self.data.get(name)
        if value is None or value == "" or isinstance(value, UUID):
            return value or None
        try:
            return UUID(value)
        except (ValueError, AttributeError, TypeError):
            self.refuse(name, "invalid_value")
            return None

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._rows(name)
        if any(not isinstance(one, str) or not one or len(one) > MOST_TEXT or "\x00" in one for one in values):
            self.refuse(name, "invalid_value")
            return ()
        return tuple(values)

    def rows(self, name: str, read_one: Callable[[_Fields], T]) -> tuple[T, ...]:
        return tuple(
            read_one(_Fields(one, self._at(f"{name}.{n}"), self.wrong)) for n, one in enumerate(self._rows(name))
        )

    def part(self, name: str, read_one: Callable[[_Fields], T]) -> T | None:
        value = self.data.get(name)
        return None if value is None else read_one(_Fields(value, self._at(name), self.wrong))

    def units(self, name: str) -> dict[str, Decimal]:
        value = self.data.get(name, {})
        if not isinstance(value, Mapping) or len(value) > MOST_ROWS:
            self.refuse(name, "invalid_type")
            return {}
        found: dict[str, Decimal] = {}
        for code, given in sorted(value.items(), key=lambda pair: str(pair[0])):
            read_units = decimals.read(given)
            if not isinstance(code, str) or not code or len(code) > MOST_TEXT:
                self.refuse(name, "invalid_value")
            elif read_units is None or read_units < 0:
                self.refuse(f"{name}.{code}", "invalid_value" if read_units is None else "value_is_out_of_range")
            else:
                found[code] = read_units
        return found

    def json(self, name: str) -> dict[str, Any]:
        value = self.data.get(name, {})
        if value is None:
            return {}
        left = [_MOST_NODES]
        found = _json(value, _DEEPEST, left)
        if not isinstance(found, dict):
            self.refuse(name, "invalid_value" if isinstance(value, Mapping) else "invalid_type")
            return {}
        return found

    def _rows(self, name: str) -> Sequence[Any]:
        value = self.data.get(name, ())
        if not isinstance(value, list | tuple):
            self.refuse(name, "invalid_type")
            return ()
        if len(value) > MOST_ROWS:
            self.refuse(name, "invalid_count")
            return ()
        return value

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


class _Unreadable:
    """What a value is that JSON cannot have."""


def _json(value: object, depth: int, left: list[int]) -> Any:
    """Return a value as canonical JSON has it: decimals and ids as text; `_Unreadable` for what is none."""
    left[0] -= 1
    if depth < 0 or left[0] < 0:
        return _Unreadable
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**18 else _Unreadable
    if isinstance(value, str):
        return value if "\x00" not in value and len(value) <= MOST_LONG_TEXT else _Unreadable
    if isinstance(value, Decimal):
        return decimals.text(value) if decimals.read(value) is not None else _Unreadable
    if isinstance(value, float):
        found = decimals.read_number(value)
        return _Unreadable if found is None else decimals.text(found)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        pairs = {key: _json(inner, depth - 1, left) for key, inner in value.items() if isinstance(key, str)}
        return _Unreadable if len(pairs) < len(value) or _Unreadable in pairs.values() else pairs
    if isinstance(value, list | tuple):
        found_rows = [_json(inner, depth - 1, left) for inner in value]
        return _Unreadable if _Unreadable in found_rows else found_rows
    return _Unreadable


def _terms(fields: _Fields) -> QuoteTerms:
    return QuoteTerms(
        starts_on=fields.day("starts_on"),
        term_months=fields.maybe_whole("term_months", least=1, most=MOST_MONTHS),
        billing_time=fields.choice("billing_time", ("calendar", "anniversary"), default="anniversary"),
        renewal=fields.choice("renewal", ("none", "automatic"), default="none"),
        renewal_months=fields.maybe_whole("renewal_months", least=1, most=MOST_MONTHS),
        notice_days=fields.whole("notice_days", least=0, most=365),
        uplift_rate=fields.number("uplift_rate", default=Decimal(0), least=Decimal("-0.99999999"), most=Decimal(10)),
        uplift_scope=fields.choice("uplift_scope", ("fee", "all"), default="fee"),
        payment_term_days=fields.maybe_whole("payment_term_days", least=0, most=MOST_DAYS),
        purchase_order_number=fields.text("purchase_order_number"),
        terms_text=fields.text("terms_text", most=MOST_LONG_TEXT),
        items=fields.rows("items", _item),
        commitments=fields.rows("commitments", _commitment),
        one_offs=fields.rows("one_offs", _one_off),
        coupons=fields.rows("coupons", _coupon),
        credits=fields.rows("credits", _credits),
        changes=fields.rows("changes", _change),
    )


def _item(fields: _Fields) -> QuoteItem:
    return QuoteItem(
        phases=fields.rows("phases", _planned),
        external_id=fields.text("external_id"),
        name=fields.text("name"),
        starts_after_months=fields.whole("starts_after_months", least=0, most=MOST_MONTHS),
    )


def _planned(fields: _Fields) -> QuotePhase:
    fields.text("plan_code", required=True)
    return _phase(fields)


def _phase(fields: _Fields) -> QuotePhase:
    return QuotePhase(
        plan_code=fields.data["plan_code"] if isinstance(fields.data.get("plan_code"), str) else "",
        after_months=fields.whole("after_months", least=0, most=MOST_MONTHS),
        plan_version=fields.maybe_whole("plan_version", least=1, most=10**9),
        overrides=fields.json("overrides"),
        units=fields.units("units"),
        discount_rate=_discount(fields),
        discount_scope=fields.choice("discount_scope", [one.value for one in DiscountScope], default="fee"),
    )


def _discount(fields: _Fields) -> Decimal:
    found = fields.number("discount_rate", default=Decimal(0), least=Decimal(0), most=Decimal(1))
    if len(decimals.text(found).partition(".")[2]) > 8:
        fields.refuse("discount_rate", "value_is_too_long")
    return found


def _commitment(fields: _Fields) -> QuoteCommitment:
    return QuoteCommitment(
        amount_cents=fields.whole("amount_cents", least=1, most=MOST_CENTS, required=True),
        kind=fields.choice("kind", ("term", "period", "prepaid"), default="term"),
        external_id=fields.text("external_id"),
        invoice_name=fields.text("invoice_name"),
        tax_codes=fields.texts("tax_codes"),
        renews=fields.flag("renews", default=True),
        instalments=fields.choice("instalments", ("whole", "monthly", "quarterly", "yearly"), default="whole"),
        grant_on=fields.choice("grant_on", ("payment", "issue"), default="payment"),
        rolls_over=fields.flag("rolls_over", default=False),
    )


def _one_off(fields: _Fields) -> QuoteOneOff:
    return QuoteOneOff(
        add_on_code=fields.text("add_on_code", required=True),
        name=fields.text("name"),
        units=fields.number("units", default=Decimal(1), least=Decimal(0), most=Decimal(10**12)),
        unit_amount_cents=fields.maybe_whole("unit_amount_cents", least=0, most=MOST_CENTS),
        discount_rate=_discount(fields),
        tax_codes=fields.texts("tax_codes"),
    )


def _coupon(fields: _Fields) -> QuoteCoupon:
    return QuoteCoupon(
        coupon_code=fields.text("coupon_code", required=True),
        amount_cents=fields.maybe_whole("amount_cents", least=1, most=MOST_CENTS),
        percentage_rate=fields.maybe_number("percentage_rate", least=Decimal("0.00000001"), most=Decimal(1)),
        frequency=fields.choice("frequency", _FREQUENCIES),
        frequency_duration=fields.maybe_whole("frequency_duration", least=1, most=10_000),
    )


def _credits(fields: _Fields) -> QuoteCredits:
    most = Decimal(10**12)
    return QuoteCredits(
        name=fields.text("name"),
        paid_credits=fields.number("paid_credits", default=Decimal(0), least=Decimal(0), most=most),
        granted_credits=fields.number("granted_credits", default=Decimal(0), least=Decimal(0), most=most),
        rate_amount=fields.number("rate_amount", default=Decimal(1), least=Decimal("0.000000000001"), most=most),
        expires_after_months=fields.maybe_whole("expires_after_months", least=1, most=MOST_MONTHS),
    )


def _change(fields: _Fields) -> QuoteChange:
    kind = fields.choice("kind", [one.value for one in ChangeKind])
    reads = _phase if kind == ChangeKind.CHANGE_TERMS else _planned
    return QuoteChange(
        kind=kind,
        external_id=fields.text("external_id"),
        name=fields.text("name"),
        effective_on=fields.day("effective_on"),
        until=fields.day("until"),
        phases=fields.rows("phases", reads),
        ends_on=fields.day("ends_on"),
        commitment_id=fields.public_id("commitment_id"),
        commitment=fields.part("commitment", _commitment),
    )
