"""What was billed too little and waits for the next invoice: putting it there, anew when a draft is computed anew, and
taking it off when a draft is voided. Owns these lines; that they are owed was decided by a correction.

The first invoice of the same customer, seller and currency takes all that waits, however much it bills itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from moneyed import Money

from billing.models import BilledPeriod, OwedLine, Subscription
from billing.services.late_usage_lines import Owner
from config.kernel import db
from invoicing.domain import corrections
from invoicing.domain.corrections import Line, Step
from invoicing.domain.specs import InvoiceSpec, LineSpec
from invoicing.models import CorrectedLine, Correction, Invoice, InvoiceLine
from invoicing.services import correction_lines

Key = tuple[int, int, str, str]
"""Whose lines they are: customer, billing entity, currency, and the subscription that shares no invoices."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What waits, and the line for it."""

    row: OwedLine
    line: LineSpec


def leave(
    *, correction: Correction, step: Step, lines: Mapping[int, Line], invoice: Invoice, at: datetime
) -> list[OwedLine]:
    """Leave the differences of an invoice's lines to the next invoice. Needs the lock of the customer."""
    corrected = {row.line_id: row for row in CorrectedLine.objects.filter(correction=correction)}
    rows = []
    for change in step.changes:
        units, unit_amount = corrections.difference(change=change, line=lines[change.line_id])
        rows.append(
            OwedLine(
                created_at=at,
                updated_at=at,
                corrected=corrected[change.line_id],
                customer_id=invoice.customer_id,
                billing_entity_id=invoice.billing_entity_id,
                apart=apart(invoice),
                currency=invoice.currency,
                amount=change.difference,
                units=units,
                unit_amount=unit_amount,
            )
        )
    return OwedLine.objects.bulk_create(rows)


def apart(invoice: Invoice) -> str:
    """Return the subscription that an invoice bills by itself, nothing where it is shared."""
    own = BilledPeriod.objects.filter(invoice=invoice, subscription__consolidate_invoice=False)
    return own.values_list("subscription__external_id", flat=True).first() or ""


def can_wait(invoice: Invoice) -> bool:
    """Say whether the customer has a billing day to come whose invoice could bill more of this one."""
    if invoice.customer.billing_entity_id != invoice.billing_entity_id:
        return False
    coming = Subscription.objects.filter(
        customer_id=invoice.customer_id, next_billing_date__isnull=False, plan_version__currency=invoice.currency
    )
    own = apart(invoice)
    if own:
        return coming.filter(external_id=own).exists()
    return coming.exclude(consolidate_invoice=False).exists()


def of_lines(*, invoice: Invoice) -> tuple[dict[int, Money], dict[int, Money]]:
    """Return what later invoices bill of an invoice's lines, and what waits for one, by line."""
    billed: dict[int, Money] = {}
    waiting: dict[int, Money] = {}
    rows = OwedLine.objects.filter(corrected__line__invoice=invoice, dropped_at__isnull=True)
    gone = (Invoice.Status.VOIDED, Invoice.Status.CLOSED)
    for row in rows.select_related("corrected", "line__invoice"):
        if row.line is not None and row.line.invoice is not None and row.line.invoice.status in gone:
            continue
        found = waiting if row.line is None else billed
        line_id = row.corrected.line_id
        found[line_id] = found[line_id] + row.amount if line_id in found else row.amount
    return billed, waiting


def added(*, specs: Sequence[InvoiceSpec], owners: Sequence[Owner]) -> tuple[list[InvoiceSpec], list[list[Owed]]]:
    """Put what waits on these invoices, each owner's on the first one of its own, after their lines. Locks it.

    `record` has to follow in the same transaction.
    """
    waiting = _waiting({spec.customer_id for spec in specs})
    found, placements = [], []
    for spec, owner in zip(specs, owners, strict=True):
        owed = placed(waiting.pop(key(owner), []))
        found.append(replace(spec, lines=(*spec.lines, *(one.line for one in owed))) if owed else spec)
        placements.append(owed)
    return found, placements


def keys(*, customer_ids: Collection[int]) -> set[Key]:
    """Return for whom something waits."""
    rows = _rows(customer_ids).order_by().distinct()
    return set(rows.values_list("customer_id", "billing_entity_id", "currency", "apart"))


def of_drafts(*, invoice_ids: Collection[int]) -> dict[int, list[OwedLine]]:
    """Return what waits by the draft that takes it: the first one of its owner. Locks it."""
    drafts = list(Invoice.objects.filter(pk__in=invoice_ids).order_by("billed_at", "pk"))
    waiting = _waiting({draft.customer_id for draft in drafts})
    if not waiting:
        return {}
    return {
        draft.pk: waiting.pop((draft.customer_id, draft.billing_entity_id, draft.currency, apart(draft)), [])
        for draft in drafts
    }


def placed(rows: Sequence[OwedLine]) -> list[Owed]:
    """Return what waits with the lines for it."""
    if not rows:
        return []
    lines = InvoiceLine.objects.select_related("invoice").prefetch_related("applied_taxes")
    corrected = {line.pk: line for line in lines.filter(pk__in=[row.corrected.line_id for row in rows])}
    taxes = correction_lines.taxes(list(corrected.values()))
    return [
        Owed(
            row,
            correction_lines.spec(
                line=corrected[row.corrected.line_id],
                number=str(corrected[row.corrected.line_id].invoice),
                units=row.units,
                unit_amount=row.unit_amount,
                amount=row.amount,
                tax_ids=taxes[row.corrected.line_id],
            ),
        )
        for row in rows
    ]


def record(*, owed: Sequence[Owed], lines: Sequence[InvoiceLine], at: datetime) -> None:
    """Write down which line bills what waited."""
    for one, line in zip(owed, lines, strict=True):
        one.row.line, one.row.updated_at = line, at
        one.row.save(update_fields=["line", "updated_at"])


def detach(*, invoice_ids: Collection[int], at: datetime) -> int:
    """Take what waits off drafts whose lines are about to be replaced. Returns how many lines they were."""
    rows = OwedLine.objects.filter(line__invoice_id__in=invoice_ids, line__invoice__status=Invoice.Status.DRAFT)
    return rows.update(line=None, updated_at=at)


def release(*, invoice_id: int, at: datetime) -> int:
    """Let what a voided draft would have billed wait for another invoice. Idempotent; returns how many lines."""
    return OwedLine.objects.filter(line__invoice_id=invoice_id).update(line=None, updated_at=at)


def drop(*, invoice_id: int) -> int:
    """Drop what waits of an issued invoice that was voided: nothing of it is owed. Idempotent; returns how many."""
    at = Invoice.objects.values_list("voided_at", flat=True).get(pk=invoice_id)
    waiting = OwedLine.objects.filter(
        corrected__line__invoice_id=invoice_id, line__isnull=True, dropped_at__isnull=True
    )
    return waiting.update(dropped_at=at, updated_at=at)


def drop_lines(*, line_ids: Collection[int], at: datetime) -> int:
    """Drop what waits of these lines, as a later correction says what is right. Returns how many they were."""
    waiting = OwedLine.objects.filter(corrected__line__in=line_ids, line__isnull=True, dropped_at__isnull=True)
    return waiting.update(dropped_at=at, updated_at=at)


def move(*, lines: Mapping[int, int], at: datetime) -> None:
    """Let the lines of a regenerated invoice bill what those of the voided one billed."""
    for row in OwedLine.objects.filter(line_id__in=lines):
        row.line_id, row.updated_at = lines[row.line_id], at
        row.save(update_fields=["line", "updated_at"])


def key(owner: Owner) -> Key:
    """Return whose lines an invoice of this owner takes: the purchase order number does not matter."""
    customer_id, billing_entity_id, currency, _, subscription = owner
    return customer_id, billing_entity_id, currency, subscription


def _rows(customer_ids: Collection[int]):  # type: ignore[no-untyped-def]
    return OwedLine.objects.filter(customer_id__in=customer_ids, line__isnull=True, dropped_at__isnull=True)


def _waiting(customer_ids: Collection[int]) -> dict[Key, list[OwedLine]]:
    ids = [row.pk for row in db.lock(_rows(customer_ids).only("pk"))]
    found: dict[Key, list[OwedLine]] = defaultdict(list)
    if not ids:
        return found
    for row in OwedLine.objects.filter(pk__in=ids).select_related("corrected").order_by("pk"):
        found[row.customer_id, row.billing_entity_id, row.currency, row.apart].append(row)
    return found
