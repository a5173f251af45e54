"""Giving time back: what a voided draft billed may be billed anew. Owns releasing its periods and charges."""

from __future__ import annotations

from datetime import date

from django.db import transaction

from billing.models import BilledPeriod, RatedCharge, Subscription
from billing.services import waiting_lines
from config.kernel import db
from customers.models import Customer
from invoicing.models import Invoice


@transaction.atomic
def release(*, invoice_id: int) -> int:
    """Release what a voided invoice billed, and make its billing days the next ones of their subscriptions again.

    The records stay, marked with the instant of the voiding, and the next run bills the time by the prices and events
    of that moment. Returns how many periods were released; calling it again releases none. Takes the lock of the
    customer, so that no run that is under way moves the billing days on.
    """
    invoice = Invoice.objects.get(pk=invoice_id)
    at = invoice.voided_at or invoice.updated_at
    db.lock_one(Customer.objects.filter(pk=invoice.customer_id))
    held = BilledPeriod.objects.filter(invoice_id=invoice_id, released_at__isnull=True)
    subscription_ids = list(held.values_list("subscription_id", flat=True))
    subscriptions = db.lock(Subscription.objects.filter(pk__in=subscription_ids))
    days: dict[int, date] = {}
    for subscription_id, day in held.values_list("subscription_id", "billing_date"):
        days[subscription_id] = min(day, days.get(subscription_id, day))
    RatedCharge.objects.filter(period__invoice_id=invoice_id, released_at__isnull=True).update(released_at=at)
    waiting_lines.release(invoice_id=invoice_id, at=at)
    released = held.update(released_at=at)
    for subscription in subscriptions:
        day = days[subscription.pk]
        if subscription.next_billing_date is None or day < subscription.next_billing_date:
            subscription.next_billing_date = day
            subscription.updated_at = at
            subscription.save(update_fields=["next_billing_date", "updated_at"])
    return released
