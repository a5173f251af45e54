"""What was recorded beside the subscriptions of a time line: documents, late usage, alerts and notices, what was agreed
otherwise, and the contract. Owns one stream for each, of which only the newest are read. Never writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Sum
from django.db.models.functions import Coalesce
from moneyed import Money

from billing.domain.timelines import Entry, Group, Kind, Subject
from billing.models import (
    BilledPeriod,
    ContractAmendment,
    ContractNotice,
    ContractTerm,
    LateUsage,
    SpendCap,
    Subscription,
    SubscriptionNotice,
    TriggeredAlert,
)
from catalog.models import PlanVersion
from config.kernel import money
from config.platform.models import AuditEntry
from invoicing.models import CreditNote, Invoice
from invoicing.queries import receivables

_AGREED = {
    "agree_terms": Kind.TERMS_CHANGED,
    "end_terms": Kind.TERMS_CHANGED,
    "move_version": Kind.TERMS_CHANGED,
    "change_units": Kind.UNITS_CHANGED,
    "change": Kind.AGREEMENT_CHANGED,
    "set_entitlements": Kind.AGREEMENT_CHANGED,
    "set_usage_thresholds": Kind.AGREEMENT_CHANGED,
}

_LIFE = ("create", "activate", "pause", "resume", "terminate", "cancel")


def told(rows: Sequence[Subscription]) -> dict[tuple[int, str], tuple[str, str]]:
    """Return who did each verb on subscriptions last, and why, by their ids; a job says why alone. One query."""
    found = AuditEntry.objects.filter(
        object_type=Subscription._meta.label_lower, object_id__in=[row.pk for row in rows], verb__in=_LIFE
    )
    people = (AuditEntry.ActorKind.USER, AuditEntry.ActorKind.API_KEY)
    return {
        (entry.object_id, entry.verb): (entry.actor_label if entry.actor_kind in people else "", entry.reason)
        for entry in found.order_by("at", "pk").only("object_id", "verb", "actor_kind", "actor_label", "reason")
    }


def streams(
    *, rows: Sequence[Subscription], at: datetime, limit: int, groups: Sequence[Group] = ()
) -> Iterator[list[Entry]]:
    """Yield the newest entries of each kind of record by ``at``, at most ``limit`` of each; one query for a stream.

    Streams of other groups than those wanted are not read.
    """
    wanted = frozenset(groups) or frozenset(Group)
    ids = [row.pk for row in rows]
    if Group.MONEY in wanted:
        yield _invoices(ids, at, limit)
        yield _credit_notes(ids, at, limit)
        yield _late_usage(ids, at, limit)
    if Group.NOTICES in wanted:
        yield _alerts(ids, at, limit)
        yield _caps(rows[0], at)
        yield _end_notices(ids, at, limit)
    if Group.CHANGES in wanted:
        yield _agreed(rows, at, limit)
        contracts = {row.contract_item.contract_id for row in rows if row.contract_item is not None}
        if contracts:
            yield from _contract(contracts, at, limit)


def _invoices(ids: Sequence[int], at: datetime, limit: int) -> list[Entry]:
    mine = BilledPeriod.objects.filter(subscription_id__in=ids, invoice__isnull=False).values("invoice_id")
    rows = Invoice.objects.filter(pk__in=mine, billed_at__lte=at).order_by("-billed_at", "-pk")
    return [
        Entry(
            row.billed_at,
            Kind.PROGRESSIVE_INVOICE if row.kind == Invoice.Kind.PROGRESSIVE_BILLING else Kind.INVOICE,
            row.pk,
            name=row.number or "",
            amount=row.total_amount,
            state=_state(row),
            subject=Subject("invoicing.invoice", row.pk, str(row.uuid), str(row)),
        )
        for row in rows[:limit]
    ]


def _state(invoice: Invoice) -> str:
    if invoice.status != Invoice.Status.FINALIZED:
        return str(invoice.status)
    if receivables.given_up(invoice):
        return "written_off"
    if invoice.payment_overdue:
        return "overdue"
    if invoice.payment_status == Invoice.PaymentStatus.PENDING and invoice.paid_amount.amount:
        return "partly_paid"
    states = {Invoice.PaymentStatus.SUCCEEDED: "paid", Invoice.PaymentStatus.FAILED: "payment_failed"}
    return states.get(Invoice.PaymentStatus(invoice.payment_status), "to_pay")


def _credit_notes(ids: Sequence[int], at: datetime, limit: int) -> list[Entry]:
    mine = BilledPeriod.objects.filter(subscription_id__in=ids, invoice__isnull=False).values("invoice_id")
    rows = CreditNote.objects.filter(invoice_id__in=mine, created_at__lte=at).order_by("-created_at", "-pk")
    return [
        Entry(
            row.created_at,
            Kind.CREDIT_NOTE,
            row.pk,
            name=row.number or "",
            amount=row.total_amount,
            state="voided" if row.voided_at is not None else str(row.status),
            reason=row.get_reason_display(),
            subject=Subject("invoicing.creditnote", row.pk, str(row.uuid), str(row)),
        )
        for row in rows[:limit]
    ]


def _late_usage(ids: Sequence[int], at: datetime, limit: int) -> list[Entry]:
    """What was decided about late usage at once, and what is held, is one entry for each period."""
    rows = LateUsage.objects.filter(subscription_id__in=ids).exclude(state=LateUsage.State.NO_EFFECT)
    found = (
        rows.order_by()
        .values("period_id", "period__billing_date", "state", "decided_at", "decided_by", "currency")
        .annotate(last=Coalesce("decided_at", Max("created_at")), key=Max("pk"), sum=Sum("amount"), entries=Count("pk"))
        .filter(last__lte=at)
        .order_by("-last", "-key")
    )
    return [
        Entry(
            row["last"],
            Kind.LATE_USAGE,
            row["key"],
            name=row["period__billing_date"].isoformat(),
            amount=Money(row["sum"], row["currency"]),
            state=row["state"],
            by=row["decided_by"],
            count=row["entries"],
            subject=Subject("billing.lateusage", row["key"], "", ""),
        )
        for row in found[:limit]
    ]


def _alerts(ids: Sequence[int], at: datetime, limit: int) -> list[Entry]:
    rows = TriggeredAlert.objects.filter(subscription_id__in=ids, triggered_at__lte=at)
    return [
        Entry(
            row.triggered_at,
            Kind.ALERT,
            row.pk,
            name=str(row),
            amount=None if row.alert_type.endswith("_units") else _minor(row.current_value, row.currency),
            subject=Subject("billing.triggeredalert", row.pk, str(row.uuid), str(row)),
        )
        for row in rows.order_by("-triggered_at", "-pk")[:limit]
    ]


def _minor(cents: Decimal | int, currency: str) -> Money:
    return money.from_minor(int(cents), currency)


def _caps(row: Subscription, at: datetime) -> list[Entry]:
    rows = SpendCap.objects.filter(
        customer_id=row.customer_id, external_subscription_id=row.external_id, reached_at__lte=at
    )
    currency = row.plan_version.currency
    return [
        Entry(one.reached_at, Kind.CAP_REACHED, one.pk, amount=_minor(one.amount_cents, currency))
        for one in rows
        if one.reached_at is not None
    ]


def _end_notices(ids: Sequence[int], at: datetime, limit: int) -> list[Entry]:
    rows = SubscriptionNotice.objects.filter(subscription_id__in=ids, created_at__lte=at)
    return [
        Entry(row.created_at, Kind.END_NOTICE, row.pk, name=row.ending_at.isoformat(), count=row.days_before)
        for row in rows.order_by("-created_at", "-pk")[:limit]
    ]


def _agreed(rows: Sequence[Subscription], at: datetime, limit: int) -> list[Entry]:
    currencies = {row.pk: row.plan_version.currency for row in rows}
    found = AuditEntry.objects.filter(
        object_type=Subscription._meta.label_lower, object_id__in=list(currencies), verb__in=list(_AGREED), at__lte=at
    )
    return [_agreement(entry, currencies[entry.object_id]) for entry in found.order_by("-at", "-pk")[:limit]]


def _agreement(entry: AuditEntry, currency: str) -> Entry:
    kind = _AGREED[entry.verb]
    name, before = ", ".join(sorted(entry.new)), ""
    amounts: tuple[Money | None, Money | None] = (None, None)
    if kind is Kind.UNITS_CHANGED:
        name = f"{entry.new.get('units', '')} × {entry.new.get('fixed_charge', '')}"
    elif kind is Kind.TERMS_CHANGED:
        name, before = entry.verb, ""
        amounts = _own_price(entry.new, currency), _own_price(entry.old, currency)
    elif entry.verb != "change":
        name = entry.verb.removeprefix("set_")
    return Entry(
        entry.at,
        kind,
        entry.pk,
        name=name,
        before=before,
        amount=amounts[0],
        amount_before=amounts[1],
        by=entry.actor_label,
        reason=entry.reason,
    )


def former_versions(rows: Sequence[Subscription]) -> dict[int, list[tuple[datetime, PlanVersion]]]:
    """Return the versions that subscriptions had before others, with when they lost them, oldest first: two queries."""
    noted = AuditEntry.objects.filter(
        object_type=Subscription._meta.label_lower,
        object_id__in=[row.pk for row in rows],
        old__has_key="plan_version",
        new__has_key="plan_version",
    )
    changes = list(noted.order_by("at", "pk").values_list("object_id", "at", "old__plan_version"))
    plans = {row.pk: row.plan_version.plan_id for row in rows}
    numbers = {number for _, _, number in changes}
    found = PlanVersion.objects.filter(plan_id__in=set(plans.values()), number__in=numbers).select_related("plan")
    known = {(one.plan_id, one.number): one for one in found}
    former: dict[int, list[tuple[datetime, PlanVersion]]] = {}
    for pk, at, number in changes:
        version = known.get((plans[pk], number))
        if version is not None:
            former.setdefault(pk, []).append((at, version))
    return former


def _own_price(noted: Mapping[str, Any], currency: str) -> Money | None:
    terms = noted.get("own_terms")
    cents = terms.get("amount_cents") if isinstance(terms, Mapping) else None
    return None if cents is None else _minor(int(cents), currency)


def _contract(contracts: set[int], at: datetime, limit: int) -> Iterator[list[Entry]]:
    of = {"contract_id__in": contracts, "created_at__lte": at}
    terms = ContractTerm.objects.filter(number__gt=1, **of).select_related("contract").order_by("-created_at", "-pk")
    yield [
        Entry(
            row.created_at,
            Kind.CONTRACT_RENEWED,
            row.pk,
            name=row.contract.number,
            before=f"{row.starts_on.isoformat()}/{row.ends_on.isoformat()}",
            subject=_of_contract(row),
        )
        for row in terms[:limit]
    ]
    amendments = ContractAmendment.objects.filter(**of).exclude(kind=ContractAmendment.Kind.RENEWAL)
    yield [
        Entry(
            row.created_at,
            Kind.CONTRACT_AMENDED,
            row.pk,
            name=row.contract.number,
            before=row.get_kind_display(),
            by=row.made_by,
            reason=row.reason,
            subject=_of_contract(row),
        )
        for row in amendments.select_related("contract").order_by("-created_at", "-pk")[:limit]
    ]
    notices = ContractNotice.objects.filter(**of).select_related("contract").order_by("-created_at", "-pk")
    yield [
        Entry(
            row.created_at,
            Kind.CONTRACT_NOTICE,
            row.pk,
            name=row.contract.number,
            state="" if row.withdrawn_at is None else "withdrawn",
            by=row.given_by,
            reason=row.reason,
            subject=_of_contract(row),
        )
        for row in notices[:limit]
    ]


def _of_contract(row: ContractTerm | ContractAmendment | ContractNotice) -> Subject:
    contract = row.contract
    return Subject("billing.contract", contract.pk, str(contract.uuid), str(contract))
