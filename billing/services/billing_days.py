"""Billing what is due: from subscriptions to drafts, with the records that say which time they cover. Owns the one
transaction in which that happens, for a chunk of customers or for one subscription.

A customer's row is the lock on its billing: whoever bills holds it, so the same time is not rated twice at once. Behind
it stand the exclusion constraints, by which the database refuses to bill a time again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from billing.domain import dues
from billing.domain.standing import Due
from billing.models import BilledPeriod, BillingRunItem, RatedCharge, Subscription
from billing.queries import contracts as known_contracts
from billing.queries import late_usage_marks, parked_accounts
from billing.queries.contracts import Contract
from billing.services import (
    advance_renewals,
    bills,
    contract_next_terms,
    plan_turns,
    progressive_credits,
    set_aside,
    subscription_sections,
    unused_time,
    waiting_lines,
)
from billing.services.bills import Bill
from billing.services.late_usage_lines import Owner
from billing.services.waiting_lines import Placement
from config.kernel import dates, db
from config.kernel import rows as db_rows
from config.kernel.actors import Actor
from customers.models import Customer
from invoicing.domain.specs import InvoiceSpec
from invoicing.models import Invoice
from invoicing.services import invoices
from invoicing.services.invoices import Drafted

_BATCH = 1000


class Group(NamedTuple):
    """What shares an invoice, in the order in which invoices are made. ``apart`` is the external id of a subscription
    that shares none with others.
    """

    billing_date: date
    customer_id: int
    billing_entity_id: int
    currency: str
    purchase_order_number: str
    apart: str

    @property
    def owner(self) -> Owner:
        """Return what an invoice has one of."""
        return self[1:]


@dataclass(frozen=True)
class Outcome:
    """What billing made: the invoices, the customers that somebody else was billing at the moment, and those that were
    not billed because they are not as it was agreed, whoever asks for that.
    """

    invoices: tuple[Invoice, ...] = ()
    busy_customer_ids: tuple[int, ...] = ()
    refused_customer_ids: tuple[int, ...] = ()


@transaction.atomic
def bill_customers(
    *,
    customer_ids: Collection[int],
    as_of: datetime,
    catch_up: bool,
    actor: Actor,
    run_id: int | None = None,
    wait: bool = True,
) -> Outcome:
    """Bill everything that is due for these customers at the clock ``as_of``, all or nothing.

    Contracts that are to be renewed are, and changes of plan whose day has come, the phases of contracts among them,
    take effect first, so that both sides are billed together. One invoice per customer, billing entity, currency,
    purchase order number and billing day, the oldest day first, but for a subscription that shares none; days are local
    to the customer. Invoices whose grace is over are finalized at once, the others stay drafts. Where there is nothing
    to bill no invoice is made (but for the end of a plan paid in advance). The next billing day is set all the same,
    and the time recorded as billed, though not before the grace is over: events that arrive until then are still
    billed, later ones are late. Late usage that waits for an invoice makes one where it is the customer's to pay.
    Calling it again changes nothing.

    Without ``wait`` customers that another transaction is billing are left out and reported. The number of queries does
    not depend on the number of customers, only on that of changes of plan. Raises what rating and drafting raise.
    """
    held, busy = hold(customer_ids=customer_ids, wait=wait)
    if run_id is not None:
        # Under the lock: whoever parks an account meanwhile waits for it, and is obeyed once it was had.
        parked = parked_accounts.among(customer_ids=held)
        held = [pk for pk in held if pk not in parked]
    contract_next_terms.renew_due(customer_ids=held, as_of=as_of, actor=actor)
    moved = plan_turns.take_effect(customer_ids=held, as_of=as_of, actor=actor)
    before = give_back(subscription_ids=moved, as_of=as_of, catch_up=catch_up, actor=actor, run_id=run_id)
    found = known_contracts.of_customers(customer_ids=held, as_of=as_of)
    made = _bill(found, as_of=as_of, catch_up=catch_up, actor=actor, run_id=run_id)
    return Outcome((*before, *made), tuple(busy))


@transaction.atomic
def bill_subscriptions(
    *, subscription_ids: Collection[int], as_of: datetime, catch_up: bool, actor: Actor, finalizes: bool = True
) -> tuple[Invoice, ...]:
    """Bill all that is due for these subscriptions alone, as `bill_customers` does: at a start, an end, after a trial.

    Unless it ``finalizes``, all invoices stay drafts, of which nobody is told, and take no late usage. The caller holds
    the locks of their customers.
    """
    found = known_contracts.of_subscriptions(subscription_ids=subscription_ids)
    return tuple(_bill(found, as_of=as_of, catch_up=catch_up, actor=actor, run_id=None, finalizes=finalizes))


@transaction.atomic
def give_back(
    *, subscription_ids: Collection[int], as_of: datetime, catch_up: bool, actor: Actor, run_id: int | None = None
) -> tuple[Invoice, ...]:
    """Credit the unused time of those of these subscriptions that ended inside a period paid in advance.

    A period that is still to be billed is billed first, as its fee is what is credited of: these invoices are returned.
    The last ones are left to `bill_subscriptions`. The caller holds the locks of the customers; calling it again
    credits nothing more.
    """
    rows = Subscription.objects.filter(
        pk__in=subscription_ids,
        status=Subscription.Status.TERMINATED,
        plan_version__pay_in_advance=True,
    ).exclude(ended_by=Subscription.EndedBy.DOWNGRADE)
    ended = list(rows.select_related("plan_version", "customer__billing_entity").order_by("pk"))
    if not ended:
        return ()
    found = known_contracts.of_subscriptions(subscription_ids=[row.pk for row in ended])
    made = _bill(found, as_of=as_of, catch_up=catch_up, actor=actor, run_id=run_id, up_to_the_end=True)
    for row in ended:
        unused_time.give_back_as_agreed(subscription=row, actor=actor, at=as_of)
    return tuple(made)


def record(
    *, run_id: int | None, drafted: Sequence[tuple[Drafted, Sequence[Bill]]], at: datetime, horizon: int = 0
) -> None:
    """Write which time and which prices new lines cover. The lines come in the order of the bills' items.

    All events that were written before the mark ``horizon`` were seen when the usage was rated. Raises IntegrityError
    where the time is billed already.
    """
    covered = [
        (draft, [(_period(bill, draft.invoice, run_id, at, horizon), bill) for bill in group])
        for draft, group in drafted
    ]
    db_rows.insert([period for _, pairs in covered for period, _ in pairs])
    record_charges(drafted=covered, at=at)


def record_charges(*, drafted: Sequence[tuple[Drafted, Sequence[tuple[BilledPeriod, Bill]]]], at: datetime) -> None:
    """Write the origin of each line, with its trace, under periods that are recorded."""
    rows: list[RatedCharge] = []
    for draft, billed in drafted:
        lines = iter(draft.lines)
        for period, bill in billed:
            own = [next(lines) for _ in bill.items]
            parents = bills.parents(bill=bill)
            for row, line, parent in zip(bills.rated_charges(bill=bill), own, parents, strict=True):
                row.period, row.line, row.created_at = period, line, at
                row.true_up_of = None if parent is None else own[parent]
                rows.append(row)
    db_rows.insert(rows)


def hold(*, customer_ids: Collection[int], wait: bool) -> tuple[list[int], list[int]]:
    """Hold customers against others who bill them; return those that are held, and those that somebody else holds."""
    rows = Customer.objects.filter(pk__in=customer_ids).order_by("pk")
    locked = rows.select_for_update(no_key=True, skip_locked=not wait, of=("self",))
    held = list(locked.values_list("pk", flat=True))
    return held, sorted(set(customer_ids) - set(held))


def _bill(
    found: Sequence[Contract],
    *,
    as_of: datetime,
    catch_up: bool,
    actor: Actor,
    run_id: int | None,
    up_to_the_end: bool = False,
    finalizes: bool = True,
) -> list[Invoice]:
    billed = known_contracts.billed(contracts=found)
    wanted = [
        (contract, due)
        for contract in found
        for due in dues.due(
            contract.standing, as_of=as_of, catch_up=catch_up, billed=billed.get(contract.subscription_id, ())
        )
        if not (up_to_the_end and due.is_last)
    ]
    horizon = late_usage_marks.horizon()
    rated = bills.rate(wanted=wanted)
    set_aside.demand_billable(rated=rated)
    rated = progressive_credits.applied(rated=rated)
    groups = _grouped(rated)
    filled = _filled(groups)
    specs = [_spec(group, members, as_of) for group, members in filled.items()]
    # What may wait for its payment, or never be paid, holds up nothing that is owed already.
    waiting = [Placement() for _ in specs]
    if finalizes:
        specs, waiting = waiting_lines.added(specs=specs, owners=[group.owner for group in filled])
    drafted = invoices.draft_many(specs=specs, actor=actor, at=as_of)
    record(run_id=run_id, drafted=list(zip(drafted, filled.values(), strict=True)), at=as_of, horizon=horizon)
    waiting_lines.record(drafted=list(zip(drafted, waiting, strict=True)), at=as_of)
    advance_renewals.write(rated=rated, actor=actor, at=as_of)
    if run_id is not None:
        _write_items(run_id, list(zip(filled, drafted, strict=True)), as_of)
    if not up_to_the_end:
        empty = [bill for group in groups.keys() - filled.keys() for bill in groups[group]]
        _settle([bill for bill in empty if not _is_open(bill, as_of)], run_id, as_of, horizon)
        _move_on(found, [bill for bill in empty if _is_open(bill, as_of)], as_of)
        _give_back(rated, actor, as_of)
    ready = [draft.invoice.pk for draft in drafted if draft.invoice.finalize_after <= as_of]
    if ready and finalizes:
        ready = _without_parked(drafted, ready)
    if ready and finalizes:
        invoices.finalize_many(invoice_ids=ready, actor=actor, at=as_of)
    if finalizes:
        invoices.tell_drafted(invoices=[draft.invoice for draft in drafted], issued_ids=ready, at=as_of)
    return [draft.invoice for draft in drafted]


def _without_parked(drafted: Sequence[Drafted], ready: Sequence[int]) -> list[int]:
    """Leave drafts of parked accounts as they are: what begins or ends meanwhile is looked at before it is issued."""
    owners = {draft.invoice.pk: draft.invoice.customer_id for draft in drafted}
    parked = parked_accounts.among(customer_ids=set(owners.values()))
    return [pk for pk in ready if owners[pk] not in parked]


def _makes_invoice(bill: Bill) -> bool:
    # What was billed progressively of usage that is gone is given back by the invoice of its time.
    return bool(bill.items) or bill.due.even_of_nothing or bill.taken is not None


def _filled(groups: dict[Group, list[Bill]]) -> dict[Group, list[Bill]]:
    """Return the groups that make an invoice: also the first one that has nothing to bill but what waits for one."""
    filled = {group for group, members in groups.items() if any(_makes_invoice(bill) for bill in members)}
    served = {group.owner for group in filled}
    empty = [group for group in groups if group.owner not in served]
    owed = waiting_lines.owed(owners=[group.owner for group in empty], served=served)
    for group in empty:
        if group.owner in owed:
            filled.add(group)
            owed.discard(group.owner)
    return {group: members for group, members in groups.items() if group in filled}


def _grouped(rated: Sequence[Bill]) -> dict[Group, list[Bill]]:
    groups: dict[Group, list[Bill]] = defaultdict(list)
    for bill in rated:
        contract = bill.contract
        group = Group(
            billing_date=bill.due.billing_date,
            customer_id=contract.customer_id,
            billing_entity_id=contract.billing_entity_id,
            currency=bill.price_list.currency,
            purchase_order_number=contract.purchase_order_number,
            apart="" if contract.shares_invoices else contract.external_id,
        )
        groups[group].append(bill)
    return dict(sorted(groups.items()))


def _spec(group: Group, members: Sequence[Bill], as_of: datetime) -> InvoiceSpec:
    contract = members[0].contract
    is_today = group.billing_date == dates.local_date(as_of, contract.zone)
    return InvoiceSpec(
        customer_id=group.customer_id,
        billing_entity_id=group.billing_entity_id,
        currency=group.currency,
        purchase_order_number=group.purchase_order_number,
        timezone=contract.timezone,
        billed_at=as_of if is_today else max(bill.due.due_at for bill in members),
        lines=tuple(line for bill in members for line in bills.lines(bill=bill)),
        custom_section_ids=subscription_sections.shared(members=[bill.contract for bill in members]),
        progressive_credits=bills.progressive_credits(members=members),
        is_periodic=any(_reason(bill.due) == BilledPeriod.Reason.PERIODIC for bill in members),
    )


def _period(bill: Bill, invoice: Invoice | None, run_id: int | None, at: datetime, horizon: int) -> BilledPeriod:
    due = bill.due
    return BilledPeriod(
        created_at=at,
        subscription_id=bill.contract.subscription_id,
        run_id=run_id,
        invoice=invoice,
        reason=_reason(due),
        timezone=bill.contract.timezone,
        billing_date=due.billing_date,
        from_at=due.fee.start,
        to_at=due.fee.end,
        bills_fee=due.bills_fee,
        charges_from_at=due.charges.start,
        charges_to_at=due.charges.end,
        fixed_charges_from_at=None if due.fixed.arrears is None else due.fixed.arrears.start,
        fixed_charges_to_at=None if due.fixed.arrears is None else due.fixed.arrears.end,
        fixed_advance_from_at=None if due.fixed.advance is None else due.fixed.advance.start,
        fixed_advance_to_at=None if due.fixed.advance is None else due.fixed.advance.end,
        commitment_from_at=None if due.commitment is None else due.commitment.period.start,
        commitment_to_at=None if due.commitment is None else due.commitment.period.end,
        commitment_days=None if due.commitment is None else due.commitment.share.days,
        commitment_of_days=None if due.commitment is None else due.commitment.share.of_days,
        days=due.share.days,
        of_days=due.share.of_days,
        plan_version_id=bill.contract.plan_version_id,
        usage_horizon=horizon,
    )


def _reason(due: Due) -> BilledPeriod.Reason:
    if due.is_last:
        return BilledPeriod.Reason.TERMINATING
    return BilledPeriod.Reason.STARTING if due.is_first else BilledPeriod.Reason.PERIODIC


def _write_items(run_id: int, made: Sequence[tuple[Group, Drafted]], at: datetime) -> None:
    BillingRunItem.objects.bulk_create(
        [
            BillingRunItem(
                created_at=at,
                run_id=run_id,
                customer_id=group.customer_id,
                billing_date=group.billing_date,
                invoice=draft.invoice,
            )
            for group, draft in made
        ],
        batch_size=_BATCH,
    )


def _give_back(rated: Sequence[Bill], actor: Actor, at: datetime) -> None:
    """Credit what a fee in advance pays for after the end, where it is billed only now: anew, for a voided draft."""
    found = {bill.contract.subscription_id for bill in rated if _outlives_its_subscription(bill)}
    rows = Subscription.objects.filter(pk__in=found).select_related("plan_version", "customer__billing_entity")
    for row in rows.order_by("pk") if found else ():
        unused_time.give_back_as_agreed(subscription=row, actor=actor, at=at)


def _outlives_its_subscription(bill: Bill) -> bool:
    where = bill.contract.standing
    if not where.is_terminated or not where.pays_in_advance or where.ends_at is None:
        return False
    return bill.due.bills_fee and bill.due.fee.end > where.ends_at


def _is_open(bill: Bill, as_of: datetime) -> bool:
    """Say whether a day without anything to bill is open still, because the grace of its customer is not over."""
    over = bill.due.billing_date + timedelta(days=bill.contract.grace_days)
    return dates.start_of_day(over, bill.contract.zone) > as_of


def _settle(empty: Sequence[Bill], run_id: int | None, at: datetime, horizon: int) -> None:
    """Record times of which nothing was to be billed, so that usage that comes for them from now on is late."""
    periods = [_period(bill, None, run_id, at, horizon) for bill in empty if not bill.due.charges.is_empty]
    BilledPeriod.objects.bulk_create(periods, batch_size=_BATCH)


def _move_on(found: Sequence[Contract], still_open: Sequence[Bill], as_of: datetime) -> None:
    """Set the next billing days: the first one that is still open, else the regular one."""
    open_days: dict[int, date] = {}
    for bill in still_open:
        contract, day = bill.contract, bill.due.billing_date
        known = open_days.get(contract.subscription_id, day)
        open_days[contract.subscription_id] = min(known, day)
    moved = []
    for contract in found:
        regular = dues.next_billing_date(contract.standing, as_of=as_of)
        day = open_days.get(contract.subscription_id, regular)
        if day != contract.next_billing_date:
            moved.append(Subscription(pk=contract.subscription_id, next_billing_date=day, updated_at=as_of))
    # One statement would lock them in any order, and whoever else moves several of them takes the order of their keys.
    db.lock(Subscription.objects.filter(pk__in=[row.pk for row in moved]).only("pk"))
    db_rows.update(moved, ["next_billing_date", "updated_at"])
