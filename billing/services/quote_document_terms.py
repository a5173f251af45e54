"""The terms of a quote in words: start, term, renewal and notice, price rises, billing and payment.

Owns the wording, in the language that is active. Days are local to the customer.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils.translation import pgettext

from billing.domain.quote_figures import PhaseTotals
from billing.domain.quote_terms import QuoteTerms
from billing.models import Quote
from billing.queries.quotes import QuoteView
from config.kernel import dates, money
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Fact

DAY = timedelta(days=1)


def facts(view: QuoteView, formats: Formats) -> tuple[Fact, ...]:
    """Return the terms that apply to the kind of quote, each with a label."""
    terms = view.terms
    found = [Fact(pgettext("quote", "Acceptance"), pgettext("quote", "online with the link that you got, or signed"))]
    if view.kind in (Quote.Kind.NEW, Quote.Kind.RENEWAL):
        found += [
            Fact(pgettext("quote", "Start"), _start(view, formats)),
            Fact(pgettext("quote", "Term"), _term(terms, formats)),
            Fact(pgettext("quote", "Renewal"), _renewal(terms, formats)),
            Fact(pgettext("quote", "Price change"), _uplift(terms, formats)),
            Fact(pgettext("quote", "Billing periods"), _billing(terms)),
        ]
    found.append(Fact(pgettext("quote", "Payment"), _payment(view)))
    found.append(Fact(pgettext("quote", "Currency"), view.currency))
    return tuple(fact for fact in found if fact.value)


def months(count: Decimal, formats: Formats) -> str:
    """Return a length of time in words; parts of a month are left with their first decimal."""
    if count == 1:
        return pgettext("quote", "one month")
    return pgettext("quote", "{months} months").format(months=formats.units(money.round_half_up(count, 1)))


def stretch(phase: PhaseTotals, terms: QuoteTerms, formats: Formats) -> str:
    """Return the days of a phase where its first day is known, else the months of the term: months 1 to 6."""
    first = int(phase.from_month)
    last = first + int(phase.months)
    if terms.starts_on is not None:
        start, after = (dates.add_months(terms.starts_on, place) for place in (first, last))
        return formats.days(start, after - DAY)
    if last == first + 1:
        return pgettext("quote", "month {month}").format(month=last)
    return pgettext("quote", "months {first} to {last}").format(first=first + 1, last=last)


def _start(view: QuoteView, formats: Formats) -> str:
    if view.terms.starts_on is not None:
        return formats.day(view.terms.starts_on)
    if view.kind == Quote.Kind.RENEWAL:
        return pgettext("quote", "when the present term ends")
    return pgettext("quote", "on the day of your acceptance")


def _term(terms: QuoteTerms, formats: Formats) -> str:
    if terms.term_months is None:
        return ""
    text = months(Decimal(terms.term_months), formats)
    if terms.starts_on is None:
        return text
    last = dates.add_months(terms.starts_on, terms.term_months) - DAY
    return f"{text} ({formats.days(terms.starts_on, last)})"


def _renewal(terms: QuoteTerms, formats: Formats) -> str:
    if terms.renewal != "automatic":
        return pgettext("quote", "none: the contract ends with its term")
    term = months(Decimal(terms.renewal_months or terms.term_months or 0), formats)
    return pgettext(
        "quote", "by {term} each time, unless one of us gives notice {days} days before the end of the term"
    ).format(term=term, days=terms.notice_days)


def _uplift(terms: QuoteTerms, formats: Formats) -> str:
    if terms.renewal != "automatic" or not terms.uplift_rate:
        return ""
    rate = formats.rate(abs(terms.uplift_rate))
    is_all = terms.uplift_scope == "all"
    if terms.uplift_rate > Decimal(0):
        words = (
            pgettext("quote", "with each renewal all prices rise by {rate}")
            if is_all
            else pgettext("quote", "with each renewal the fee rises by {rate}")
        )
    else:
        words = (
            pgettext("quote", "with each renewal all prices fall by {rate}")
            if is_all
            else pgettext("quote", "with each renewal the fee falls by {rate}")
        )
    return words.format(rate=rate)


def _billing(terms: QuoteTerms) -> str:
    if terms.billing_time == "calendar":
        return pgettext("quote", "by the calendar; what is not a whole period is billed by the day")
    return pgettext("quote", "counted from the first day of the contract")


def _payment(view: QuoteView) -> str:
    days = view.terms.payment_term_days
    if days is None:
        term = None if view.customer is None else view.customer.net_payment_term
        days = view.seller.net_payment_term if term is None else term
    if not days:
        return pgettext("quote", "at once, on receipt of the invoice")
    return pgettext("quote", "{days} days after the date of the invoice").format(days=days)
