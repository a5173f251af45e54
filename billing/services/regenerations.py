"""What a regenerated invoice bills: the times and prices of the voided one. Owns moving their records to it, so that
the time stays billed once and every line still tells where it comes from.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from billing.domain import adjusted_trace, trace
from billing.models import BilledPeriod, LateUsage, PrepaidInstalment, RatedCharge
from billing.services import owed_lines
from config.kernel import errors
from invoicing.domain.facts import InvoiceRegenerated
from invoicing.models import InvoiceLine


@transaction.atomic
def move(*, fact: InvoiceRegenerated) -> int:
    """Let the new invoice have what the voided one billed; the old records stay, marked as released at ``fact.at``.

    Refuses what was billed at a usage threshold and has been billed since, by an invoice that did not take it off:
    NotAllowed (`invalid_type_or_status`).
    A line whose amount was edited gets a trace that tells so, over the one that it had. Returns how many lines were
    moved. Needs the transaction in which the new one is issued. Idempotent: what was released is not moved again.
    """
    periods = {}
    for period in BilledPeriod.objects.filter(invoice_id=fact.voided_id, released_at__isnull=True).order_by("pk"):
        if period.reason == BilledPeriod.Reason.PROGRESSIVE:
            _demand_unbilled(period)
        old_id = period.pk
        BilledPeriod.objects.filter(pk=old_id).update(released_at=fact.at)
        period.pk, period.id, period._state.adding = None, None, True
        period.uuid = BilledPeriod._meta.get_field("uuid").get_default()
        period.created_at, period.invoice_id = fact.at, fact.invoice_id
        period.save(force_insert=True)
        periods[old_id] = period
        # What came late for this time is settled against it.
        LateUsage.objects.filter(period_id=old_id).update(period=period, updated_at=fact.at)
        RatedCharge.objects.filter(period_id=old_id).exclude(line_id__in=fact.lines).update(period=period)
    rows = list(RatedCharge.objects.filter(line_id__in=fact.lines, released_at__isnull=True).order_by("pk"))
    RatedCharge.objects.filter(pk__in=[row.pk for row in rows]).update(released_at=fact.at)
    lines = InvoiceLine.objects.in_bulk(fact.lines.values())
    copies = [_copy(row, periods, lines, fact) for row in rows]
    RatedCharge.objects.bulk_create(copies)
    for old_line, new_line in fact.lines.items():
        LateUsage.objects.filter(line_id=old_line).update(line_id=new_line, updated_at=fact.at)
        PrepaidInstalment.objects.filter(line_id=old_line).update(line_id=new_line)
    owed_lines.move(lines=fact.lines, at=fact.at)
    return len(copies)


def _demand_unbilled(period: BilledPeriod) -> None:
    later = BilledPeriod.objects.filter(
        Q(reason=BilledPeriod.Reason.PROGRESSIVE) | ~Q(reason__in=BilledPeriod.WITHIN),
        subscription_id=period.subscription_id,
        pk__gt=period.pk,
        released_at__isnull=True,
        charges_from_at__lt=period.charges_to_at,
        charges_to_at__gt=period.charges_from_at,
        invoice__number__isnull=False,
    ).exclude(invoice__progressive_credits__source_id=period.invoice_id)
    number = later.values_list("invoice__number", flat=True).first()
    if number is not None:
        raise errors.NotAllowed("invalid_type_or_status", f"Invoice {number} has billed its usage since.")


def _copy(
    row: RatedCharge, periods: dict[int, BilledPeriod], lines: dict[int, InvoiceLine], fact: InvoiceRegenerated
) -> RatedCharge:
    line = lines[fact.lines[row.line_id]]
    found = row.trace
    if row.line_id in fact.edited:
        found = adjusted_trace.of_line(
            was=row.trace, units=line.units, unit_amount=line.unit_amount, by=fact.actor.label, at=fact.at
        )
    return RatedCharge(
        created_at=fact.at,
        subscription_id=row.subscription_id,
        period=periods.get(row.period_id, row.period),
        charge_id=row.charge_id,
        charge_filter_id=row.charge_filter_id,
        fixed_charge_id=row.fixed_charge_id,
        fixed_units_id=row.fixed_units_id,
        line=line,
        item_key=row.item_key,
        event_transaction_id=row.event_transaction_id,
        is_progressive=row.is_progressive,
        group=row.group,
        true_up_of_id=None if row.true_up_of_id is None else fact.lines.get(row.true_up_of_id, row.true_up_of_id),
        from_at=row.from_at,
        to_at=row.to_at,
        trace=found,
        trace_sha256=trace.digest(found),
    )


def price_taxes(lines: Sequence[InvoiceLine]) -> dict[int, dict[str, tuple[int, ...]]]:
    """Return by line the taxes of the price that it was billed by, for whoever bills it again."""
    related = "line", "charge", "fixed_charge", "subscription__plan_version__minimum_commitment"
    rows = RatedCharge.objects.filter(line__in=lines).select_related(*related).defer("trace")
    rows = rows.prefetch_related(
        "charge__taxes",
        "fixed_charge__taxes",
        "subscription__plan_version__minimum_commitment__taxes",
        "subscription__plan_version__taxes",
    )
    return {row.line_id: {"tax_ids": _taxes(row)} for row in rows}


def _taxes(row: RatedCharge) -> tuple[int, ...]:
    own: tuple[int, ...] = ()
    if row.charge is not None:
        own = tuple(tax.pk for tax in row.charge.taxes.all())
    elif row.fixed_charge is not None:
        own = tuple(tax.pk for tax in row.fixed_charge.taxes.all())
    elif row.line.kind == InvoiceLine.Kind.COMMITMENT:
        commitment = getattr(row.subscription.plan_version, "minimum_commitment", None)
        own = () if commitment is None else tuple(tax.pk for tax in commitment.taxes.all())
    return own or tuple(tax.pk for tax in row.subscription.plan_version.taxes.all())
