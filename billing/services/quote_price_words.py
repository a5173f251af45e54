"""Prices that are billed by use, in words for a customer: one part of text for each range or part of a price.

Owns the wording, in the language that is active. Prices have as many decimals as they were given, at least those of the
currency; a percentage is given as 1.2 for 1.2 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import pgettext

from billing.domain.quote_document import UsagePrice
from catalog.domain.pricing import properties as terms
from catalog.domain.pricing.graduated import Graduated
from catalog.domain.pricing.graduated_percentage import GraduatedPercentage
from catalog.domain.pricing.package import Package
from catalog.domain.pricing.percentage import Percentage
from catalog.domain.pricing.standard import Standard
from catalog.domain.pricing.tiers import Tier
from catalog.domain.pricing.volume import Volume
from invoicing.domain.document_formats import Formats
from invoicing.services import document_words

PERCENT = Decimal(100)
Written = Callable[[Decimal], str]


def price(
    *, model: str, properties: Mapping[str, Any], currency: str, formats: Formats, unit: str = ""
) -> tuple[UsagePrice, ...]:
    """Return the parts of a price. With a ``unit`` its figures are in that and not in the currency.

    Raises InvalidProperties for properties that are not the model's.
    """

    def written(amount: Decimal) -> str:
        return document_words.in_unit(amount, unit, formats) if unit else formats.price(amount, currency=currency)

    found = terms.parse(model=model, raw=properties)
    if isinstance(found, Standard):
        return (UsagePrice(_a_unit(found.amount, written)),)
    if isinstance(found, Package):
        return tuple(_package(found, written, formats))
    if isinstance(found, Percentage):
        return tuple(_percentage(found, written, formats))
    if isinstance(found, Graduated | Volume):
        return _ranges(found.ranges, [_a_unit(one.price, written) for one in found.ranges], written, formats)
    if isinstance(found, GraduatedPercentage):
        return _ranges(found.ranges, [_percent(one.price, formats) for one in found.ranges], written, formats)
    return (UsagePrice(pgettext("quote", "by the price of each event")),)


def how(*, model: str, properties: Mapping[str, Any]) -> str:
    """Return how the ranges of a price are meant; nothing where it has no ranges, or one."""
    found = terms.parse(model=model, raw=properties)
    if isinstance(found, Volume) and len(found.ranges) > 1:
        return pgettext("quote", "all units at the price of the range that is reached")
    if isinstance(found, Graduated | GraduatedPercentage) and len(found.ranges) > 1:
        return pgettext("quote", "each range at its own price")
    return ""


def every(amount: str, interval: str) -> str:
    """Return an amount with the interval that it is for: 1.200,00 € a month."""
    words = {
        "weekly": pgettext("quote", "{amount} a week"),
        "monthly": pgettext("quote", "{amount} a month"),
        "quarterly": pgettext("quote", "{amount} a quarter"),
        "semiannual": pgettext("quote", "{amount} a half-year"),
        "yearly": pgettext("quote", "{amount} a year"),
    }
    return words[interval].format(amount=amount)


def _a_unit(amount: Decimal, written: Written) -> str:
    if not amount:
        return pgettext("quote", "included")
    return pgettext("quote", "{price} a unit").format(price=written(amount))


def _package(found: Package, written: Written, formats: Formats) -> Iterator[UsagePrice]:
    if found.free_units:
        when = pgettext("quote", "the first {units}").format(units=formats.units(found.free_units))
        yield UsagePrice(pgettext("quote", "included"), when)
    each = pgettext("quote", "for each {units}").format(units=formats.units(found.package_size))
    yield UsagePrice(written(found.amount), each)


def _percentage(found: Percentage, written: Written, formats: Formats) -> Iterator[UsagePrice]:
    event = pgettext("quote", "{price} for each event")
    if found.free_events:
        when = pgettext("quote", "the first {units} events").format(units=formats.units(Decimal(found.free_events)))
        yield UsagePrice(pgettext("quote", "included"), when)
    if found.free_value:
        when = pgettext("quote", "the first {units}").format(units=written(found.free_value))
        yield UsagePrice(pgettext("quote", "included"), when)
    text = pgettext("quote", "{rate} of the amount").format(rate=_percent(found.rate, formats))
    extra = f" + {event.format(price=written(found.fixed_amount))}" if found.fixed_amount else ""
    yield UsagePrice(f"{text}{extra}")
    if found.minimum is not None:
        yield UsagePrice(event.format(price=written(found.minimum)), pgettext("quote", "at least"))
    if found.maximum is not None:
        yield UsagePrice(event.format(price=written(found.maximum)), pgettext("quote", "at most"))


def _ranges(tiers: Sequence[Tier], prices: Sequence[str], written: Written, formats: Formats) -> tuple[UsagePrice, ...]:
    """Write ranges. One holds what lies above the end of the one before, whether its own start says 11 or 10."""
    lines = []
    below = Decimal(0)
    for tier, text in zip(tiers, prices, strict=True):
        start, end = formats.units(below), "" if tier.to_value is None else formats.units(tier.to_value)
        if below and end:
            when = pgettext("quote", "above {start} up to {end}").format(start=start, end=end)
        elif end:
            when = pgettext("quote", "up to {end}").format(end=end)
        else:
            when = pgettext("quote", "above {start}").format(start=start) if below else ""
        flat = f" + {written(tier.flat)}" if tier.flat else ""
        lines.append(UsagePrice(f"{text}{flat}", when))
        below = below if tier.to_value is None else tier.to_value
    return tuple(lines)


def _percent(rate: Decimal, formats: Formats) -> str:
    return formats.rate(rate / PERCENT)
