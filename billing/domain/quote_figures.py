"""The figures of a quote as values: priced parts that go into its totals, and the totals that come out.

Owns the shapes alone; the sums are `quote_totals`'. Amounts are in major units of one currency, rates fractions, days
local to the customer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.domain.quote_prices import PlanPrices, UsagePrices

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The months of a phase within the term: from so many months after its first day, for so many."""

    item: int
    phase: int
    from_month: Decimal
    months: Decimal


@dataclass(frozen=True, slots=True)
class PricedPhase:
    """A phase with its prices: of the price list, with own terms (``agreed``), and with the discount (``quoted``).

    Of an amendment ``before`` is what the contract has now; ``quoted`` None is a product that ends. ``starts_on`` is
    the product's first day, from which its trial is counted; without it a month has the days of an average one.
    """

    stretch: Stretch
    external_id: str
    name: str
    listed: PlanPrices
    agreed: PlanPrices
    quoted: PlanPrices | None
    discount_rate: Decimal = ZERO
    discount_scope: str = "fee"
    before: PlanPrices | None = None
    starts_on: date | None = None


@dataclass(frozen=True, slots=True)
class PricedOneOff:
    """An add-on that is sold once; ``list_price`` and ``price`` are of one unit before the discount."""

    code: str
    name: str
    units: Decimal
    list_price: Decimal
    price: Decimal
    discount_rate: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class PricedCredits:
    """A wallet with what is paid into it and what is given."""

    name: str
    paid_credits: Decimal
    granted_credits: Decimal
    rate_amount: Decimal
    expires_after_months: int | None = None


@dataclass(frozen=True, slots=True)
class PricedCoupon:
    """A coupon on the terms that the customer gets: a fraction, or an amount, on so many invoices (None: all)."""

    code: str
    name: str
    rate: Decimal | None
    amount: Decimal | None
    frequency: str
    invoices: int | None = None


@dataclass(frozen=True, slots=True)
class PricedCommitment:
    """A commitment as it is offered; its amount is no part of the totals, which it makes sure of."""

    kind: str
    label: str
    product: str
    amount: Decimal
    instalments: str = "whole"
    is_change: bool = False


@dataclass(frozen=True, slots=True)
class LineTotals:
    """A line of a phase. ``amount`` is of one ``interval``, ``total`` of the phase; the list's beside them."""

    kind: str
    code: str
    label: str
    units: Decimal
    interval: str
    pay_in_advance: bool
    list_amount: Decimal
    amount: Decimal
    discount_rate: Decimal
    list_monthly_amount: Decimal
    monthly_amount: Decimal
    list_total: Decimal
    total: Decimal
    first_year_total: Decimal


@dataclass(frozen=True, slots=True)
class PhaseTotals:
    """A phase with its lines and what they sum up to. ``usage`` are the prices of what is not counted.

    ``before`` are the lines that the contract has now, where the phase changes them.
    """

    item: int
    phase: int
    external_id: str
    name: str
    plan_code: str
    plan_name: str
    plan_version: int
    from_month: Decimal
    months: Decimal
    discount_rate: Decimal
    discount_scope: str
    trial_days: Decimal
    minimum_amount: Decimal
    lines: tuple[LineTotals, ...]
    usage: tuple[UsagePrices, ...]
    list_monthly_amount: Decimal
    monthly_amount: Decimal
    list_total: Decimal
    total: Decimal
    first_year_total: Decimal
    is_removed: bool = False
    before: tuple[LineTotals, ...] = ()
    before_monthly_amount: Decimal = ZERO
    before_usage: tuple[UsagePrices, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOffTotals:
    """An add-on that is sold once, with what its units come to."""

    code: str
    name: str
    units: Decimal
    list_unit_amount: Decimal
    unit_amount: Decimal
    discount_rate: Decimal
    list_total: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class CreditsTotals:
    """A wallet, with what its credits are worth."""

    name: str
    paid_credits: Decimal
    granted_credits: Decimal
    rate_amount: Decimal
    paid_amount: Decimal
    granted_amount: Decimal
    expires_after_months: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """What a month costs from a month of the term on, until the next step."""

    from_month: Decimal
    monthly_amount: Decimal
    list_monthly_amount: Decimal


@dataclass(frozen=True, slots=True)
class ChangeFigures:
    """A change of an amendment, numbered as the phases' ``item``: what a day or an amount was, and what it will be.

    ``label`` names the product or commitment. What a change of prices comes to is in the phases.
    """

    number: int
    kind: str
    label: str
    effective_on: date | None = None
    before_day: date | None = None
    after_day: date | None = None
    before_amount: Decimal | None = None
    after_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What all of it comes to. ``recurring_amount`` is of a month at the end of the term; ``steps`` are the ramp.

    ``discount_rate`` is of everything off the price list; ``deepest_discount_rate``, which approvals ask for, that of
    the one line, coupon or product with the most. ``committed_amount`` are the commitments over the term.
    """

    currency: str
    term_months: Decimal
    phases: tuple[PhaseTotals, ...]
    one_offs: tuple[OneOffTotals, ...]
    credits: tuple[CreditsTotals, ...]
    coupons: tuple[PricedCoupon, ...]
    commitments: tuple[PricedCommitment, ...]
    steps: tuple[Step, ...]
    recurring_amount: Decimal
    before_recurring_amount: Decimal
    first_year_amount: Decimal
    list_total_amount: Decimal
    total_amount: Decimal
    one_off_amount: Decimal
    credits_amount: Decimal
    free_credits_amount: Decimal
    committed_amount: Decimal
    discount_rate: Decimal
    deepest_discount_rate: Decimal
    changes: tuple[ChangeFigures, ...] = ()
