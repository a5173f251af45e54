"""What events would cost if they came now. Owns finding the prices that they fall to; nothing is stored.

Events are completed as on their way in: properties that metrics compute are computed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import msgspec
from moneyed import Money

from billing.domain import advance, estimates
from billing.domain.contract import FilterFacts
from billing.domain.estimates import Price
from billing.domain.usage_events import EventIn
from billing.models import Subscription
from billing.queries import computed_properties, event_values, price_lists
from billing.queries.price_lists import PricedCharge, PriceList
from catalog.domain import filters
from catalog.domain.pricing import groups, properties
from catalog.models import BillableMetric
from config.kernel import dates, errors, money
from invoicing.domain import tax, taxed_lines
from invoicing.domain.tax import LineTaxes
from invoicing.queries import taxes
from invoicing.queries.taxes import TaxBook

_PLAIN = re.compile(event_values.PLAIN_DECIMAL)
_read = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)

Found = tuple[Subscription, PriceList, PricedCharge, EventIn]
"""An event and a charge that it falls to."""


class NoInstantCharge(errors.Invalid):
    """No price that is paid in advance reads the event."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an event would cost by one charge: ``price`` unrounded, ``amount`` rounded to the currency, both net."""

    subscription: Subscription
    event: EventIn
    charge: PricedCharge
    metric: BillableMetric
    price_filter: FilterFacts | None
    group: Mapping[str, str | None]
    price: Price
    amount: Money
    taxes: LineTaxes


def instant(*, events: Sequence[EventIn]) -> list[Estimate]:
    """Estimate events by their own values alone, whatever came before: prices per unit and percentages.

    Amounts are rounded once per event and charge, taxes as on a line. Events are given as they would be sent, in order.
    Raises NotFound (`subscription_not_found`), and NoInstantCharge where no such price in advance reads an event.
    """
    found = _found(events)
    wanted = [one for one in found if one[2].model in estimates.MODELS]
    _demand(events, wanted)
    metrics, book = _rest(wanted)
    found_estimates = []
    for one in wanted:
        content = contents(one[3])
        place = placed(one[2], content)
        found_estimates.append(_estimate(one, place, _alone(one[2], place[0], content), metrics, book))
    return found_estimates


def charges_of(*, events: Sequence[EventIn]) -> list[Found]:
    """Return the charges in advance that read events, which are completed.

    Raises NotFound (`subscription_not_found`), and NoInstantCharge where there is none.
    """
    found = _found(events)
    _demand(events, found)
    return found


def estimated(*, found: Sequence[Found], prices: Sequence[Price]) -> list[Estimate]:
    """Return the estimates of events whose prices are known, in the same order, with their taxes."""
    metrics, book = _rest(found)
    return [
        _estimate(one, placed(one[2], contents(one[3])), price, metrics, book)
        for one, price in zip(found, prices, strict=True)
    ]


def contents(event: EventIn) -> dict[str, Any]:
    """Return the properties of an event."""
    return _read.decode(event.properties)


def placed(charge: PricedCharge, content: Mapping[str, Any]) -> tuple[FilterFacts | None, dict[str, str | None]]:
    """Return the filter and the group that an event falls to where it is billed in advance."""
    known = [
        filters.resolve(filter_id=one.id, values=one.values, declared=charge.metric.declared) for one in charge.filters
    ]
    names = {name for one in known for name in one.values}
    chosen = advance.choose_filter(
        filters=known, properties={name: filters.as_text(content.get(name)) for name in names}
    )
    price_filter = None if chosen is None else next(one for one in charge.filters if one.id == chosen.id)
    raw = charge.properties if price_filter is None else price_filter.properties
    return price_filter, {name: filters.as_text(content.get(name)) for name in groups.parse(raw)}


def number(content: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a property as a number, as usage reads it: nothing where it is absent or no plain decimal."""
    value = content.get(name)
    if isinstance(value, bool) or value is None:
        return None
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def _found(events: Sequence[EventIn]) -> list[Found]:
    completed = computed_properties.completed(events=events)
    rows = Subscription.objects.filter(
        external_id__in={event.external_subscription_id for event in events}, status=Subscription.Status.ACTIVE
    ).select_related("plan_version__plan", "customer__billing_entity")
    subscriptions = {row.external_id: row for row in rows}
    for event in events:
        if event.external_subscription_id not in subscriptions:
            message = f"There is no active subscription {event.external_subscription_id}."
            raise errors.NotFound("subscription_not_found", message)
    lists = price_lists.load(version_ids={row.plan_version_id for row in subscriptions.values()})
    found: list[Found] = []
    for event in completed:
        subscription = subscriptions[event.external_subscription_id]
        prices = lists[subscription.plan_version_id]
        found += [
            (subscription, prices, charge, event)
            for charge in prices.charges
            if charge.pay_in_advance and charge.metric.event_code == event.code
        ]
    return found


def _demand(events: Sequence[EventIn], found: Sequence[Found]) -> None:
    priced = {id(event) for *_, event in found}
    if len(priced) < len(events):
        message = "No price that is paid in advance reads the event."
        raise NoInstantCharge("validation_errors", message, {"code": ["does_not_match_an_instant_charge"]})


def _alone(charge: PricedCharge, price_filter: FilterFacts | None, content: Mapping[str, Any]) -> Price:
    name = charge.metric.field_name
    units = estimates.units(
        kind=charge.metric.aggregation,
        number=number(content, name),
        text=filters.as_text(content.get(name)),
        operation=filters.as_text(content.get("operation_type")),
    )
    raw = charge.properties if price_filter is None else price_filter.properties
    terms = properties.parse(model=charge.model, raw=raw)
    return estimates.price(terms=terms, units=units, pricing_unit=charge.pricing_unit)


def _rest(found: Sequence[Found]) -> tuple[dict[int, BillableMetric], TaxBook]:
    book = taxes.book(
        customer_ids={one[0].customer_id for one in found},
        billing_entity_ids={one[0].seller_id for one in found},
        tax_ids={tax_id for _, prices, charge, _ in found for tax_id in charge.tax_ids or prices.tax_ids},
    )
    return BillableMetric.objects.in_bulk({one[2].metric.id for one in found}), book


def _estimate(
    found: Found,
    place: tuple[FilterFacts | None, Mapping[str, str | None]],
    price: Price,
    metrics: Mapping[int, BillableMetric],
    book: TaxBook,
) -> Estimate:
    subscription, prices, charge, event = found
    customer = subscription.customer
    amount = Money(money.quantize(price.precise_amount, currency=prices.currency), prices.currency)
    rates = book.for_line(
        customer_id=customer.pk,
        billing_entity_id=subscription.seller_id,
        on=dates.local_date(event.timestamp, dates.zone(customer.applicable_timezone)),
        tax_ids=charge.tax_ids or prices.tax_ids,
    )
    taxed = taxed_lines.price(amount=amount, rates=rates, is_tax_inclusive=charge.is_tax_inclusive)
    if charge.is_tax_inclusive:
        price = replace(
            price,
            precise_amount=tax.net_of(gross=price.precise_amount, taxes=rates),
            unit_amount=tax.net_of(gross=price.unit_amount, taxes=rates),
        )
    return Estimate(
        subscription=subscription,
        event=event,
        charge=charge,
        metric=metrics[charge.metric.id],
        price_filter=place[0],
        group=place[1],
        price=price,
        amount=taxed.net,
        taxes=taxed.taxes,
    )
