"""Late usage on invoices: what waits for the next invoice goes on it as lines of its own. Owns putting it there, anew
when a draft is computed anew, and taking it off when a draft is voided.

Every line names the time that it is for and has the key of its entry, so that the database refuses to bill it twice.
"""

from __future__ import annotations

import decimal
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, Sum, Value, When
from django.db.models.functions import Coalesce
from moneyed import Money

from billing.domain import identity, trace
from billing.domain import late_usage as rules
from billing.models import BilledPeriod, LateUsage, RatedCharge
from config.kernel import db, money
from invoicing.domain.specs import InvoiceSpec, LineSpec
from invoicing.models import Invoice
from invoicing.services.invoices import Drafted

_LABEL_LENGTH = 512
_NAME_LENGTH = 255
ZERO = Decimal(0)

Owner = tuple[int, int, str, str, str]
"""What an invoice has one of: customer, billing entity, currency, purchase order number, and the external id of the
subscription where it shares no invoice with others.
"""

_SELLER = Coalesce("subscription__billing_entity_id", "subscription__customer__billing_entity_id")
_APART = Case(When(subscription__consolidate_invoice=False, then="subscription__external_id"), default=Value(""))


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry, the part of its amount that an invoice takes, and the line for it."""

    row: LateUsage
    part: Money
    line: LineSpec


def added(*, specs: Sequence[InvoiceSpec], owners: Sequence[Owner]) -> tuple[list[InvoiceSpec], list[list[Placed]]]:
    """Put what waits for an invoice on these, each owner's on the first one of its own.

    Amounts that are the customer's take no more than the other lines under the same taxes come to; the rest waits for
    another invoice. Locks the entries. Returns the invoices with their lines, and what was placed on each of them, in
    the order of the lines. `record` has to follow in the same transaction.
    """
    waiting = _waiting({spec.customer_id for spec in specs})
    found, placements = [], []
    for spec, owner in zip(specs, owners, strict=True):
        rows = waiting.pop(owner, [])
        late = placed(rows=rows, lines=spec.lines)
        found.append(replace(spec, lines=(*spec.lines, *(one.line for one in late))) if late else spec)
        placements.append(late)
    return found, placements


def owed(*, customer_ids: Collection[int]) -> set[Owner]:
    """Return for which owners of invoices what waits comes to something to be paid in all."""
    rows = LateUsage.objects.filter(
        state=LateUsage.State.TO_BILL, line__isnull=True, subscription__customer_id__in=customer_ids
    )
    by = (
        "subscription__customer_id",
        "seller",
        "currency",
        "subscription__purchase_order_number",
        "apart",
    )
    rows = rows.order_by().annotate(apart=_APART, seller=_SELLER)
    sums = rows.values_list(*by).annotate(total=Sum("amount")).filter(total__gt=0)
    return {tuple(owner) for *owner, _ in sums}


def of_drafts(*, invoice_ids: Collection[int]) -> dict[int, list[LateUsage]]:
    """Return what waits by the draft that takes it: the first one of its owner. Locks it."""
    drafts = list(Invoice.objects.filter(pk__in=invoice_ids).order_by("billed_at", "pk"))
    waiting = _waiting({draft.customer_id for draft in drafts})
    if not waiting:
        return {}
    apart = dict(
        BilledPeriod.objects.filter(invoice__in=drafts, subscription__consolidate_invoice=False).values_list(
            "invoice_id", "subscription__external_id"
        )
    )
    return {draft.pk: waiting.pop(_owner(draft, apart.get(draft.pk, "")), []) for draft in drafts}


def placed(*, rows: Sequence[LateUsage], lines: Sequence[LineSpec]) -> list[Placed]:
    """Return what an invoice of these lines takes of waiting entries, in their order."""
    room: dict[tuple[int, ...], Decimal] = defaultdict(Decimal)
    for line in lines:
        room[line.tax_ids] += line.net.amount
    by_id = {row.pk: row for row in rows}
    waiting = [rules.Waiting(row.pk, row.amount.amount, tax_ids(row)) for row in rows]
    found = []
    for pk, part in rules.placed(waiting=waiting, room=room):
        row, amount = by_id[pk], Money(part, by_id[pk].currency)
        found.append(Placed(row, amount, line_of(row=row, part=amount)))
    return found


def record(*, drafted: Sequence[tuple[Drafted, Sequence[Placed]]], at: datetime) -> None:
    """Write down which line bills which entry. The lines of entries are the last ones of their invoices.

    What an invoice did not take of an entry becomes an entry of its own, which goes on waiting.
    """
    for draft, late in drafted:
        for one, line in zip(late, draft.lines[len(draft.lines) - len(late) :], strict=True):
            row = one.row
            _leave_rest(row, one.part, at)
            row.line, row.updated_at = line, at
            row.save(update_fields=_WRITTEN)
            RatedCharge.objects.create(
                created_at=at,
                subscription_id=row.subscription_id,
                period_id=row.period_id,
                charge_id=row.charge_id,
                charge_filter_id=row.charge_filter_id,
                line=line,
                item_key=identity.late_usage_key(entry_id=str(row.uuid)),
                group=row.group,
                from_at=row.period.charges_from_at,
                to_at=row.period.charges_to_at,
                trace=row.trace,
                trace_sha256=row.trace_sha256,
            )


def detach(*, invoice_ids: Collection[int], at: datetime) -> int:
    """Take the entries off drafts whose lines are about to be replaced: they wait again. Returns how many they were."""
    rows = LateUsage.objects.filter(line__invoice_id__in=invoice_ids, line__invoice__status="draft")
    lines = list(rows.values_list("line_id", flat=True))
    RatedCharge.objects.filter(line_id__in=lines).delete()
    return LateUsage.objects.filter(line_id__in=lines).update(line=None, updated_at=at)


def release(*, invoice_id: int, at: datetime) -> int:
    """Let what a voided draft would have billed wait for another invoice. Idempotent; returns how many."""
    rows = LateUsage.objects.filter(line__invoice_id=invoice_id, state=LateUsage.State.TO_BILL)
    lines = list(rows.values_list("line_id", flat=True))
    RatedCharge.objects.filter(line_id__in=lines, released_at__isnull=True).update(released_at=at)
    return LateUsage.objects.filter(line_id__in=lines).update(line=None, updated_at=at)


def line_of(*, row: LateUsage, part: Money) -> LineSpec:
    """Return the invoice line of an entry, or of a part of it: what it is more, or less, than what was billed."""
    charge, version = row.charge, row.charge.plan_version
    name = charge.invoice_display_name or charge.metric.name
    if row.is_true_up:
        name = f"{name} – True-up"
    price_filter = row.charge_filter
    filter_label = ""
    if price_filter is not None:
        filter_label = price_filter.invoice_display_name or ", ".join(
            ", ".join(values) for values in price_filter.values.values()
        )
    group_label = ", ".join(f"{key}: {value or '–'}" for key, value in row.group.items())
    tail = " – late usage"
    label = " – ".join(text for text in (name, filter_label, group_label) if text)[: _LABEL_LENGTH - len(tail)]
    plan_name = version.name_on_invoices
    own = row.subscription.name
    units = row.total_units - row.settled_units
    return LineSpec(
        kind="charge",
        item_code=charge.metric.code,
        item_name=charge.metric.name,
        plan_code=version.plan.code,
        label=f"{label}{tail}",
        units=units,
        unit_amount=_unit_amount(part.amount, units),
        precise_amount=part.amount,
        amount=part,
        from_at=row.period.charges_from_at,
        to_at=row.period.charges_to_at,
        events_count=max(row.events_count, 0),
        charge_model=charge.charge_model,
        group_key=row.subscription.external_id,
        group_label=(f"{plan_name}: {own}" if own else plan_name)[:_NAME_LENGTH],
        tax_ids=tax_ids(row),
        is_tax_inclusive=version.tax_inclusive if charge.tax_inclusive is None else charge.tax_inclusive,
    )


def tax_ids(row: LateUsage) -> tuple[int, ...]:
    """Return the taxes of the price that an entry was rated by; none where the customer's or the seller's apply."""
    own = tuple(tax.pk for tax in row.charge.taxes.all())
    return own or tuple(tax.pk for tax in row.charge.plan_version.taxes.all())


_WRITTEN = (
    "line", "state", "reason", "note", "decided_by", "decided_at", "updated_at", "amount", "total_amount", "currency",
    "trace", "trace_sha256",
)  # fmt: skip


def _waiting(customer_ids: Collection[int]) -> dict[Owner, list[LateUsage]]:
    rows = LateUsage.objects.filter(
        state=LateUsage.State.TO_BILL, line__isnull=True, subscription__customer_id__in=customer_ids
    )
    ids = [row.pk for row in db.lock(rows.only("pk"))]
    found: dict[Owner, list[LateUsage]] = defaultdict(list)
    if not ids:
        return found
    related = "subscription__customer", "period", "charge__metric", "charge__plan_version__plan", "charge_filter"
    full = LateUsage.objects.filter(pk__in=ids).select_related(*related)
    for row in full.prefetch_related("charge__taxes", "charge__plan_version__taxes").order_by(
        F("decided_at").asc(), "pk"
    ):
        own = row.subscription
        owner = own.customer_id, own.seller_id, row.currency, own.purchase_order_number
        found[*owner, "" if own.consolidate_invoice else own.external_id].append(row)
    return found


def _owner(draft: Invoice, apart: str) -> Owner:
    return draft.customer_id, draft.billing_entity_id, draft.currency, draft.purchase_order_number, apart


def _leave_rest(row: LateUsage, part: Money, at: datetime) -> None:
    """Cut an entry to the part of it that is billed; the rest is an entry of its own."""
    rest = row.amount - part
    if not rest:
        return
    inputs = row.trace["inputs"]
    later = Decimal(inputs["later"])
    total = row.total_amount - rest
    LateUsage.objects.create(
        created_at=at,
        updated_at=at,
        **{name: getattr(row, name) for name in _SAME},
        settled_amount=total,
        total_amount=row.total_amount,
        amount=rest,
        settled_units=row.total_units,
        events_count=0,
        **_traced(inputs, settled=total.amount, later=later),
    )
    traced = _traced(inputs, settled=Decimal(inputs["settled"]), later=later + rest.amount)
    row.trace, row.trace_sha256 = traced["trace"], traced["trace_sha256"]
    row.amount, row.total_amount = part, total


_SAME = (
    "subscription_id", "period_id", "charge_id", "charge_filter_id", "group", "is_true_up", "item_key", "state",
    "currency", "total_units", "horizon", "reason", "decided_at", "decided_by", "first_received_at",
    "last_received_at",
)  # fmt: skip


def _traced(inputs: Mapping[str, Any], *, settled: Decimal, later: Decimal) -> dict[str, Any]:
    written = trace.of_late_usage(now=inputs["now"], about=inputs, settled=settled, later=later)
    return {"trace": written, "trace_sha256": trace.digest(written)}


def _unit_amount(amount: Decimal, units: Decimal) -> Decimal:
    if not units:
        return amount
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return amount / units
