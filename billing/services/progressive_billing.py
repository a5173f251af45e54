"""Progressive billing: an invoice of the usage so far once the lifetime usage passes a threshold. Owns the periodic job
and the one transaction in which a subscription is looked at; which thresholds are passed is the domain's.

The customer's row is the lock, as for all billing: of two who look at the same usage at once the second one sees what
the first one billed. Behind it stands a unique key: a threshold is passed once from a level of usage.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import models, transaction

from billing.domain import periods, progressive
from billing.domain.progressive import Threshold
from billing.domain.proration import Share
from billing.domain.standing import Due
from billing.models import AppliedUsageThreshold, BilledPeriod, RatedCharge, Subscription, ThresholdCheck
from billing.queries import (
    contracts,
    current_usage,
    lifetime_usage,
    parked_accounts,
    running_usage,
    usage_thresholds,
)
from billing.queries.running_usage import Running
from billing.queries.usage_thresholds import Level
from billing.services import bills, plan_changes, plan_turns, progressive_credits, set_aside, webhook_types
from billing.services import usage_thresholds as agreed
from billing.services.bills import Bill
from config.kernel import actors, dates, db, money
from config.kernel.actors import Actor
from config.kernel.dates import Period
from config.platform.services import audit, outbox
from customers.models import Customer
from invoicing.domain.specs import InvoiceSpec
from invoicing.models import Invoice
from invoicing.services import invoices

log = logging.getLogger(__name__)

_PAGE = 500
JOB = "usage"


@dataclass(frozen=True)
class Looked:
    """What a round did: subscriptions looked at, invoices made, and what failed, by external id with the reason."""

    subscriptions: int
    invoices: int
    failed: dict[str, str]


@dataclass(frozen=True)
class _Usage:
    """The usage of a subscription in figures: what runs, all of its lifetime, and what of it was billed."""

    running: Running
    contract: contracts.Contract
    current: int
    invoiced: int
    new: int


def run(*, as_of: datetime) -> Looked:
    """Bill the usage that passed a threshold: the periodic job.

    Looks at subscriptions that events came for since the last time, and at those that failed. Each is a transaction of
    its own, so that one that fails stops no other; it is told, kept and tried again. May be called any number of times,
    beside itself too: what another run is looking at is left to it. Those of parked accounts
    wait until these are released.
    """
    agreed.look(at=as_of)
    done = made = 0
    failed: dict[str, str] = {}
    after = 0
    while page := _waiting(after):
        for row in page:
            try:
                invoice, was_seen = check(check_id=row.pk, as_of=as_of)
                made += invoice is not None
                done += was_seen
            except Exception as error:  # whatever one subscription fails by must not keep the others waiting
                name = row.subscription.external_id
                log.exception("the usage of subscription %s could not be held against its thresholds", name)
                failed[name] = str(error)
                ThresholdCheck.objects.filter(pk=row.pk).update(error=str(error) or type(error).__name__)
        after = page[-1].pk
    return Looked(done, made, failed)


def _waiting(after: int) -> list[ThresholdCheck]:
    rows = ThresholdCheck.objects.filter(pk__gt=after).select_related("subscription")
    rows = rows.filter(~parked_accounts.is_parked("subscription__customer_id"))
    return list(rows.order_by("pk")[:_PAGE])


@transaction.atomic
def check(*, check_id: int, as_of: datetime) -> tuple[Invoice | None, bool]:
    """Look at one subscription that waits for it, and say whether it was there to be looked at.

    Waits for another one that looks at it at this moment. Its mark is not held meanwhile: whoever marks it anew while
    it is looked at keeps nobody waiting, and has it looked at again. Raises what rating and drafting raise.
    """
    customer_ids = ThresholdCheck.objects.filter(pk=check_id).values("subscription__customer")
    db.lock(Customer.objects.filter(pk__in=customer_ids))
    found = ThresholdCheck.objects.filter(pk=check_id).select_related("subscription").first()
    if found is None:
        return None, False
    invoice = bill(customer_id=found.subscription.customer_id, external_id=found.subscription.external_id, as_of=as_of)
    ThresholdCheck.objects.filter(pk=check_id, uuid=found.uuid).delete()
    return invoice, True


@transaction.atomic
def bill(*, customer_id: int, external_id: str, as_of: datetime) -> Invoice | None:
    """Bill the usage so far of the running period of a subscription if it passes thresholds; return the invoice.

    The invoice holds all usage in arrears of the period, less what earlier ones of the period billed, and is issued at
    once whatever the grace. Usage that was paid in advance counts and is not billed again; where nothing new is to be
    billed the thresholds are passed without an invoice. Usage that came in a period before is not on it: the invoice
    of that period bills it. Amounts are rounded once per line. Calling it again makes nothing. Takes the lock of the
    customer. Raises what rating and drafting raise.
    """
    actor = actors.job(JOB)
    db.lock_one(Customer.objects.filter(pk=customer_id))
    moved = plan_turns.take_effect(customer_ids=[customer_id], as_of=as_of, actor=actor, external_id=external_id)
    if moved:
        plan_changes.bill(moved, actor=actor, at=as_of)
    subscription = _subscription(customer_id, external_id, as_of)
    if subscription is None:
        return None
    thresholds = usage_thresholds.as_values(usage_thresholds.applicable(subscription))
    usage = _usage(subscription, as_of) if thresholds else None
    if usage is None:
        return None
    passed = progressive.passed(thresholds=thresholds, invoiced=usage.invoiced, new=usage.new)
    if not passed or _is_known(subscription, usage, passed[-1]):
        return None
    invoice = _invoice(usage, actor, as_of)
    _record(subscription, usage, passed, invoice, actor, as_of)
    return invoice


def _subscription(customer_id: int, external_id: str, as_of: datetime) -> Subscription | None:
    """Return what is billed at thresholds: it runs, has not come to its agreed end, and is billed here by now."""
    elsewhere = BilledPeriod.objects.filter(
        subscription=models.OuterRef("pk"), reason=BilledPeriod.Reason.ELSEWHERE, charges_to_at__gt=as_of
    )
    rows = Subscription.objects.filter(
        ~models.Exists(elsewhere),
        models.Q(ending_at__isnull=True) | models.Q(ending_at__gt=as_of),
        usage_thresholds.with_thresholds(),
        customer=customer_id,
        external_id=external_id,
        customer__deleted_at__isnull=True,
        started_at__lte=as_of,
    )
    return rows.select_related("plan_version", "customer__billing_entity").first()


def _usage(subscription: Subscription, as_of: datetime) -> _Usage | None:
    try:
        running = running_usage.read(
            external_customer_id=subscription.customer.external_id,
            external_subscription_id=subscription.external_id,
            at=as_of,
        )
    except running_usage.NoActiveSubscription:  # a time of which no usage is billed
        return None
    shown = current_usage.shown(running, apply_taxes=False)
    lifetime = lifetime_usage.of(subscription=subscription, at=as_of, running=shown)
    level: Level = usage_thresholds.level(
        subscription=subscription, running=Period(running.stretch.start, running.stretch.end)
    )
    current = money.to_minor(lifetime.current)
    (contract,) = contracts.of_subscriptions(subscription_ids=[subscription.pk])
    before = money.to_minor(lifetime.historical) + money.to_minor(lifetime.invoiced) + level.earlier
    return _Usage(running, contract, current, before + level.running, current - level.running)


def _is_known(subscription: Subscription, usage: _Usage, last: Threshold) -> bool:
    """Say whether the last of the thresholds was passed from the same level before: its invoice was voided since."""
    return AppliedUsageThreshold.objects.filter(
        subscription=subscription,
        period_from_at=usage.running.stretch.start,
        threshold_key=last.key,
        invoiced_cents=usage.invoiced,
    ).exists()


def _invoice(usage: _Usage, actor: Actor, as_of: datetime) -> Invoice | None:
    (rated,) = progressive_credits.applied(rated=[_bill(usage, as_of)])
    set_aside.demand_billable(rated=[rated])
    lines = tuple(bills.lines(bill=rated))
    if not any(line.net for line in lines) and (rated.taken is None or not rated.taken.excess):
        return None
    contract = usage.contract
    spec = InvoiceSpec(
        customer_id=contract.customer_id,
        billing_entity_id=contract.billing_entity_id,
        currency=usage.running.prices.currency,
        timezone=contract.timezone,
        billed_at=as_of,
        lines=lines,
        purchase_order_number=contract.purchase_order_number,
        custom_section_ids=contract.custom_section_ids,
        kind=Invoice.Kind.PROGRESSIVE_BILLING.value,
        progressive_credits=bills.progressive_credits(members=[rated]),
    )
    (drafted,) = invoices.draft_many(specs=[spec], actor=actor, at=as_of)
    period = _period(rated, usage.running, drafted.invoice, as_of)
    period.save(force_insert=True)
    origins = list(bills.rated_charges(bill=rated))
    for row, line in zip(origins, drafted.lines, strict=True):
        row.period, row.line, row.created_at, row.is_progressive = period, line, as_of, True
    RatedCharge.objects.bulk_create(origins)
    return invoices.finalize(invoice_id=drafted.invoice.pk, actor=actor, at=as_of)


def _bill(usage: _Usage, as_of: datetime) -> Bill:
    """Return the usage in arrears as a bill: what is there, and no minimum, which is a whole period's."""
    running, contract = usage.running, usage.contract
    in_arrears = {charge.key for charge in running.charges if not charge.pay_in_advance}
    items = [item for found in running.items.values() for item in found]
    order = {charge.key: position for position, charge in enumerate(running.prices.charges)}
    billed = [item for item in items if str(item.charge_id) in in_arrears and not item.is_empty]
    billed.sort(key=lambda item: order[str(item.charge_id)])
    natural = periods.period_at(contract.standing.schedule, as_of).period
    start = max(natural.start, min(contract.standing.started_at, as_of))
    due = Due(
        billing_date=dates.local_date(as_of, contract.zone),
        due_at=as_of,
        fee=Period(start, natural.end),
        charges=Period(running.stretch.start, running.stretch.end),
        share=Share(0, 1),
        bills_fee=False,
    )
    return Bill(contract, due, running.prices, tuple(billed))


def _period(rated: Bill, running: Running, invoice: Invoice, at: datetime) -> BilledPeriod:
    return BilledPeriod(
        created_at=at,
        subscription_id=rated.contract.subscription_id,
        invoice=invoice,
        reason=BilledPeriod.Reason.PROGRESSIVE,
        timezone=rated.contract.timezone,
        billing_date=rated.due.billing_date,
        from_at=rated.due.fee.start,
        to_at=rated.due.fee.end,
        charges_from_at=running.stretch.start,
        charges_to_at=running.stretch.end,
        days=0,
        of_days=1,
        bills_fee=False,
        plan_version_id=rated.contract.plan_version_id,
        late_checked=True,
    )


def _record(
    subscription: Subscription,
    usage: _Usage,
    passed: tuple[Threshold, ...],
    invoice: Invoice | None,
    actor: Actor,
    at: datetime,
) -> None:
    told = AppliedUsageThreshold.objects.bulk_create(
        AppliedUsageThreshold(
            created_at=at,
            subscription=subscription,
            invoice=invoice,
            threshold_key=one.key,
            amount_cents=one.amount_cents,
            recurring=one.recurring,
            name=one.name,
            currency=usage.running.prices.currency,
            invoiced_cents=usage.invoiced,
            lifetime_cents=usage.invoiced + usage.new,
            usage_cents=usage.current,
            period_from_at=usage.running.stretch.start,
            period_to_at=usage.running.stretch.end,
        )
        for one in passed
        # The last one is new: the key refuses it where somebody else passed it meanwhile.
        if one is passed[-1] or not _is_known(subscription, usage, one)
    )
    audit.record(
        actor=actor,
        at=at,
        verb="pass_usage_threshold",
        instance=subscription,
        new={
            "thresholds_cents": [one.amount_cents for one in passed],
            "lifetime_usage_cents": usage.invoiced + usage.new,
            "invoice": None if invoice is None else invoice.number,
        },
    )
    for row in told:
        extras = {subscription.pk: {"usage_threshold": _threshold(row)}}
        outbox.record(webhook_types.USAGE_THRESHOLD_REACHED, [subscription], at=at, extras=extras)


def _threshold(row: AppliedUsageThreshold) -> dict[str, Any]:
    at = row.created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "lago_id": str(row.threshold_key),
        "threshold_display_name": row.name or None,
        "amount_cents": row.amount_cents,
        "recurring": row.recurring,
        "created_at": at,
        "updated_at": at,
    }
