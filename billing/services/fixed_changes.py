"""Other numbers of units of fixed charges: agreeing on one, and billing what it adds to a period that is paid already.

Owns the invoice of such a change, which is issued at once. A number is billed once: its row is what the database keeps
unique, and what a task that was interrupted finds again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from billing.domain import held_time, periods, rating
from billing.domain.contract import ContractFacts
from billing.domain.fixed_charges import FixedChargeFacts, Increase
from billing.domain.held_time import HeldTime
from billing.domain.proration import Share
from billing.domain.rating import RatedItem
from billing.domain.standing import Due, Standing
from billing.models import BilledPeriod, FixedChargeUnits, RatedCharge, Subscription
from billing.queries import contracts, fixed_units, price_lists
from billing.queries.contracts import Contract
from billing.queries.fixed_prices import PricedFixedCharge
from billing.queries.price_lists import PriceList
from billing.services import billing_days, bills, fixed_agreements, plan_changes, subscriptions, webhook_types
from billing.services.bills import Bill
from catalog.models import FixedCharge
from catalog.queries import plans
from config.kernel import actors, dates, db, errors
from config.kernel.actors import Actor
from config.kernel.dates import Period
from config.platform.services import audit, tellings
from customers.models import Customer
from invoicing.domain.specs import InvoiceSpec
from invoicing.models import Invoice
from invoicing.services import invoices

log = logging.getLogger(__name__)

Status = Subscription.Status


@dataclass(frozen=True)
class Settled:
    """What a round billed: how many invoices, and the customers whose changes could not be billed, with the reason."""

    invoices: int
    failed: dict[int, str]


@transaction.atomic
@tellings.gathered
def change(
    *, subscription_id: int, code: str, units: Decimal, immediately: bool, actor: Actor, at: datetime, reason: str = ""
) -> FixedCharge:
    """Agree on another number of units of the fixed charge with that code; the plan's number does not matter any more.

    It counts from the next period on, or ``immediately``: then billing days that are still open are billed first, and
    of a fixed charge paid in advance what is added to the units of the running period is billed at once, on an issued
    invoice (of nothing for fewer units). The number that it has already changes nothing. Raises NotFound
    (`subscription_not_found`, `fixed_charge_not_found`), InvalidUnits, NotAllowed for a subscription that is over.
    """
    fixed_agreements.check(units)
    subscription = plan_changes.settle(current=subscriptions.locked(subscription_id), actor=actor, at=at)
    if subscription.status not in (Status.ACTIVE, Status.PENDING, Status.PAUSED):
        raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")
    charge = plans.fixed_charge(subscription.plan_version, fixed_charge_code=code)
    row = fixed_agreements.write(subscription=subscription, charge=charge, units=units, immediately=immediately, at=at)
    if row is None:
        return charge
    audit.record(
        actor=actor,
        at=at,
        verb="change_units",
        instance=subscription,
        new={"fixed_charge": code, "units": units, "from": row.effective_at},
        reason=reason,
    )
    tellings.tell(webhook_types.UPDATED, subscription, at=at)
    if row.bills_at_once:
        bill(subscription_ids=[subscription.pk], actor=actor, at=at)
    return charge


def bill(*, subscription_ids: Collection[int], actor: Actor, at: datetime) -> tuple[Invoice, ...]:
    """Bill the numbers that count at once and are not billed yet, after whatever else is due. Idempotent.

    One issued invoice for each subscription and moment of writing; grace does not matter. The caller holds the locks of
    the customers. Raises what rating and drafting raise.
    """
    waiting = list(fixed_units.unbilled(subscription_ids=subscription_ids))
    if not waiting:
        return ()
    concerned = {row.subscription_id for row in waiting}
    billing_days.bill_subscriptions(
        subscription_ids=concerned, as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
    )
    found = {contract.subscription_id: contract for contract in contracts.of_subscriptions(subscription_ids=concerned)}
    lists = price_lists.load(version_ids={contract.plan_version_id for contract in found.values()})
    groups: dict[tuple[datetime, int], list[FixedChargeUnits]] = defaultdict(list)
    for row in waiting:
        groups[row.created_at, row.subscription_id].append(row)
    made = []
    for (_, subscription_id), rows in groups.items():
        contract = found[subscription_id]
        made += _bill(contract, lists[contract.plan_version_id], rows, at, actor)
    return tuple(made)


def bill_waiting(*, as_of: datetime) -> Settled:
    """Bill all numbers that count at once, each customer in its own transaction: a job, and what is sent after a change
    of a plan. May run any number of times and beside itself.
    """
    rows = fixed_units.unbilled().filter(subscription__status=Status.ACTIVE)
    count, failed = 0, {}
    for customer_id in sorted(set(rows.values_list("subscription__customer_id", flat=True))):
        try:
            with transaction.atomic():
                db.lock_one(Customer.objects.filter(pk=customer_id))
                own = list(rows.filter(subscription__customer_id=customer_id).values_list("subscription_id", flat=True))
                count += len(bill(subscription_ids=own, actor=actors.job("fixed_charges"), at=as_of))
        except Exception as error:
            log.exception("the fixed charges of customer %s could not be billed", customer_id)
            failed[customer_id] = str(error)
    return Settled(count, failed)


def preview(*, subscription_id: int, code: str, units: Decimal, at: datetime) -> RatedItem | None:
    """Return what a number would add to the running period, as `change` would bill it at once; nothing in arrears.

    Writes nothing; billing days that are still open are not looked at. Raises NotFound (`fixed_charge_not_found`).
    """
    (contract,) = contracts.of_subscriptions(subscription_ids=[subscription_id])
    price_list = price_lists.load(version_ids=[contract.plan_version_id])[contract.plan_version_id]
    charge = next((charge for charge in price_list.fixed_charges if charge.code == code), None)
    if charge is None:
        raise errors.NotFound("fixed_charge_not_found", f"The plan has no fixed charge {code}.")
    if not charge.pay_in_advance:
        return None
    time = _time(contract.standing, max(at, contract.standing.started_at))
    increase = Increase(agreed=units, billed=_billed(contract, charge, time))
    (item,) = _rated(contract, price_list, [charge.increase(increase=increase, time=time)], at).items
    return item


def _billed(contract: Contract, charge: PricedFixedCharge, time: HeldTime) -> Decimal:
    return fixed_units.billed(
        subscription_id=contract.subscription_id, fixed_charge_key=charge.key, ends_at=time.natural.period.end
    )


def _time(where: Standing, at: datetime) -> HeldTime:
    natural = periods.period_at(where.fixed_schedule, at)
    return HeldTime(Period(at, natural.period.end), natural, where.schedule.timezone)


def _bill(
    contract: Contract, price_list: PriceList, rows: Sequence[FixedChargeUnits], at: datetime, actor: Actor
) -> list[Invoice]:
    charges = {charge.key: charge for charge in price_list.fixed_charges}
    billed: list[tuple[FixedChargeUnits, FixedChargeFacts]] = []
    added: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        charge = charges.get(str(row.fixed_charge_key))
        if charge is None:  # the plan was changed again and has it no more
            continue
        time = _time(contract.standing, row.effective_at)
        increase = Increase(agreed=row.units, billed=_billed(contract, charge, time) + added[charge.key])
        added[charge.key] += increase.units
        billed.append((row, charge.increase(increase=increase, time=time)))
    if not billed:
        return []
    bill = _rated(contract, price_list, [facts for _, facts in billed], at)
    spec = InvoiceSpec(
        customer_id=contract.customer_id,
        billing_entity_id=contract.billing_entity_id,
        currency=price_list.currency,
        timezone=contract.timezone,
        purchase_order_number=contract.purchase_order_number,
        custom_section_ids=contract.custom_section_ids,
        billed_at=at,
        lines=tuple(bills.lines(bill=bill)),
    )
    (draft,) = invoices.draft_many(specs=[spec], actor=actor, at=at)
    period = BilledPeriod(
        created_at=at,
        subscription_id=contract.subscription_id,
        invoice=draft.invoice,
        reason=BilledPeriod.Reason.IN_ADVANCE_CHARGE,
        timezone=contract.timezone,
        billing_date=bill.due.billing_date,
        from_at=bill.due.fee.start,
        to_at=bill.due.fee.end,
        bills_fee=False,
        charges_from_at=bill.due.charges.start,
        charges_to_at=bill.due.charges.end,
        days=bill.due.share.days,
        of_days=bill.due.share.of_days,
    )
    period.save(force_insert=True)
    origins = list(bills.rated_charges(bill=bill))
    for origin, line, (row, _) in zip(origins, draft.lines, billed, strict=True):
        origin.period, origin.line, origin.fixed_units, origin.created_at = period, line, row, at
    RatedCharge.objects.bulk_create(origins)
    return [invoices.finalize(invoice_id=draft.invoice.pk, actor=actor, at=at)]


def _rated(contract: Contract, price_list: PriceList, facts: Sequence[FixedChargeFacts], at: datetime) -> Bill:
    whole = facts[0].period
    natural = held_time.of(contract.standing.fixed_schedule, whole).natural
    due = Due(
        billing_date=dates.local_date(at, contract.zone),
        due_at=at,
        fee=whole,
        charges=Period(whole.start, whole.start),
        share=Share(0, natural.days),
        bills_fee=False,
    )
    items = rating.rate(
        ContractFacts(
            subscription_id=contract.uuid,
            plan_id=price_list.plan_uuid,
            plan_version=price_list.number,
            currency=price_list.currency,
            timezone=contract.timezone,
            fixed_charges=facts,
        )
    )
    return Bill(contract, due, price_list, tuple(items))
