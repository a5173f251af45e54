"""Drafts of versions: adding one to a quote, and keeping what its terms come to beside them.

Owns writing terms and figures of a draft. Whoever calls holds the lock of the quote; the verbs are `quote_versions`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from moneyed import Money

from billing.domain import quote_snapshots, quote_terms
from billing.domain.quote_figures import Totals
from billing.domain.quote_values import QuoteTerms
from billing.models import Quote, QuoteVersion
from billing.services import quote_pricing
from config.kernel import errors, money

MOST_TEXT = 100_000
FIGURES = [
    "terms",
    "figures",
    "term_months",
    "payment_term_days",
    "discount_rate",
    "recurring_amount",
    "first_year_amount",
    "total_amount",
]


def add(
    *,
    quote: Quote,
    currency: str,
    terms: QuoteTerms,
    introduction: str,
    valid_until: date | None,
    behind: Sequence[int] = (),
    at: datetime,
) -> QuoteVersion:
    """Add the next version of a quote, a draft. Terms that cannot be priced yet are kept without figures.

    ``behind`` are the people who know the keys by which it was written. Raises Invalid for a currency that is none or a
    text that is too long.
    """
    money.exponent(currency)
    demand_text(introduction)
    last = quote.versions.order_by("-number").values_list("number", flat=True).first()
    version = QuoteVersion(
        created_at=at,
        updated_at=at,
        quote=quote,
        number=(last or 0) + 1,
        currency=currency,
        introduction=introduction,
        valid_until=valid_until,
        behind=list(behind),
    )
    keep(version=version, terms=terms, totals=tried(version=version, terms=terms, at=at))
    version.save(force_insert=True)
    return version


def tried(*, version: QuoteVersion, terms: QuoteTerms, at: datetime) -> Totals | None:
    """Return what terms come to, or nothing where they cannot be priced: a draft may be incomplete."""
    try:
        return quote_pricing.calculate(quote=version.quote, currency=version.currency, terms=terms, at=at)
    except errors.DomainError:
        return None


def keep(*, version: QuoteVersion, terms: QuoteTerms, totals: Totals | None) -> None:
    """Set terms and figures of a version; saves nothing."""
    version.terms = quote_terms.written(terms)
    version.term_months = terms.term_months
    version.payment_term_days = terms.payment_term_days
    version.figures = {} if totals is None else quote_snapshots.written(totals)
    version.discount_rate = 0 if totals is None else totals.deepest_discount_rate
    version.recurring_amount = None if totals is None else Money(totals.recurring_amount, version.currency)
    version.first_year_amount = None if totals is None else Money(totals.first_year_amount, version.currency)
    version.total_amount = None if totals is None else Money(totals.total_amount, version.currency)


def demand_text(introduction: str) -> None:
    """Demand an introduction that is not too long. Raises Invalid (`introduction`)."""
    if len(introduction) > MOST_TEXT:
        raise errors.Invalid("validation_errors", "", {"introduction": ["value_is_too_long"]})
