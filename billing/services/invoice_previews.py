"""What an invoice would be: the first of a contract that is not made yet, the next of subscriptions that run, the one
of a change of plan or of an end. Owns the plays; what is billed is decided by the verbs and by `billing_days`.

Everything is done as it would be, coupons, credits and prepaid money taken, then shown, then undone: no row, no number,
no message stays. Whoever asks gives a function that reads the invoice while it is there.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from billing.domain import chosen_times
from billing.models import Subscription
from billing.queries import subscriptions as known
from billing.services import change_previews, forecasts, plan_changes, subscription_plans, subscriptions, terminations
from billing.services.subscriptions import NewSubscription
from catalog.models import Coupon
from catalog.services import coupons
from catalog.services.coupons import CouponValues
from config.kernel import actors, dates, errors
from config.platform.services import outbox
from customers.models import Customer
from customers.queries import customers as known_customers
from customers.services import applied_coupons, customers
from customers.services.applied_coupons import OwnTerms
from customers.services.customers import CustomerValues
from invoicing.models import Invoice
from invoicing.services import invoices

T = TypeVar("T")
Show = Callable[[Invoice], T]

_ACTOR = actors.job("preview")
_STEPS = 60


class UnableToPreview(errors.Invalid):
    """What is asked for cannot be played, or bills nothing."""


@dataclass(frozen=True)
class PreviewedCoupon:
    """A coupon: one that is there, by its code, or one that is not, by its values. ``terms`` are its own."""

    code: str
    values: CouponValues | None = None
    terms: OwnTerms = field(default_factory=OwnTerms)


@dataclass(frozen=True)
class NewContract:
    """A contract that is not made. The customer is there, by its external id, or is described by ``customer``."""

    plan_code: str
    external_customer_id: str = ""
    customer: CustomerValues | None = None
    billing_time: str = Subscription.BillingTime.CALENDAR
    subscription_at: datetime | None = None
    billing_entity_code: str = ""
    coupons: Sequence[PreviewedCoupon] = ()


@dataclass(frozen=True)
class Running:
    """Subscriptions of one customer that run: as they are, changed to a plan now, or ended at an instant."""

    external_ids: Sequence[str]
    plan_code: str = ""
    terminated_at: datetime | None = None
    coupons: Sequence[PreviewedCoupon] = ()


class _Undo(Exception):
    """Ends a play, so that nothing of it stays."""


def of_new(*, wanted: NewContract, at: datetime, show: Show[T]) -> T:
    """Show the first invoice of a contract that would begin at ``at``, or at its own instant.

    A plan in advance is billed at the start, one in arrears at the end of its first period, with the usage that is
    known of it: none. Other subscriptions of the customer are no part of it. Raises NotFound (customer, plan, billing
    entity), what making the customer, its coupons and the subscription raise, and UnableToPreview where it bills
    nothing.
    """
    return _undone(functools.partial(_new, wanted, at, show))


def of_running(*, wanted: Running, at: datetime, show: Show[T]) -> T:
    """Show the next invoice of subscriptions that run, or the one of their change or end.

    Without a plan and an end it is that of the next billing day, as it is known at ``at``; the customer's other
    subscriptions are billed along where they share it. A change is made now, as the prices decide; an end is at the
    local day of its instant, now where that is over. Raises NotFound, UnableToPreview for subscriptions of several
    customers, several of which one is changed or ended, both at once, or nothing to bill, and what the verbs raise.
    """
    return _undone(functools.partial(_running, wanted, at, show))


def _undone(play: Callable[[], T]) -> T:
    found: list[T] = []
    try:
        with forecasts.hurried(), outbox.silence(), transaction.atomic():
            found.append(play())
            raise _Undo
    except _Undo:
        return found[0]


def _new(wanted: NewContract, at: datetime, show: Show[T]) -> T:
    customer = _customer(wanted, at)
    forecasts.hold(customer_id=customer.pk)
    _apply(wanted.coupons, customer, at)
    external_id = f"preview-{uuid.uuid4()}"
    play = forecasts.Play(external_id, customer.pk, at, is_alone=True)
    subscriptions.create(
        new=NewSubscription(
            external_customer_id=customer.external_id,
            plan_code=wanted.plan_code,
            external_id=external_id,
            billing_time=wanted.billing_time,
            subscription_at=wanted.subscription_at,
            billing_entity_code=wanted.billing_entity_code,
        ),
        actor=_ACTOR,
        at=at,
    )
    return _first(play, show)


def _running(wanted: Running, at: datetime, show: Show[T]) -> T:
    found = [known.find(external_id=external_id, status=None) for external_id in dict.fromkeys(wanted.external_ids)]
    if not found:
        raise errors.NotFound("subscription_not_found", "No subscription is named.")
    customer = found[0].customer
    if any(one.customer_id != customer.pk for one in found):
        raise _refusal("subscriptions", "value_is_invalid", "The subscriptions are of several customers.")
    is_verb = bool(wanted.plan_code) or wanted.terminated_at is not None
    if is_verb and (len(found) > 1 or (wanted.plan_code and wanted.terminated_at is not None)):
        raise _refusal("subscriptions", "value_is_invalid", "One subscription is changed, or ended, at a time.")
    forecasts.hold(customer_id=customer.pk)
    _apply(wanted.coupons, customer, at)
    if wanted.plan_code:
        return _changed(found[0], wanted.plan_code, at, show)
    if wanted.terminated_at is not None:
        return _ended(found[0], wanted.terminated_at, at, show)
    running = Subscription.objects.filter(customer=customer, status=Subscription.Status.ACTIVE).count()
    alone = running > forecasts.MOST_SUBSCRIPTIONS
    return _first(forecasts.Play(found[0].external_id, customer.pk, at, is_alone=alone), show)


def _customer(wanted: NewContract, at: datetime) -> Customer:
    if wanted.customer is None:
        return known_customers.by_external_id(external_id=wanted.external_customer_id)
    values: dict[str, Any] = {**wanted.customer, "external_id": f"preview-{uuid.uuid4()}"}
    if wanted.billing_entity_code:
        values["billing_entity_code"] = wanted.billing_entity_code
    return customers.upsert(values=CustomerValues(**values), actor=_ACTOR, at=at)


def _apply(wanted: Sequence[PreviewedCoupon], customer: Customer, at: datetime) -> None:
    for one in wanted:
        if one.values is not None and not Coupon.objects.filter(code=one.code, deleted_at__isnull=True).exists():
            coupons.create(values=one.values, actor=_ACTOR, at=at)
        applied_coupons.apply(
            external_customer_id=customer.external_id, coupon_code=one.code, terms=one.terms, actor=_ACTOR, at=at
        )


def _first(play: forecasts.Play, show: Show[T]) -> T:
    """Play until the first invoice is there."""
    for _ in range(_STEPS):
        invoice = play.first_invoice()
        if invoice is not None:
            return _issued(invoice, play.clock, show)
        if not play.step():
            break
    raise _refusal("subscriptions", "nothing_to_bill", "Nothing is billed as far as it is known.")


def _changed(subscription: Subscription, plan_code: str, at: datetime, show: Show[T]) -> T:
    played = change_previews.change(
        subscription=subscription,
        at=at,
        verb=functools.partial(
            subscription_plans.change_plan,
            subscription_id=subscription.pk,
            plan_code=plan_code,
            seen=plan_changes.state_of(subscription),
            actor=_ACTOR,
            at=at,
        ),
    )
    return _made([*played.invoices, *played.next_invoices], at, show)


def _ended(subscription: Subscription, terminated_at: datetime, at: datetime, show: Show[T]) -> T:
    zone = dates.zone(subscription.customer.applicable_timezone)
    day = dates.local_date(terminated_at, zone)
    when = chosen_times.on(day) if terminated_at > at and day > dates.local_date(at, zone) else chosen_times.NOW
    played = change_previews.end(
        subscription=subscription,
        at=at,
        verb=functools.partial(terminations.schedule, subscription_id=subscription.pk, when=when, actor=_ACTOR, at=at),
    )
    return _made(played.invoices, at, show)


def _made(made: Sequence[Invoice], at: datetime, show: Show[T]) -> T:
    if not made:
        raise _refusal("subscriptions", "nothing_to_bill", "No invoice would be made.")
    return _issued(made[0], max(at, made[0].billed_at), show)


def _issued(invoice: Invoice, clock: datetime, show: Show[T]) -> T:
    """Issue a draft as it would be once its grace is over, so that it takes what it would take, and show it."""
    found = Invoice.objects.get(pk=invoice.pk)
    if found.status == Invoice.Status.DRAFT:
        invoices.finalize(invoice_id=found.pk, actor=_ACTOR, at=max(clock, found.finalize_after))
    return show(Invoice.objects.get(pk=found.pk))


def _refusal(name: str, code: str, message: str) -> UnableToPreview:
    return UnableToPreview(code, message, {name: [code]})
