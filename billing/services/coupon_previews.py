"""What the next invoice of a customer would be with a coupon that it does not have yet: billed, and undone.

Owns the comparison; what is billed is decided by the play of the next billing days, and what the coupon takes off by
whoever issues invoices. Nothing stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from moneyed import Money

from billing.models import Subscription
from billing.services import forecasts
from billing.services.forecasts import Play
from config.kernel import actors
from config.kernel.actors import Actor
from config.platform.services import outbox
from customers.queries import customers
from customers.services import applied_coupons
from customers.services.applied_coupons import OwnTerms
from invoicing.models import Invoice
from invoicing.services import invoices

_ACTOR = actors.job("forecast")


@dataclass(frozen=True)
class Figures:
    """What an invoice comes to: its lines, what coupons take off, tax, and what is to be paid."""

    issued_on: date
    fees: Money
    coupons: Money
    taxes: Money
    total: Money


@dataclass(frozen=True)
class CouponPreview:
    """The next invoice without the coupon and with it."""

    without: Figures
    with_it: Figures


class _Undo(Exception):
    """Ends a play, so that nothing of it stays."""


def of(
    *, external_customer_id: str, coupon_code: str, terms: OwnTerms, actor: Actor, at: datetime
) -> CouponPreview | None:
    """Return the customer's next invoice without a coupon and with it, or None where nothing is going to be billed.

    Of several subscriptions the one that is billed next counts. Usage is what is stored now. The customer is locked
    for a moment; raises Busy where somebody else is billing it, what applying the coupon refuses, and what billing
    raises.
    """
    customer = customers.by_external_id(external_id=external_customer_id)
    rows = Subscription.objects.filter(customer=customer, next_billing_date__isnull=False)
    subscription = rows.order_by("next_billing_date", "pk").first()
    found: list[Figures | None] = []
    for is_given in (False, True):
        try:
            with forecasts.hurried(), outbox.silence(), transaction.atomic():
                forecasts.hold(customer_id=customer.pk)
                if is_given:
                    applied_coupons.apply(
                        external_customer_id=external_customer_id,
                        coupon_code=coupon_code,
                        terms=terms,
                        actor=actor,
                        at=at,
                    )
                found.append(None if subscription is None else _next(subscription, at))
                raise _Undo
        except _Undo:
            continue
    without, with_it = found
    return None if without is None or with_it is None else CouponPreview(without, with_it)


def _next(subscription: Subscription, at: datetime) -> Figures | None:
    """Play the next billing day, and issue what it makes at once: a draft would not take coupons."""
    play = Play(subscription.external_id, subscription.customer_id, at, is_alone=False)
    for _ in range(forecasts.MOST_STEPS):
        if play.first_invoice() is not None or not play.step():
            break
    invoice = play.first_invoice()
    if invoice is None:
        return None
    if invoice.status == Invoice.Status.DRAFT:
        invoices.finalize(invoice_id=invoice.pk, actor=_ACTOR, at=play.clock)
    invoice = Invoice.objects.get(pk=invoice.pk)
    return Figures(
        issued_on=invoice.issuing_date,
        fees=invoice.fees_amount,
        coupons=invoice.coupons_amount,
        taxes=invoice.taxes_amount,
        total=invoice.total_amount,
    )
