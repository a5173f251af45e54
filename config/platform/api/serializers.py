"""Fields of the API. Owns how values travel: money as integer minor units, decimals as text, instants in UTC to the
second, rates in percent. What a request means is the resource's own serializer and service.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from decimal import Decimal, localcontext
from typing import Any

from django.utils import dateparse
from moneyed import Money
from rest_framework import serializers

from config.kernel import money, numbers, registry

MAX_MINOR = 10**15
"""Far beyond any invoice, and inside what a stored amount holds in every currency."""

HUNDRED = Decimal(100)
_DIGITS = re.compile(r"-?[0-9]{1,40}")
_PLAIN = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class RequestSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """The base of request serializers: unknown keys are dropped, and only the keys that were sent come out.

    It checks form only (types, lengths, ranges, choices); what needs the database or a rule is the service's to refuse.
    """


class Text(serializers.CharField):
    """A text as it was sent, blanks included; null and the empty text are the same. Optional unless said otherwise."""

    def __init__(self, **kwargs: Any) -> None:
        mandatory = kwargs.get("required", False)
        kwargs.setdefault("required", False)
        kwargs.setdefault("allow_blank", not mandatory)
        kwargs.setdefault("allow_null", not mandatory)
        kwargs.setdefault("max_length", 255)
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Check, and return text in every case."""
        found = super().run_validation(data)
        return "" if found is None else found

    def to_internal_value(self, data: Any) -> str:
        """Take text; numbers become text."""
        if isinstance(data, str) and not data.strip() and not self.allow_blank:
            self.fail("blank")
        return super().to_internal_value(data)


class TextOrNull(serializers.CharField):
    """A text in an answer: null where it is empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def to_representation(self, value: Any) -> str | None:
        """Return the text, or null."""
        return str(value) if value else None


class Unsupported(serializers.Field):  # type: ignore[type-arg]
    """A field of the reference whose feature does not exist yet: neutral values are dropped, others refused.

    Dropping a value that changes amounts would bill something else than what was asked for.
    """

    default_error_messages = {"unsupported_value": "Not supported."}

    def __init__(self, *, neutral: tuple[Any, ...]) -> None:
        super().__init__(required=False, allow_null=True, write_only=True)
        self.neutral = (None, *neutral)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Skip a neutral value, refuse another with ``unsupported_value``."""
        if data is serializers.empty or any(data == value for value in self.neutral):
            raise serializers.SkipField
        self.fail("unsupported_value")


class Constant(serializers.Field):  # type: ignore[type-arg]
    """A field of an answer that is the same for every object, unless an upper app completes the answer.

    ``filled`` describes what the upper app puts there: a field, or the name under which it registered the objects of
    a list (see `representations`). Without it the value is all that ever comes.
    """

    def __init__(self, value: Any, *, filled: serializers.Field[Any, Any, Any, Any] | str | None = None) -> None:
        super().__init__(read_only=True)
        self.value, self.filled = value, filled

    def get_attribute(self, instance: Any) -> Any:
        """Return something that is not None, so that the value is asked for."""
        return instance

    def to_representation(self, value: Any) -> Any:
        """Return the constant."""
        return list(self.value) if isinstance(self.value, list) else self.value


class Part(Constant):
    """A field of an answer that an upper app knows: taken from what it registered under ``name``, else ``value``.

    Each object is asked for once per answer, however often it is shown in it.
    """

    def __init__(
        self, name: str, key: str, value: Any, *, filled: serializers.Field[Any, Any, Any, Any] | str | None = None
    ) -> None:
        super().__init__(value, filled=filled)
        self.name, self.key = name, key

    def to_representation(self, value: Any) -> Any:
        """Return what the upper app says of the object."""
        known = self.context.setdefault("parts", {}).setdefault(self.name, {})
        if value.pk not in known:
            known.update(registry.parts(self.name, [value]))
        return known[value.pk].get(self.key, self.value)


class Rows(serializers.ListField):
    """A list of objects; null where nothing else is said means the same as absent or none, as the resource decides.

    The framework's own ``many=True`` would let null rows through where it lets a null list through.
    """

    def __init__(self, form: type[RequestSerializer], **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("allow_null", True)
        super().__init__(child=form(), **kwargs)


class Integer(serializers.IntegerField):
    """An integer, or plain ASCII digits that mean one."""

    def to_internal_value(self, data: Any) -> int:
        """Return the integer."""
        if isinstance(data, str) and not _DIGITS.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class MinorUnits(Integer):
    """Money as integer minor units: zero or more in a request; in an answer taken from a Money or integer."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 0)
        kwargs.setdefault("max_value", MAX_MINOR)
        super().__init__(**kwargs)

    def to_representation(self, value: Any) -> int:
        """Return minor units. Raises Invalid for an unrounded amount, which nothing shows."""
        return money.to_minor(value) if isinstance(value, Money) else int(value)


class Whole(Integer):
    """A whole number of zero or more, small enough for its column. Optional unless said otherwise."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("min_value", 0)
        kwargs.setdefault("max_value", 10**9)
        super().__init__(**kwargs)


class Flag(serializers.BooleanField):
    """Yes or no. Optional unless said otherwise."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)


class DecimalString(serializers.Field):  # type: ignore[type-arg]
    """A decimal as text: "10.0", "0.00012". A request may send plain decimal text or a number, never an exponent."""

    default_error_messages = {"invalid": "Not a decimal.", "max_value": "Out of range."}

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the decimal, of at most 15 digits on either side of the point."""
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            self.fail("invalid")
        found = plain_decimal(data)
        if found is None:
            self.fail("invalid")
        if abs(found) >= MAX_MINOR or places(found) > 15:
            self.fail("max_value")
        return found

    def to_representation(self, value: Any) -> str:
        """Return plain digits with at least one decimal."""
        return decimal_text(Decimal(value))


class Rate(serializers.Field):  # type: ignore[type-arg]
    """A rate: percent as a number outside (19.0), a fraction inside (0.19). Requests may send text too."""

    default_error_messages = {"invalid": "Not a rate.", "max_value": "Out of range."}

    def __init__(self, *, most: int = 100, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def to_internal_value(self, data: Any) -> Decimal:
        """Return the fraction of a percentage from 0 to ``most``, of at most 6 decimals."""
        found = plain_decimal(data)
        if found is None:
            self.fail("invalid")
        if not 0 <= found <= self.most or places(found) > 6:
            self.fail("max_value")
        return found / HUNDRED

    def to_representation(self, value: Any) -> float:
        """Return the percentage."""
        return numbers.json_number(Decimal(value) * HUNDRED)


class Number(serializers.Field):  # type: ignore[type-arg]
    """A decimal that an answer shows as a JSON number."""

    def to_representation(self, value: Any) -> float:
        """Return the nearest JSON number."""
        return numbers.json_number(Decimal(value))


class Instant(serializers.Field):  # type: ignore[type-arg]
    """A moment. In: ISO 8601, a day alone is its start, no zone is UTC. Out: UTC, to the second or the millisecond."""

    default_error_messages = {"date": "Not a date and time."}

    def __init__(self, *, milliseconds: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.milliseconds = milliseconds

    def to_internal_value(self, data: Any) -> datetime:
        """Return an aware instant between 1900 and 2200."""
        found = instant(data) if isinstance(data, str) else None
        if found is None:
            self.fail("date")
        return found

    def to_representation(self, value: Any) -> str:
        """Return the instant in UTC; what is finer is cut off."""
        return instant_text(value, milliseconds=self.milliseconds)


def instant(text: str) -> datetime | None:
    """Read ISO 8601; a day alone is its start, no zone is UTC. None for anything else, and outside 1900 to 2200."""
    try:
        found = dateparse.parse_datetime(text)
        if found is None:
            day = dateparse.parse_date(text)
            found = None if day is None else datetime.combine(day, time(), UTC)
    except ValueError:
        return None
    if found is None:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found.astimezone(UTC) if _EARLIEST <= found < _LATEST else None


def instant_text(value: datetime, *, milliseconds: bool = False) -> str:
    """Write an instant as answers do: ``2026-05-01T00:00:00Z``, or ``….123Z``."""
    return (
        value.astimezone(UTC).isoformat(timespec="milliseconds" if milliseconds else "seconds").replace("+00:00", "Z")
    )


def plain_decimal(data: Any) -> Decimal | None:
    """Read plain decimal text, an integer, or a JSON number by the shortest text that means it. None for the rest."""
    if isinstance(data, bool) or not isinstance(data, str | int | float):
        return None
    if isinstance(data, int) and abs(data) >= 10**40:
        return None
    text = data if isinstance(data, str) else repr(data)
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def places(value: Decimal) -> int:
    """Return how many decimals a plain decimal has, zeros at the end left out."""
    return len(format(value, "f").partition(".")[2].rstrip("0"))


def decimal_text(value: Decimal) -> str:
    """Write a decimal as answers do: plain digits, at least one decimal, no zeros beyond it: "10.0", "0.25"."""
    with localcontext(money.DECIMAL_CONTEXT):
        whole, _, decimals = format(value + 0, "f").partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}"
