"""What was billed under a contract: the lines of its subscriptions with what was credited of them, and whether all of a
time is billed. Never writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import DecimalField, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.domain import contract_terms
from billing.domain.contract_terms import Span
from billing.domain.term_commitments import Counted
from billing.models import BilledPeriod, Contract, RatedCharge, Subscription
from config.kernel import dates
from config.kernel.dates import Period
from invoicing.domain import states
from invoicing.models import CreditNote, CreditNoteItem, Invoice

_ISSUED = (Invoice.Status.FINALIZED, Invoice.Status.CLOSED)
_NOT_OWED = ("refunded", "failed")
Status = Subscription.Status


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line of a contract's subscription; ``counted`` is its net amount less credits, for its own local days."""

    line_id: str
    subscription: str
    invoice: str
    counted: Counted


def of_contract(*, contract: Contract, span: Span) -> list[BilledLine]:
    """Return the lines that bill time in a span of local days: issued invoices, and fees that stand alone.

    A line counts what it bills itself: usage billed up to a threshold counts with that invoice, and what is left of it
    with the invoice of its period. Its days end with the service of its subscription, as what is paid for later ones is
    given back. What tops up this contract's commitments does not count. Credit notes that are issued are taken off. One
    query.
    """
    zone = dates.zone(contract.customer.applicable_timezone)
    start, end = dates.start_of_day(span.first, zone), dates.start_of_day(span.after, zone)
    credited = (
        CreditNoteItem.objects.filter(line=OuterRef("line"), credit_note__status=CreditNote.Status.FINALIZED)
        .order_by()
        .values("line")
        .annotate(total=Sum("amount"))
        .values("total")
    )
    rows = (
        RatedCharge.objects.filter(
            subscription__contract_item__contract=contract,
            released_at__isnull=True,
            line__contract_commitment__isnull=True,
            line__from_at__lt=end,
        )
        .filter(Q(line__to_at__gt=start) | Q(line__from_at__gte=start))
        .filter(
            Q(line__invoice__status__in=_ISSUED)
            | Q(line__invoice__isnull=True, line__deleted_at__isnull=True) & ~Q(line__payment_status__in=_NOT_OWED)
        )
        .annotate(
            credited=Coalesce(Subquery(credited, output_field=DecimalField()), Decimal(0), output_field=DecimalField())
        )
        .select_related("line__invoice", "subscription")
        .defer("trace", "line__amount_details", "line__breakdowns")
        .order_by("line_id")
    )
    found = []
    for row in rows:
        line = row.line
        days = _days(Period(line.from_at, line.to_at), row.subscription, zone)
        if days.overlap(span) is None:
            continue
        found.append(
            BilledLine(
                line_id=str(line.uuid),
                subscription=row.subscription.external_id,
                invoice="" if line.invoice is None else line.invoice.number or "",
                counted=Counted(net=line.net_amount.amount - _amount(row.credited), span=days),
            )
        )
    return found


def _days(time: Period, subscription: Subscription, zone: ZoneInfo) -> Span:
    """Return the local days that a line is for, those of service alone; a pause may leave a whole period paid."""
    first, last = time.first_day(zone), time.last_day(zone)
    is_whole = (
        subscription.ended_by == Subscription.EndedBy.PAUSE and subscription.pause_fee == Subscription.PauseFee.WHOLE
    )
    if subscription.terminated_at is not None and not is_whole:
        last = max(first, min(last, Period(time.start, max(time.start, subscription.terminated_at)).last_day(zone)))
    return Span(first, last)


def has_drafts(*, contract: Contract, span: Span) -> bool:
    """Say whether an invoice that bills time of the span is not issued yet: its lines may change, and do not count."""
    zone = dates.zone(contract.customer.applicable_timezone)
    start, end = dates.start_of_day(span.first, zone), dates.start_of_day(span.after, zone)
    rows = RatedCharge.objects.filter(
        subscription__contract_item__contract=contract,
        released_at__isnull=True,
        line__invoice__status__in=states.UNISSUED,
        line__from_at__lt=end,
        line__to_at__gte=start,
    )
    return rows.exists()


def is_billed(*, contract: Contract, span: Span) -> bool:
    """Say whether all time of the contract's subscriptions up to the end of a span is billed, fee and usage."""
    zone = dates.zone(contract.customer.applicable_timezone)
    end = dates.start_of_day(span.after, zone)
    rows = Subscription.objects.filter(
        contract_item__contract=contract, started_at__lt=end, status__in=[Status.ACTIVE, Status.TERMINATED]
    )
    found = list(rows.select_related("plan_version").prefetch_related("plan_version__fixed_charges"))
    waiting = Subscription.objects.filter(
        contract_item__contract=contract, contract_item__starts_on__lte=span.last, status=Status.PENDING
    ).filter(Q(previous__isnull=True) | Q(change_date__lte=span.last))
    # One whose day to resume lies in the span may run on from there, however late its job is.
    resuming = Subscription.objects.filter(
        contract_item__contract=contract, status=Status.PAUSED, change_date__lte=span.last
    )
    if resuming.exists():
        return False
    return not waiting.exists() and all(_is_billed_until(row, span, end) for row in found)


def _is_billed_until(subscription: Subscription, span: Span, end: datetime) -> bool:
    if subscription.terminated_at is not None:
        return subscription.next_billing_date is None or subscription.started_at == subscription.terminated_at
    if subscription.next_billing_date is not None and subscription.next_billing_date <= span.last:
        # A billing day is open again, because its draft was voided: later ones do not make up for it.
        return False
    rows = BilledPeriod.objects.filter(subscription=subscription, released_at__isnull=True).exclude(
        reason__in=[BilledPeriod.Reason.IN_ADVANCE_CHARGE, BilledPeriod.Reason.PROGRESSIVE]
    )
    until = rows.aggregate(
        usage=Max("charges_to_at"),
        fee=Max("to_at", filter=Q(bills_fee=True)),
        fixed=Max("fixed_charges_to_at"),
    )
    version = subscription.plan_version
    wanted = {"usage"}
    in_trial = subscription.trial_ends_at is not None and subscription.trial_ends_at >= end
    if version.amount.amount and not version.pay_in_advance and not in_trial:
        wanted.add("fee")
    if any(not charge.pay_in_advance for charge in version.fixed_charges.all()):
        wanted.add("fixed")
    return all(until[name] is not None and until[name] >= end for name in wanted)


def totals(lines: Sequence[BilledLine], *, span: Span) -> Decimal:
    """Return what counts of lines in a span, unrounded, in major units."""
    return sum((line.counted.within(span) for line in lines), Decimal(0))


def period(contract: Contract, span: Span) -> Period:
    """Return the half-open time of a span of the contract's local days."""
    zone = dates.zone(contract.customer.applicable_timezone)
    return Period(contract_terms.starts_at(span.first, zone), dates.start_of_day(span.after, zone))


def _amount(credited: object) -> Decimal:
    return credited if isinstance(credited, Decimal) else Decimal(str(credited))
