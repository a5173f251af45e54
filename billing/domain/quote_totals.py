"""What a version comes to: per phase, in a month, in the first year and over the term, before tax.

Owns these sums. Usage is not counted: its prices stand beside the lines. A line's price of an interval is rounded once,
as an invoice rounds it; what a line comes to over a phase is that price times the intervals in it, rounded once more.
Every total is a sum of such amounts. Amounts are in major units of one currency, rounded half up.
"""

from __future__ import annotations

import decimal
import itertools
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from billing.domain import quote_prices, recurring_revenue
from billing.domain.quote_figures import (
    ChangeFigures,
    CreditsTotals,
    LineTotals,
    OneOffTotals,
    PhaseTotals,
    PricedCommitment,
    PricedCoupon,
    PricedCredits,
    PricedOneOff,
    PricedPhase,
    Step,
    Stretch,
    Totals,
)
from billing.domain.quote_prices import PlanPrices
from billing.domain.quote_values import QuoteItem
from config.kernel import dates, money

YEAR = 12
MOST_TRIAL = 3660
"""Days of a trial that are counted by the calendar; a longer one is none."""

ZERO = Decimal(0)

__all__ = [
    "ChangeFigures",
    "CreditsTotals",
    "LineTotals",
    "OneOffTotals",
    "PhaseTotals",
    "PricedCommitment",
    "PricedCoupon",
    "PricedCredits",
    "PricedOneOff",
    "PricedPhase",
    "Step",
    "Stretch",
    "Totals",
    "months_between",
    "stretches",
    "totals",
]


def stretches(*, items: Sequence[QuoteItem], term_months: int) -> tuple[Stretch, ...]:
    """Return the months of all phases: those of a product follow each other and end with the term.

    A phase that begins when the term is over has no months.
    """
    found = []
    for number, item in enumerate(items):
        starts = [item.starts_after_months + phase.after_months for phase in item.phases]
        ends = [*starts[1:], term_months]
        for place, (first, last) in enumerate(zip(starts, ends, strict=True)):
            months = max(min(last, term_months) - first, 0)
            found.append(Stretch(number, place, Decimal(first), Decimal(months)))
    return tuple(found)


def months_between(*, first: date, after: date) -> Decimal:
    """Return the months from a day to the day after the last one: whole ones, and the rest by its days, unrounded."""
    whole = max((after.year - first.year) * YEAR + after.month - first.month - 1, 0)
    while dates.add_months(first, whole + 1) <= after:
        whole += 1
    begun = dates.add_months(first, whole)
    rest = max(dates.days_between(begun, after), 0)
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return whole + Decimal(rest) / dates.days_between(begun, dates.add_months(first, whole + 1))


def totals(
    *,
    currency: str,
    term_months: Decimal,
    phases: Sequence[PricedPhase],
    one_offs: Sequence[PricedOneOff] = (),
    wallets: Sequence[PricedCredits] = (),
    coupons: Sequence[PricedCoupon] = (),
    commitments: Sequence[PricedCommitment] = (),
    changes: Sequence[ChangeFigures] = (),
) -> Totals:
    """Sum a version up. Raises InvalidProperties for a price that does not price, Invalid for an unknown currency."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        told = tuple(_phase(one) for one in phases)
        sold = tuple(_one_off(one, currency) for one in one_offs)
        filled = tuple(_credits(one, currency) for one in wallets)
        once = sum((one.total for one in sold), ZERO)
        paid = sum((one.paid_amount for one in filled), ZERO)
        total = sum((one.total for one in told), ZERO) + once + paid
        listed = sum((one.list_total for one in told), ZERO) + sum((one.list_total for one in sold), ZERO) + paid
        steps = _steps(told)
        committed = sum((one.amount for one in commitments if one.kind != "period"), ZERO)
        return Totals(
            currency=currency,
            term_months=term_months,
            phases=told,
            one_offs=sold,
            credits=filled,
            coupons=tuple(coupons),
            commitments=tuple(commitments),
            steps=steps,
            recurring_amount=steps[-1].monthly_amount if steps else money.quantize(ZERO, currency=currency),
            before_recurring_amount=_before(told),
            first_year_amount=sum((one.first_year_total for one in told), ZERO) + once + paid,
            list_total_amount=listed,
            total_amount=total,
            one_off_amount=once,
            credits_amount=paid,
            free_credits_amount=sum((one.granted_amount for one in filled), ZERO),
            committed_amount=committed,
            discount_rate=money.round_half_up(quote_prices.drop(before=listed, after=total), 8),
            deepest_discount_rate=_deepest(phases, one_offs, coupons, total),
            changes=tuple(changes),
        )


def _phase(priced: PricedPhase) -> PhaseTotals:
    stretch, quoted = priced.stretch, priced.quoted
    shown = quoted or priced.listed
    lines = _lines(priced.listed, quoted, stretch, priced.starts_on) if quoted is not None else ()
    before = () if priced.before is None else _lines(priced.before, priced.before, stretch, None)
    return PhaseTotals(
        item=stretch.item,
        phase=stretch.phase,
        external_id=priced.external_id,
        name=priced.name,
        plan_code=shown.plan_code,
        plan_name=shown.plan_name,
        plan_version=shown.version,
        from_month=stretch.from_month,
        months=stretch.months,
        discount_rate=priced.discount_rate,
        discount_scope=priced.discount_scope,
        trial_days=ZERO if quoted is None or stretch.phase else quoted.trial_days,
        minimum_amount=ZERO if quoted is None else quoted.minimum,
        lines=lines,
        usage=() if quoted is None else quoted.usage,
        list_monthly_amount=sum((line.list_monthly_amount for line in lines), ZERO),
        monthly_amount=sum((line.monthly_amount for line in lines), ZERO),
        list_total=sum((line.list_total for line in lines), ZERO),
        total=sum((line.total for line in lines), ZERO),
        first_year_total=sum((line.first_year_total for line in lines), ZERO),
        is_removed=quoted is None,
        before=before,
        before_monthly_amount=sum((line.monthly_amount for line in before), ZERO),
        before_usage=() if priced.before is None else priced.before.usage,
    )


def _lines(listed: PlanPrices, quoted: PlanPrices, stretch: Stretch, first: date | None) -> tuple[LineTotals, ...]:
    in_year = max(min(Decimal(YEAR) - stretch.from_month, stretch.months), ZERO)
    spans = stretch.months, in_year
    found = []
    if listed.fee or quoted.fee or not quoted.fixed:
        trials = (_trial(listed, first), _trial(quoted, first)) if stretch.phase == 0 else (ZERO, ZERO)
        head = "fee", quoted.plan_code, quoted.plan_name, Decimal(1), quoted.interval, quoted.pay_in_advance
        found.append(_line(head, quoted.currency, (listed.fee, quoted.fee), spans, trials))
    of_list = {one.key: one for one in listed.fixed}
    for one in quoted.fixed:
        head = "fixed_charge", one.code, one.name, one.units, one.interval, quoted.pay_in_advance
        base = of_list.get(one.key, one)
        found.append(_line(head, quoted.currency, (base.amount, one.amount), spans, (ZERO, ZERO)))
    return tuple(found)


def _line(
    head: tuple[str, str, str, Decimal, str, bool],
    currency: str,
    amounts: tuple[Decimal, Decimal],
    spans: tuple[Decimal, Decimal],
    trials: tuple[Decimal, Decimal],
) -> LineTotals:
    kind, code, label, units, interval, in_advance = head
    listed, amount = (money.quantize(one, currency=currency) for one in amounts)
    length = quote_prices.months_of(interval)

    def over(price: Decimal, months: Decimal, trial: Decimal) -> Decimal:
        counted = max(months - trial, ZERO)
        return money.quantize(price * counted / length, currency=currency)

    return LineTotals(
        kind=kind,
        code=code,
        label=label,
        units=units,
        interval=interval,
        pay_in_advance=in_advance,
        list_amount=listed,
        amount=amount,
        discount_rate=money.round_half_up(quote_prices.drop(before=amounts[0], after=amounts[1]), 8),
        list_monthly_amount=money.quantize(listed / length, currency=currency),
        monthly_amount=money.quantize(amount / length, currency=currency),
        list_total=over(listed, spans[0], trials[0]),
        total=over(amount, spans[0], trials[1]),
        first_year_total=over(amount, spans[1], trials[1]),
    )


def _trial(prices: PlanPrices, first: date | None) -> Decimal:
    """Return the months of a trial that begins on a day; of an average month's days where the day is not known."""
    days = prices.trial_days
    if first is None or days != days.to_integral_value() or days > MOST_TRIAL:
        return days / recurring_revenue.DAYS_OF_MONTH
    return months_between(first=first, after=first + timedelta(days=int(days)))


def _one_off(one: PricedOneOff, currency: str) -> OneOffTotals:
    price = one.price * (1 - one.discount_rate)
    return OneOffTotals(
        code=one.code,
        name=one.name,
        units=one.units,
        list_unit_amount=one.list_price,
        unit_amount=price,
        discount_rate=money.round_half_up(quote_prices.drop(before=one.list_price, after=price), 8),
        list_total=money.quantize(one.list_price * one.units, currency=currency),
        total=money.quantize(price * one.units, currency=currency),
    )


def _credits(one: PricedCredits, currency: str) -> CreditsTotals:
    return CreditsTotals(
        name=one.name,
        paid_credits=one.paid_credits,
        granted_credits=one.granted_credits,
        rate_amount=one.rate_amount,
        paid_amount=money.quantize(one.paid_credits * one.rate_amount, currency=currency),
        granted_amount=money.quantize(one.granted_credits * one.rate_amount, currency=currency),
        expires_after_months=one.expires_after_months,
    )


def _steps(phases: Sequence[PhaseTotals]) -> tuple[Step, ...]:
    """Return what a month costs wherever that changes; a product that ends before the term does is gone then."""
    living = [one for one in phases if one.months]
    starts = {one.from_month for one in living}
    last = max((one.from_month + one.months for one in living), default=ZERO)
    ends = {one.from_month + one.months for one in living} - {last}
    found = []
    for month in sorted(starts | ends):
        running = [one for one in living if one.from_month <= month < one.from_month + one.months]
        amount = sum((one.monthly_amount for one in running), ZERO)
        found.append(Step(month, amount, sum((one.list_monthly_amount for one in running), ZERO)))
    kept = found[:1]
    kept += [later for earlier, later in itertools.pairwise(found) if later.monthly_amount != earlier.monthly_amount]
    return tuple(kept)


def _before(phases: Sequence[PhaseTotals]) -> Decimal:
    """Return what the products cost a month before anything changes: each of them once, however often it changes."""
    found: dict[object, Decimal] = {}
    for one in sorted(phases, key=lambda phase: phase.from_month):
        found.setdefault(one.external_id or (one.item, one.phase), one.before_monthly_amount)
    return sum(found.values(), ZERO)


def _deepest(
    phases: Sequence[PricedPhase],
    one_offs: Sequence[PricedOneOff],
    coupons: Sequence[PricedCoupon],
    total: Decimal,
) -> Decimal:
    found = [
        quote_prices.deepest_discount(
            listed=one.listed,
            agreed=one.agreed,
            rate=one.discount_rate,
            scope=one.discount_scope,
            months=one.stretch.months,
        )
        for one in phases
        if one.quoted is not None
    ]
    # Coupons come off what the discounts leave: many small steps are as deep as one.
    deepest = max(found, default=ZERO)
    for coupon in coupons:
        cut = coupon.rate or ZERO
        if coupon.rate is None and coupon.amount is not None and total > 0:
            cut = min(coupon.amount * (coupon.invoices or 1) / total, Decimal(1))
        deepest = quote_prices.combined(first=deepest, second=cut)
    once = [
        quote_prices.combined(
            first=quote_prices.drop(before=sold.list_price, after=sold.price), second=sold.discount_rate
        )
        for sold in one_offs
        if sold.list_price
    ]
    return money.round_half_up(max(deepest, *once) if once else deepest, 8)
