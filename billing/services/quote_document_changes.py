"""What an amendment changes, as its document shows it: before beside after. Owns turning kept figures into text, in the
language that is active.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils.translation import pgettext

from billing.domain.quote_document import Change
from billing.domain.quote_figures import LineTotals
from billing.domain.quote_prices import UsagePrices
from billing.queries.quotes import ChangeView, QuoteView
from billing.services import quote_document_parts as parts
from billing.services import quote_price_words
from invoicing.domain.document_formats import Formats

EXTENSION = "extend_term"


def changes(view: QuoteView, formats: Formats) -> tuple[Change, ...]:
    """Return what an amendment changes, with what was before beside what will be."""
    return tuple(_change(one, view, formats) for one in view.changes)


def _change(one: ChangeView, view: QuoteView, formats: Formats) -> Change:
    figures, currency = one.figures, view.currency
    # A longer term leaves prices as they are: what it changes are days.
    phases = () if one.kind == EXTENSION else one.phases
    before = [_told(line, currency, formats) for phase in phases for line in phase.before]
    after = [_told(line, currency, formats) for phase in phases for line in phase.lines]
    if figures.before_day is not None:
        before.append(pgettext("quote", "until {day}").format(day=formats.day(figures.before_day)))
    if figures.after_day is not None:
        after.append(pgettext("quote", "until {day}").format(day=formats.day(figures.after_day)))
    if figures.before_amount is not None:
        before.append(parts.written(figures.before_amount, currency, formats))
    if figures.after_amount is not None:
        after.append(parts.written(figures.after_amount, currency, formats))
    if one.kind == "remove_product":
        after = [pgettext("quote", "ends"), *after]
    if figures.effective_on is None:
        effective = pgettext("quote", "from the day of your acceptance on")
    else:
        effective = pgettext("quote", "from {day} on").format(day=formats.day(figures.effective_on))
    return Change(
        label=": ".join(text for text in (_kind(one.kind), _product_name(one)) if text),
        effective=effective,
        before=tuple(before),
        after=tuple(after),
        before_usage=tuple(
            text for phase in phases for text in _usage_lines(phase.before_usage, phase.usage, currency, formats)
        ),
        after_usage=tuple(
            text for phase in phases for text in _usage_lines(phase.usage, phase.before_usage, currency, formats)
        ),
    )


def _product_name(one: ChangeView) -> str:
    """Return what a customer calls the product: its name or that of its plan rather than an id of the system."""
    named = next((phase for phase in one.phases if phase.external_id == one.figures.label), None)
    if named is None:
        return one.figures.label
    return named.plan_name if named.name in ("", named.external_id) else named.name


def _kind(kind: str) -> str:
    return {
        "change_terms": pgettext("quote", "Other terms"),
        "add_product": pgettext("quote", "Product added"),
        "remove_product": pgettext("quote", "Product ends"),
        "extend_term": pgettext("quote", "Longer term"),
        "change_commitment": pgettext("quote", "Other commitment"),
    }[kind]


def _told(line: LineTotals, currency: str, formats: Formats) -> str:
    paid = quote_price_words.every(parts.written(line.amount, currency, formats), line.interval)
    if line.kind == "fee":
        return f"{line.label}: {paid}"
    return f"{formats.units(line.units)} × {line.label}: {paid}"


def _usage_lines(
    told: Sequence[UsagePrices], others: Sequence[UsagePrices], currency: str, formats: Formats
) -> Iterator[str]:
    """Return the prices by use that are not the same on the other side."""
    for one in told:
        if not any(parts.is_same([one], [other]) for other in others):
            shown = parts.usage(one, currency, formats)
            yield f"{shown.label}: {'; '.join(str(price) for price in shown.prices)}"
