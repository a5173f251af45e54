"""What the terms of a version come to: every phase, change and part of it priced by the catalogue, and summed up.

Owns gathering the prices for `quote_totals`; writes nothing. What is wrong is told by the path in the terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from billing.domain import quote_totals
from billing.domain.quote_figures import (
    PricedCommitment,
    PricedCoupon,
    PricedCredits,
    PricedOneOff,
    PricedPhase,
    Stretch,
    Totals,
)
from billing.domain.quote_values import QuoteCommitment, QuoteCoupon, QuoteItem, QuoteOneOff, QuoteTerms
from billing.models import Contract, Quote
from billing.services import quote_change_prices, quote_phase_prices, quote_rows
from billing.services.quote_change_prices import Priced
from billing.services.quote_phase_prices import under
from catalog.models import Coupon
from catalog.queries import add_ons, coupons, taxes
from config.kernel import dates, errors, money

OPEN_TERM = 12
"""Months that a draft without a term is shown for."""

MOST_AMOUNT = Decimal(10) ** 15
"""What a quote comes to stays below this, in major units."""


@dataclass(frozen=True, slots=True)
class Where:
    """What prices are worked out for: the currency, the contract that is changed, and the local day of today."""

    currency: str
    today: date
    at: datetime
    contract: Contract | None = None


def calculate(*, quote: Quote, currency: str, terms: QuoteTerms, at: datetime) -> Totals:
    """Return what terms come to now: the live totals of an editor. Writes nothing.

    A draft without a term is summed up over a year. Raises InvalidTerms with the path of what is wrong.
    """
    return of(
        terms=terms,
        where=Where(currency=currency, today=quote_rows.today(quote, at), at=at, contract=quote.contract),
        is_renewal=quote.kind == Quote.Kind.RENEWAL,
    )


def of(*, terms: QuoteTerms, where: Where, is_renewal: bool = False) -> Totals:
    """Return what terms come to. Raises as `calculate`."""
    if not money.known(where.currency):
        raise errors.Invalid("invalid_currency", "This is no currency.", {"currency": ["invalid_currency"]})
    months = terms.term_months or OPEN_TERM
    term = Decimal(months)
    first = None if is_renewal else terms.starts_on or where.today
    phases = items(items=terms.items, term_months=months, where=where, is_renewal=is_renewal, first=first)
    changed = Priced()
    if terms.changes and where.contract is not None:
        changed = quote_change_prices.of(changes=terms.changes, contract=where.contract, today=where.today, at=where.at)
        phases = [*phases, *changed.phases]
        term = changed.months
    committed = [_commitment(n, row, terms.items, where) for n, row in enumerate(terms.commitments)]
    found = quote_totals.totals(
        currency=where.currency,
        term_months=term,
        phases=phases,
        one_offs=[one_off(number, row, where) for number, row in enumerate(terms.one_offs)],
        wallets=[
            PricedCredits(
                row.name or "Credits",
                row.paid_credits,
                row.granted_credits,
                row.rate_amount,
                row.expires_after_months,
            )
            for row in terms.credits
        ],
        coupons=[_coupon(number, row, where) for number, row in enumerate(terms.coupons)],
        commitments=[*committed, *changed.commitments],
        changes=changed.changes,
    )
    if max(found.list_total_amount, found.total_amount, found.free_credits_amount) >= MOST_AMOUNT:
        raise errors.Invalid(
            "validation_errors", "The quote comes to more than an amount can be.", {"terms": ["value_is_out_of_range"]}
        )
    return found


def items(
    *,
    items: Sequence[QuoteItem],
    term_months: int,
    where: Where,
    is_renewal: bool = False,
    first: date | None = None,
) -> list[PricedPhase]:
    """Return the priced phases of products; of a renewal beside what the contract has at its end.

    ``first`` is the first day of the term, as far as it is known: today where it is the day of acceptance.
    """
    before = quote_change_prices.at_the_end(contract=where.contract, at=where.at) if is_renewal else {}
    found = []
    shelf = quote_phase_prices.Shelf()
    for stretch in quote_totals.stretches(items=items, term_months=term_months):
        item = items[stretch.item]
        phase = item.phases[stretch.phase]
        with under(f"items.{stretch.item}.phases.{stretch.phase}"):
            prices = quote_phase_prices.of(phase=phase, currency=where.currency, at=where.at, shelf=shelf)
        found.append(
            PricedPhase(
                stretch=Stretch(stretch.item, stretch.phase, stretch.from_month, stretch.months),
                external_id=item.external_id,
                name=item.name or prices.quoted.plan_name,
                listed=prices.listed,
                agreed=prices.agreed,
                quoted=prices.quoted,
                discount_rate=phase.discount_rate,
                discount_scope=phase.discount_scope,
                before=before.get(item.external_id) if stretch.phase == 0 else None,
                starts_on=None if first is None else dates.add_months(first, item.starts_after_months),
            )
        )
    return found


def one_off(number: int, row: QuoteOneOff, where: Where) -> PricedOneOff:
    """Return an add-on with the price of one, which is the add-on's own unless the terms name another."""
    path = f"one_offs.{number}"
    with under(f"{path}.add_on_code"):
        add_on = add_ons.by_code(code=row.add_on_code)
    _demand_taxes(row.tax_codes, path)
    same = add_on.currency == where.currency
    if row.unit_amount_cents is None and not same:
        raise errors.Invalid(
            "validation_errors",
            f"The price of {add_on} is in {add_on.currency}: name one in {where.currency}.",
            {f"{path}.unit_amount_cents": ["value_is_mandatory"]},
        )
    own = add_on.amount.amount
    price = own if row.unit_amount_cents is None else money.from_minor(row.unit_amount_cents, where.currency).amount
    return PricedOneOff(
        code=add_on.code,
        name=row.name or add_on.invoice_display_name or add_on.name,
        units=row.units,
        list_price=own if same else price,
        price=price,
        discount_rate=row.discount_rate,
    )


def _coupon(number: int, row: QuoteCoupon, where: Where) -> PricedCoupon:
    path = f"coupons.{number}"
    coupon = coupons.offered(at=where.at).filter(code=row.coupon_code).first()
    if coupon is None:
        raise _refused(f"{path}.coupon_code", "coupon_not_found", f"There is no coupon {row.coupon_code}.")
    is_rate = coupon.kind == Coupon.Kind.PERCENTAGE
    if is_rate and row.amount_cents is not None:
        raise _refused(f"{path}.amount_cents", "unsupported_value", "The coupon is a percentage.")
    if not is_rate and row.percentage_rate is not None:
        raise _refused(f"{path}.percentage_rate", "unsupported_value", "The coupon is an amount.")
    amount: Decimal | None = None
    if not is_rate:
        if coupon.currency != where.currency:
            raise _refused(f"{path}.coupon_code", "currencies_does_not_match", f"The coupon is in {coupon.currency}.")
        amount = coupon.amount.amount
        if row.amount_cents is not None:
            amount = money.from_minor(row.amount_cents, where.currency).amount
    frequency = row.frequency or coupon.frequency
    duration = row.frequency_duration or coupon.frequency_duration
    if frequency == Coupon.Frequency.RECURRING and not duration:
        raise _refused(f"{path}.frequency_duration", "value_is_mandatory", "Say on how many invoices.")
    invoices = {"once": 1, "recurring": duration}.get(frequency)
    rate = (row.percentage_rate or coupon.rate) if is_rate else None
    return PricedCoupon(coupon.code, coupon.name, rate, amount, frequency, invoices)


def _commitment(number: int, row: QuoteCommitment, sold: Sequence[QuoteItem], where: Where) -> PricedCommitment:
    _demand_taxes(row.tax_codes, f"commitments.{number}")
    names = {item.external_id: item.name or item.external_id for item in sold}
    return PricedCommitment(
        kind=row.kind,
        label=row.invoice_name,
        product=names.get(row.external_id, row.external_id),
        amount=money.from_minor(row.amount_cents, where.currency).amount,
        instalments=row.instalments,
    )


def _demand_taxes(codes: Sequence[str], path: str) -> None:
    if codes:
        with under(f"{path}.tax_codes"):
            taxes.by_codes(codes=codes)


def _refused(field: str, code: str, message: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", message, {field: [code]})
