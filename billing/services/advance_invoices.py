"""Gathering paid fees of usage in advance on invoices, for charges that ask for it. Owns which fees belong together,
and when: at the billing day on which their period is over, or once their subscription has ended.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction

from billing.domain import periods
from billing.models import RatedCharge, Subscription
from billing.queries import contracts, parked_accounts
from catalog.models import Charge
from config.kernel import actors, dates, db
from customers.models import Customer
from invoicing.domain import standalone
from invoicing.models import Invoice
from invoicing.services import standalone_invoices
from invoicing.services.standalone_invoices import PaidLines

log = logging.getLogger(__name__)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Gathered:
    """What a round did: how many invoices were made, and which customers failed, by id with the reason."""

    invoices: int
    failed: dict[int, str]


def gather(*, as_of: datetime) -> Gathered:
    """Put the paid fees of ended periods on invoices, one for each subscription, currency, seller and purchase order
    number: the periodic job.

    Customer by customer, each a transaction of its own, so that one that fails stops no other. May run any number of
    times: a fee is on one invoice at most. Those of parked accounts wait until these are released.
    """
    failed: dict[int, str] = {}
    done = 0
    rows = _fees().filter(~parked_accounts.is_parked("subscription__customer_id"))
    rows = rows.order_by("subscription__customer_id").values_list("subscription__customer_id", flat=True)
    for customer_id in rows.distinct():
        try:
            done += len(of_customer(customer_id=customer_id, as_of=as_of))
        except Exception as error:
            log.exception("the paid fees of customer %s could not be gathered", customer_id)
            failed[customer_id] = str(error)
    return Gathered(done, failed)


@transaction.atomic
def of_customer(*, customer_id: int, as_of: datetime) -> list[Invoice]:
    """Put a customer's paid fees on invoices, as `gather` does. Takes the customer's lock.

    A fee belongs on the next billing day on which its period is over and that it was paid by; of a subscription that
    has ended it belongs there at once.
    """
    db.lock_one(Customer.objects.filter(pk=customer_id))
    found: dict[tuple[str, str, int, str], list[int]] = defaultdict(list)
    owners: dict[tuple[str, str, int, str], Subscription] = {}
    related = "line", "subscription__plan_version", "subscription__customer__billing_entity"
    for row in _fees().filter(subscription__customer_id=customer_id).select_related(*related).order_by("line_id"):
        if not _is_due(row, as_of):
            continue
        own = row.subscription
        key = (own.external_id, row.line.currency, row.line.billing_entity_id, own.purchase_order_number)
        found[key].append(row.line_id)
        owners[key] = own
    return standalone_invoices.issue(
        groups=[
            PaidLines(
                line_ids=tuple(ids),
                timezone=owners[key].customer.applicable_timezone,
                purchase_order_number=key[-1],
                custom_section_ids=_sections(owners[key]),
            )
            for key, ids in found.items()
        ],
        actor=actors.job("advance_charges"),
        at=as_of,
    )


def _sections(own: Subscription) -> tuple[int, ...] | None:
    return None if own.custom_section_ids is None else tuple(own.custom_section_ids)


def _fees() -> models.QuerySet[RatedCharge]:
    return RatedCharge.objects.filter(
        charge__regroup_paid_fees=Charge.Regroup.INVOICE,
        line__invoice__isnull=True,
        line__deleted_at__isnull=True,
        line__payment_status=standalone.SUCCEEDED,
    )


def _is_due(row: RatedCharge, as_of: datetime) -> bool:
    subscription, paid_at = row.subscription, row.line.succeeded_at
    if paid_at is None or paid_at > as_of:
        return False
    if subscription.status == Subscription.Status.TERMINATED:
        return True
    if row.to_at > as_of:
        return False
    where = contracts.standing(subscription)
    running = periods.period_at(where.usage_schedule, as_of)
    end_of_day = dates.start_of_day(running.first_day + _DAY, where.schedule.timezone)
    return paid_at < end_of_day
