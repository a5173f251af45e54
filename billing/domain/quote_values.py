"""The terms of a quote's version as values: what is offered, from when, for how long and at which prices.

Owns the values alone. How they are read and written is `quote_terms`', what they come to `quote_totals`'. Rates are
fractions, amounts of money minor units, days local to the customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from config.kernel import errors


class InvalidTerms(errors.Invalid):
    """The terms of a quote cannot be read, or do not fit together; details name the paths."""


class DiscountScope(StrEnum):
    """What a discount is off: the fee of the plan, or prices of charges and minimums too."""

    FEE = "fee"
    ALL = "all"


class ChangeKind(StrEnum):
    """What an amendment does; the names are those of `contract_amendments`."""

    CHANGE_TERMS = "change_terms"
    ADD_PRODUCT = "add_product"
    REMOVE_PRODUCT = "remove_product"
    EXTEND_TERM = "extend_term"
    CHANGE_COMMITMENT = "change_commitment"


@dataclass(frozen=True, slots=True)
class QuotePhase:
    """Prices of a product from so many months after its start on; the first phase starts with it.

    ``overrides`` are own terms as a subscription's ``plan_overrides`` take them, ``units`` numbers of fixed charges by
    their codes. The discount is off what plan and overrides come to. Without ``plan_version`` the plan's current one
    is meant; it is pinned when the version is submitted. In a change of terms an empty ``plan_code`` keeps the plan.
    """

    plan_code: str = ""
    after_months: int = 0
    plan_version: int | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, Decimal] = field(default_factory=dict)
    discount_rate: Decimal = Decimal(0)
    discount_scope: str = DiscountScope.FEE.value


@dataclass(frozen=True, slots=True)
class QuoteItem:
    """A product: the subscription that serves it (an empty id is made at execution) and its phases."""

    phases: tuple[QuotePhase, ...] = ()
    external_id: str = ""
    name: str = ""
    starts_after_months: int = 0


@dataclass(frozen=True, slots=True)
class QuoteCommitment:
    """What the customer commits to; the fields mean what those of `contract_drafts.NewCommitment` mean.

    Days are left out: it is for the whole term, or for each period of the product named.
    """

    amount_cents: int
    kind: str = "term"
    external_id: str = ""
    invoice_name: str = ""
    tax_codes: tuple[str, ...] = ()
    renews: bool = True
    instalments: str = "whole"
    grant_on: str = "payment"
    rolls_over: bool = False


@dataclass(frozen=True, slots=True)
class QuoteOneOff:
    """An add-on that is invoiced once, with the acceptance. None means the add-on's own price, pinned at submission."""

    add_on_code: str
    name: str = ""
    units: Decimal = Decimal(1)
    unit_amount_cents: int | None = None
    discount_rate: Decimal = Decimal(0)
    tax_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteCoupon:
    """A coupon that the customer gets; None and empty leave the coupon's own terms."""

    coupon_code: str
    amount_cents: int | None = None
    percentage_rate: Decimal | None = None
    frequency: str = ""
    frequency_duration: int | None = None


@dataclass(frozen=True, slots=True)
class QuoteCredits:
    """A wallet with credits that are paid for and credits that are given; ``rate_amount`` is what one is worth."""

    name: str = ""
    paid_credits: Decimal = Decimal(0)
    granted_credits: Decimal = Decimal(0)
    rate_amount: Decimal = Decimal(1)
    expires_after_months: int | None = None


@dataclass(frozen=True, slots=True)
class QuoteChange:
    """One change of a contract that runs, from ``effective_on`` on (None: the customer's day of acceptance).

    change_terms: ``external_id`` and one phase, ``until`` a last day or the product's end. add_product:
    ``external_id``, ``name`` and phases. remove_product: ``external_id``. extend_term: ``ends_on``. change_commitment:
    ``commitment``, of the one with ``commitment_id`` or one more.
    """

    kind: str
    external_id: str = ""
    name: str = ""
    effective_on: date | None = None
    until: date | None = None
    phases: tuple[QuotePhase, ...] = ()
    ends_on: date | None = None
    commitment_id: UUID | None = None
    commitment: QuoteCommitment | None = None


@dataclass(frozen=True, slots=True)
class QuoteTerms:
    """All that a version offers. Without ``starts_on`` it starts on the customer's day of acceptance.

    Of a renewal ``items`` and ``commitments`` are those of the next term, which is ``term_months`` long; of an
    amendment ``changes`` are what is offered. One-offs, coupons and credits come with the acceptance of any kind.
    ``payment_term_days`` None leaves the customer's.
    """

    starts_on: date | None = None
    term_months: int | None = None
    billing_time: str = "anniversary"
    renewal: str = "none"
    renewal_months: int | None = None
    notice_days: int = 0
    uplift_rate: Decimal = Decimal(0)
    uplift_scope: str = "fee"
    payment_term_days: int | None = None
    purchase_order_number: str = ""
    terms_text: str = ""
    items: tuple[QuoteItem, ...] = ()
    commitments: tuple[QuoteCommitment, ...] = ()
    one_offs: tuple[QuoteOneOff, ...] = ()
    coupons: tuple[QuoteCoupon, ...] = ()
    credits: tuple[QuoteCredits, ...] = ()
    changes: tuple[QuoteChange, ...] = ()
