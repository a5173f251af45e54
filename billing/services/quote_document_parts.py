"""The parts of an offer as its document shows them: products in phases, what is sold once, credits, coupons and
commitments. Owns turning kept figures into text, in the language that is active; amendments are
`quote_document_changes`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.utils.translation import pgettext
from moneyed import Money

from billing.domain.quote_document import Item, Items, Line, Phase, Product, Usage, UsagePrice
from billing.domain.quote_figures import CreditsTotals, LineTotals, PhaseTotals, PricedCommitment, PricedCoupon, Totals
from billing.domain.quote_prices import UsagePrices
from billing.domain.quote_terms import QuoteTerms
from billing.services import quote_document_terms, quote_price_words
from config.kernel import money
from invoicing.domain.document_formats import Formats

ONE = Decimal(1)
RATE_PLACES = 4
UNIT_PLACES = 6
MONTHLY = "monthly"


def products(found: Totals, terms: QuoteTerms, formats: Formats) -> tuple[Product, ...]:
    """Return the products with their phases; one that would not begin before the term is over is left out."""
    living = [phase for phase in found.phases if phase.months]
    by_item = groupby(living, key=lambda phase: phase.item)
    return tuple(_product(list(phases), found, terms, formats) for _, phases in by_item)


def one_offs(found: Totals, formats: Formats) -> tuple[Line, ...]:
    """Return what is invoiced once."""
    rows = []
    for one in found.one_offs:
        has_cut = one.list_total > one.total
        price = formats.price(_unit(one.unit_amount, found.currency), currency=found.currency)
        listed = formats.price(_unit(one.list_unit_amount, found.currency), currency=found.currency)
        rows.append(
            Line(
                label=one.name,
                units=formats.units(one.units),
                list_price=listed if has_cut else "",
                discount=rate(one.discount_rate, formats) if has_cut else "",
                price=written(one.total, found.currency, formats),
                notes=(pgettext("quote", "{price} each").format(price=price),) if one.units != ONE else (),
            )
        )
    return tuple(rows)


def items(found: Totals, formats: Formats) -> tuple[Items, ...]:
    """Return prepaid credits, commitments and coupons, those that there are."""
    groups = (
        Items(
            pgettext("quote", "Prepaid credits"),
            tuple(_credits(one, found.currency, formats) for one in found.credits),
        ),
        Items(
            pgettext("quote", "What you commit to"),
            tuple(_commitment(one, found.currency, formats) for one in found.commitments),
        ),
        Items(pgettext("quote", "Coupons"), tuple(_coupon(one, found.currency, formats) for one in found.coupons)),
    )
    return tuple(group for group in groups if group.rows)


def rate(value: Decimal, formats: Formats) -> str:
    """Write a discount of eight places with two decimals of a percent at most: 12.5 %."""
    return formats.rate(money.round_half_up(value, RATE_PLACES))


def _product(phases: Sequence[PhaseTotals], found: Totals, terms: QuoteTerms, formats: Formats) -> Product:
    first = phases[0]
    is_alone = len(phases) == 1 and not first.from_month
    ways = {line.pay_in_advance for phase in phases for line in phase.lines}
    shown = []
    for earlier, one in zip([None, *phases], phases, strict=False):
        same_usage = earlier is not None and bool(one.usage) and is_same(one.usage, earlier.usage)
        shown.append(_phase(one, found, terms, formats, is_alone=is_alone, same_usage=same_usage))
    return Product(
        name=first.name or first.plan_name,
        phases=tuple(shown),
        note=_when_billed(ways.pop()) if len(ways) == 1 else "",
    )


def _phase(
    one: PhaseTotals, found: Totals, terms: QuoteTerms, formats: Formats, *, is_alone: bool, same_usage: bool
) -> Phase:
    notes = []
    if one.trial_days:
        days = formats.units(one.trial_days)
        notes.append(pgettext("quote", "The first {days} days are a free trial.").format(days=days))
    if one.minimum_amount:
        least = written(money.quantize(one.minimum_amount, currency=found.currency), found.currency, formats)
        every = quote_price_words.every(least, one.lines[0].interval if one.lines else MONTHLY)
        notes.append(pgettext("quote", "At least {price} is billed.").format(price=every))
    is_named = bool(one.name) and one.plan_name != one.name
    is_plain = is_alone and len(one.lines) == 1 and one.lines[0].interval == MONTHLY
    in_all = pgettext("quote", "{amount} in all").format(amount=written(one.total, found.currency, formats))
    is_mixed = len({line.pay_in_advance for line in one.lines}) > 1
    return Phase(
        label=one.plan_name if is_named or not is_alone else "",
        period="" if is_alone else quote_document_terms.stretch(one, terms, formats),
        lines=tuple(_line(line, found.currency, formats, with_way=is_mixed) for line in one.lines),
        a_month="" if is_plain or not one.lines else written(one.monthly_amount, found.currency, formats),
        in_all="" if is_alone else in_all,
        usage=() if same_usage else tuple(usage(price, found.currency, formats) for price in one.usage),
        usage_note=pgettext("quote", "What is billed by use costs the same as before.") if same_usage else "",
        notes=tuple(notes),
    )


def _line(line: LineTotals, currency: str, formats: Formats, *, with_way: bool) -> Line:
    has_cut = line.list_amount > line.amount
    paid = written(line.amount, currency, formats)
    return Line(
        label=line.label,
        units="" if line.kind == "fee" else formats.units(line.units),
        list_price=written(line.list_amount, currency, formats) if has_cut else "",
        discount=rate(line.discount_rate, formats) if has_cut else "",
        price=quote_price_words.every(paid, line.interval),
        notes=(_when_billed(line.pay_in_advance),) if with_way else (),
    )


def _when_billed(in_advance: bool) -> str:  # noqa: FBT001 - the one thing that it tells
    if in_advance:
        return pgettext("quote", "billed at the beginning of each period")
    return pgettext("quote", "billed at the end of each period")


def usage(price: UsagePrices, currency: str, formats: Formats) -> Usage:
    """Return the price of what is billed by use; prices for some values of a property have lines of their own."""

    def parts(properties: Mapping[str, Any]) -> tuple[UsagePrice, ...]:
        return quote_price_words.price(
            model=price.model, properties=properties, currency=currency, formats=formats, unit=price.unit
        )

    told = list(parts(price.properties))
    for part in price.filters:
        name = part.name or ", ".join("/".join(chosen) for chosen in part.values.values())
        own = parts(part.properties)
        told += [UsagePrice(one.price, ", ".join(text for text in (name, one.when) if text)) for one in own]
    if price.minimum:
        least = written(money.quantize(price.minimum, currency=currency), currency, formats)
        told.append(UsagePrice(quote_price_words.every(least, price.interval), pgettext("quote", "at least")))
    notes = [quote_price_words.how(model=price.model, properties=price.properties)]
    if price.unit:
        worth = formats.price(price.unit_rate, currency=currency)
        notes.append(pgettext("quote", "one {unit} is worth {price}").format(unit=price.unit, price=worth))
    return Usage(label=price.name or price.metric_name, prices=tuple(told), notes=tuple(note for note in notes if note))


def _credits(one: CreditsTotals, currency: str, formats: Formats) -> Item:
    worth = formats.price(one.rate_amount, currency=currency)
    notes = [pgettext("quote", "One credit is worth {price}.").format(price=worth)]
    if one.paid_credits:
        text = pgettext("quote", "{units} credits are paid for: {amount}")
        notes.append(
            text.format(units=formats.units(one.paid_credits), amount=written(one.paid_amount, currency, formats))
        )
    if one.granted_credits:
        text = pgettext("quote", "{units} credits are free of charge, worth {amount}")
        notes.append(
            text.format(units=formats.units(one.granted_credits), amount=written(one.granted_amount, currency, formats))
        )
    if one.expires_after_months is not None:
        term = quote_document_terms.months(Decimal(one.expires_after_months), formats)
        notes.append(pgettext("quote", "Valid for {term}.").format(term=term))
    return Item(
        one.name or pgettext("quote", "Prepaid credits"), written(one.paid_amount, currency, formats), tuple(notes)
    )


def _commitment(one: PricedCommitment, currency: str, formats: Formats) -> Item:
    amount = written(one.amount, currency, formats)
    kinds = {
        "term": pgettext("quote", "Minimum over the term"),
        "period": pgettext("quote", "Minimum in each period"),
        "prepaid": pgettext("quote", "Prepaid over the term"),
    }
    notes = [kinds.get(one.kind, ""), one.product]
    if one.kind == "prepaid":
        ways = {
            "whole": pgettext("quote", "invoiced at once"),
            "monthly": pgettext("quote", "invoiced in monthly parts"),
            "quarterly": pgettext("quote", "invoiced in quarterly parts"),
            "yearly": pgettext("quote", "invoiced in yearly parts"),
        }
        notes.append(ways.get(one.instalments, ""))
    label = one.label or notes[0]
    return Item(label, amount, tuple(note for note in notes if note and note != label))


def _coupon(one: PricedCoupon, currency: str, formats: Formats) -> Item:
    value = ""
    if one.rate is not None:
        value = rate(one.rate, formats)
    elif one.amount is not None:
        value = written(money.quantize(one.amount, currency=currency), currency, formats)
    if one.frequency == "forever":
        how = pgettext("quote", "off every invoice")
    elif one.invoices is not None and one.invoices > 1:
        how = pgettext("quote", "off the first {count} invoices").format(count=one.invoices)
    else:
        how = pgettext("quote", "off, once")
    return Item(one.name, f"{value} {how}".strip())


def is_same(first: Sequence[UsagePrices], second: Sequence[UsagePrices]) -> bool:
    """Say whether prices are the same, whichever version of a plan they are of."""
    return [replace(one, key="") for one in first] == [replace(one, key="") for one in second]


def _unit(amount: Decimal, currency: str) -> Decimal:
    return money.round_half_up(amount, max(money.exponent(currency), UNIT_PLACES))


def written(amount: Decimal, currency: str, formats: Formats) -> str:
    """Write a rounded amount of money."""
    return formats.money(Money(amount, currency))
