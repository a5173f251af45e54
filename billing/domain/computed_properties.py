"""The properties that metrics compute from an event by expressions. Owns putting them into the event on its way in; the
language is catalog's.

Every expression sees the event as it was sent, so their order does not matter. What cannot be computed must not be
counted either: then the property is taken out, and told among the failures with the reason and what was sent for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from billing.domain.usage_events import EventIn
from catalog.domain.expressions import evaluating, parsing
from catalog.domain.expressions.evaluating import Event, NotEvaluable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_written = msgspec.json.Decoder(dict[str, msgspec.Raw])
# Decimals, because figures are exact; properties that are not asked for stay as they are written.
_read = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def complete(*, event: EventIn, expressions: Mapping[str, str]) -> EventIn:
    """Return the event with the properties that the expressions compute; ``expressions`` are valid, by property.

    Numbers are written as text in plain digits. The same event and expressions give the same result to the byte.
    """
    seen = Event(
        code=event.code,
        timestamp=Decimal((event.timestamp - _EPOCH) // _MICROSECOND).scaleb(-6),
        properties=_read.decode(event.properties),
    )
    properties = _written.decode(event.properties)
    failures: dict[str, dict[str, Any]] = {}
    for name, text in expressions.items():
        sent = properties.pop(name, None)
        try:
            value = evaluating.evaluate(expression=parsing.parse(text), event=seen)
        except NotEvaluable as error:
            failures[name] = {"problem": error.problem, "position": error.position}
            if sent is not None:
                failures[name]["sent"] = sent
        else:
            properties[name] = msgspec.Raw(msgspec.json.encode(evaluating.text(value)))
    return msgspec.structs.replace(
        event,
        properties=msgspec.Raw(msgspec.json.encode(properties)),
        failures=msgspec.Raw(msgspec.json.encode(failures)) if failures else None,
    )
