"""Coupons of customers: giving one, taking it off, and counting what invoices use of it.

What a coupon takes off an invoice is decided by whoever issues invoices; they lock the coupons here, use them and save
them in one transaction. Locks go from the customer to the coupon to what was applied, in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypedDict
from uuid import UUID

from django.db import models, transaction
from moneyed import Money

from catalog.domain import coupons as coupon_rules
from catalog.models import Coupon
from catalog.queries import coupons as coupon_queries
from catalog.services import coupons
from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.domain import coupons as rules
from customers.domain.coupons import Terms
from customers.models import AppliedCoupon, Customer
from customers.queries import applied_coupons, customers
from customers.services import agreed_currencies

_USED = ["status", "ended_by", "used_amount", "frequency_duration_remaining", "terminated_at", "updated_at"]


class OwnTerms(TypedDict, total=False):
    """What a customer gets instead of the coupon's own terms; absent and None leave those.

    ``amount_cents`` is in minor units of ``amount_currency``, else of the coupon's currency; ``rate`` is a fraction.
    """

    amount_cents: int | None
    amount_currency: str
    rate: Decimal | None
    frequency: str
    frequency_duration: int | None


@dataclass(frozen=True)
class Offer:
    """A coupon that somebody is about to give a customer, for whoever can tell what would come of it."""

    external_customer_id: str
    coupon_code: str
    terms: OwnTerms
    actor: Actor
    at: datetime


@transaction.atomic
def apply(
    *,
    external_customer_id: str,
    coupon_code: str,
    terms: OwnTerms,
    actor: Actor,
    at: datetime,
    public_id: UUID | None = None,
) -> AppliedCoupon:
    """Give a customer a coupon, on terms of its own where ``terms`` says so. Not idempotent: twice gives two.
    ``public_id`` is what it is known by, where it has an id already.

    A customer without a currency gets that of an amount. Raises NotFound (`customer_not_found`, `coupon_not_found` also
    for one that ended), NotAllowed (`plan_overlapping`) where it has one for the same plan, and Invalid:
    `coupon_is_not_reusable`, `currencies_does_not_match`, and codes by field for terms that a coupon cannot have.
    """
    found = customers.by_external_id(external_id=external_customer_id)
    customer = db.lock_one(Customer.objects.filter(pk=found.pk))
    coupon = coupons.locked(coupon_code)
    if not coupon_queries.offered(at=at).filter(pk=coupon.pk).exists():
        raise coupon_queries.not_found(coupon_code)
    if _overlaps(customer, coupon):
        raise errors.NotAllowed("plan_overlapping", "The customer has a coupon for one of these plans already.")
    if not coupon.is_reusable and AppliedCoupon.objects.filter(customer=customer, coupon=coupon).exists():
        message = f"{coupon} is applied to a customer once."
        raise errors.Invalid("validation_errors", message, {"coupon": ["coupon_is_not_reusable"]})
    applied = _applied(customer, coupon, terms, at)
    applied.uuid = public_id or applied.uuid
    if applied.amount is not None:
        _agree_currency(customer, applied.currency, actor, at)
    applied.save(force_insert=True)
    audit.record(actor=actor, at=at, verb="apply", instance=applied, new=_shown(applied))
    return applied_coupons.find(applied.uuid, customer=found)


@transaction.atomic
def terminate(*, applied_coupon_id: int, actor: Actor, at: datetime) -> AppliedCoupon:
    """Take a coupon off a customer: invoices issued from now on do not use it. Idempotent. Raises NotFound."""
    try:
        applied = db.lock_one(AppliedCoupon.objects.filter(pk=applied_coupon_id).select_related("coupon", "customer"))
    except AppliedCoupon.DoesNotExist:
        raise errors.NotFound("applied_coupon_not_found", "The customer has no such coupon.") from None
    if applied.status == AppliedCoupon.Status.ACTIVE:
        end_all(applied=[applied], ended_by=AppliedCoupon.EndedBy.REMOVAL, actor=actor, at=at)
    return applied


def end_all(*, applied: Sequence[AppliedCoupon], ended_by: str, actor: Actor, at: datetime) -> None:
    """End locked coupons of customers, all for the same reason, in two statements. Needs a transaction."""
    for row in applied:
        _end(row, ended_by, at)
    AppliedCoupon.objects.bulk_update(applied, _USED, batch_size=500)
    audit.record_many(actor=actor, at=at, notes=[_ended(row) for row in applied])


def end_of_customer(*, customer_id: int, actor: Actor, at: datetime) -> None:
    """End the coupons of a customer that is retired. Needs a transaction."""
    rows = AppliedCoupon.objects.filter(customer_id=customer_id, status=AppliedCoupon.Status.ACTIVE)
    held = db.lock(rows.select_related("coupon"))
    if held:
        end_all(applied=held, ended_by=AppliedCoupon.EndedBy.REMOVAL, actor=actor, at=at)


def locked_active(*, customer_ids: Collection[int], at: datetime) -> list[AppliedCoupon]:
    """Lock the coupons of customers that may be used at that moment, and read them with their limits.

    One query where there are none, else three. What expired is left out, also before the hourly job ends it. Needs a
    transaction.
    """
    return db.lock(_usable(customer_ids, at))


def active(*, customer_ids: Collection[int], at: datetime) -> list[AppliedCoupon]:
    """Return what `locked_active` does without a lock, for whoever only asks what would be used."""
    return list(_usable(customer_ids, at).order_by("pk"))


def available(applied: AppliedCoupon) -> Money | None:
    """Return what may be taken off the next invoice of an amount; None for a rate."""
    return _terms(applied).available


def use(*, applied: AppliedCoupon, amount: Money, at: datetime) -> None:
    """Count the use of a locked coupon on one invoice; one that is over ends. Saves nothing: call `save_used` then."""
    terms, is_over = rules.used(_terms(applied), amount=amount)
    _count(applied, terms, at)
    if is_over:
        _end(applied, AppliedCoupon.EndedBy.USE, at)


def give_back(*, applied: AppliedCoupon, amount: Money, at: datetime) -> None:
    """Take back the use of a locked coupon on one invoice. Saves nothing: call `save_used` then.

    One that ended by its use may be used again, unless it expired meanwhile; one that was taken off stays off.
    """
    _count(applied, rules.given_back(_terms(applied), amount=amount), at)
    if applied.ended_by != AppliedCoupon.EndedBy.USE:
        return
    if applied.coupon.deleted_at is not None:
        _end(applied, AppliedCoupon.EndedBy.REMOVAL, at)
    elif applied.coupon.expires_at is not None and applied.coupon.expires_at <= at:
        _end(applied, AppliedCoupon.EndedBy.EXPIRY, at)
    else:
        applied.status = AppliedCoupon.Status.ACTIVE
        applied.ended_by = AppliedCoupon.EndedBy.NOTHING
        applied.terminated_at = None


def save_used(*, applied: Sequence[AppliedCoupon], actor: Actor, at: datetime) -> None:
    """Save what `use` and `give_back` counted; ends are told on the audit trail. Two statements at most."""
    AppliedCoupon.objects.bulk_update(applied, _USED, batch_size=500)
    ended = [row for row in applied if row.terminated_at == at]
    if ended:
        audit.record_many(actor=actor, at=at, notes=[_ended(row) for row in ended])


def _usable(customer_ids: Collection[int], at: datetime) -> models.QuerySet[AppliedCoupon]:
    unexpired = models.Q(coupon__expires_at__isnull=True) | models.Q(coupon__expires_at__gt=at)
    rows = AppliedCoupon.objects.filter(
        unexpired, customer_id__in=customer_ids, status=AppliedCoupon.Status.ACTIVE, coupon__deleted_at__isnull=True
    )
    return rows.select_related("coupon").prefetch_related("coupon__plans", "coupon__metrics")


def _overlaps(customer: Customer, coupon: Coupon) -> bool:
    plan_ids = list(coupon.plans.values_list("pk", flat=True))
    if not plan_ids:
        return False
    rows = AppliedCoupon.objects.filter(customer=customer, status=AppliedCoupon.Status.ACTIVE)
    return rows.filter(coupon__plans__in=plan_ids).exists()


def _applied(customer: Customer, coupon: Coupon, terms: OwnTerms, at: datetime) -> AppliedCoupon:
    frequency = terms.get("frequency") or coupon.frequency
    duration = terms.get("frequency_duration")
    duration = coupon.frequency_duration if duration is None else duration
    amount, rate = _amount(coupon, terms), terms.get("rate")
    rate = coupon.rate if rate is None else rate
    details = coupon_rules.check_terms(
        kind=coupon.kind, amount=amount, rate=rate, frequency=frequency, frequency_duration=duration
    )
    if details:
        raise errors.Invalid("validation_errors", f"Please check: {', '.join(details)}.", details)
    recurring = duration if frequency == Coupon.Frequency.RECURRING else None
    return AppliedCoupon(
        created_at=at,
        updated_at=at,
        coupon=coupon,
        customer=customer,
        currency="" if amount is None else amount.currency.code,
        amount=amount,
        used_amount=None if amount is None else money.zero(amount.currency.code),
        rate=rate,
        frequency=frequency,
        frequency_duration=recurring,
        frequency_duration_remaining=recurring,
    )


def _amount(coupon: Coupon, terms: OwnTerms) -> Money | None:
    cents, currency = terms.get("amount_cents"), terms.get("amount_currency") or coupon.currency
    if currency and not money.known(currency):
        raise errors.Invalid("validation_errors", "", {"amount_currency": ["value_is_invalid"]})
    if cents is None and currency == coupon.currency:
        return coupon.amount
    if cents is None:
        # The coupon's figure would be worth something else in another currency.
        raise errors.Invalid("validation_errors", "", {"amount_cents": ["value_is_mandatory"]})
    if not currency:
        raise errors.Invalid("validation_errors", "", {"amount_cents": ["coupon_type_does_not_match"]})
    return money.from_minor(cents, currency)


def _agree_currency(customer: Customer, currency: str, actor: Actor, at: datetime) -> None:
    if customer.currency and customer.currency != currency:
        message = f"The customer is billed in {customer.currency}, and the coupon is in {currency}."
        raise errors.Invalid("validation_errors", message, {"currency": ["currencies_does_not_match"]})
    agreed_currencies.agree(customer=customer, currency=currency, actor=actor, at=at)


def _terms(applied: AppliedCoupon) -> Terms:
    return Terms(
        frequency=applied.frequency,
        amount=applied.amount,
        used=applied.used_amount,
        remaining=applied.frequency_duration_remaining,
    )


def _count(applied: AppliedCoupon, terms: Terms, at: datetime) -> None:
    if terms.used is not None:
        applied.used_amount = terms.used
    applied.frequency_duration_remaining = terms.remaining
    applied.updated_at = at


def _end(applied: AppliedCoupon, ended_by: str, at: datetime) -> None:
    applied.status = AppliedCoupon.Status.TERMINATED
    applied.ended_by = AppliedCoupon.EndedBy(ended_by)
    applied.terminated_at = applied.updated_at = at


def _ended(applied: AppliedCoupon) -> audit.Note:
    return audit.Note(
        instance=applied,
        verb="terminate",
        old={"status": AppliedCoupon.Status.ACTIVE.value},
        new={"status": applied.status, "ended_by": applied.ended_by},
    )


def _shown(applied: AppliedCoupon) -> dict[str, object]:
    amount = None if applied.amount is None else money.to_minor(applied.amount)
    return {
        "customer": applied.customer.external_id,
        "coupon": applied.coupon.code,
        "amount_cents": amount,
        "currency": applied.currency,
        "rate": applied.rate,
        "frequency": applied.frequency,
        "frequency_duration": applied.frequency_duration,
    }
