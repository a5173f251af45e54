"""Adjusting lines of drafts by hand: other units, another unit price, another name; undoing it; adding a line for a
price without usage. Owns the verbs: what is set is kept beside the draft, which is computed anew at once.

Lines of a draft are new ones each time it is computed, so every verb returns the line as it is then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.domain import adjusted_trace, identity
from billing.domain.adjusted_trace import NotAdjustable
from billing.models import AdjustedLine, BilledPeriod, RatedCharge
from billing.queries import price_lists
from billing.services import drafts
from catalog.domain.pricing import groups
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, outbox
from customers.models import Customer
from invoicing.domain import states
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries import invoices as known_invoices

_LABEL = 512
_END = Decimal(10) ** 15


@dataclass(frozen=True)
class Wanted:
    """What is set of a line; None leaves it as it is computed. ``unit_amount`` is in major units, unrounded."""

    units: Decimal | None = None
    unit_amount: Decimal | None = None
    label: str | None = None


@dataclass(frozen=True)
class Previewed:
    """What a draft would come to; its rows are not there any more."""

    invoice: Invoice
    line: InvoiceLine | None


class _Undo(Exception):
    """Ends a preview, so that nothing of it stays."""


@transaction.atomic
def adjust(*, line_id: int, wanted: Wanted, reason: str, actor: Actor, at: datetime) -> InvoiceLine:
    """Set units, unit price or name of a line of a draft, in the place of what was set before.

    Units alone are priced by the line's price; with a unit price they are multiplied. The line keeps it when the draft
    is computed anew. Amounts are rounded once, half up. Raises NotFound, InvalidTransition (`invalid_status`) for a
    line of no draft, NotAdjustable, and what computing raises.
    """
    _demand(wanted)
    line, rated = _held(line_id)
    invoice_id = line.invoice_id or 0
    charge, price_filter = rated.charge, rated.charge_filter
    was = rated.trace["inputs"]["was"] if rated.trace["kind"] == adjusted_trace.KIND else rated.trace
    is_prorated = bool(
        (charge is not None and charge.prorated) or (rated.fixed_charge is not None and rated.fixed_charge.prorated)
    )
    adjusted_trace.demand(was=was, units=wanted.units, unit_amount=wanted.unit_amount, is_prorated=is_prorated)
    place = {
        "invoice_id": invoice_id,
        "subscription_id": rated.subscription_id,
        "item_key": rated.item_key,
        "from_at": rated.from_at,
    }
    AdjustedLine.objects.update_or_create(
        **place,
        defaults={
            "charge_key": None if charge is None or rated.true_up_of_id else charge.key,
            "filter_key": None if price_filter is None else price_filter.key,
            "group": rated.group,
            "to_at": rated.to_at,
            **_values(wanted, reason, actor, at),
        },
    )
    return _recomputed(place, "adjust_line", line.label, wanted, reason, actor, at)


@transaction.atomic
def add(
    *,
    invoice_id: int,
    external_subscription_id: str,
    charge_key: UUID,
    wanted: Wanted,
    reason: str,
    actor: Actor,
    at: datetime,
    filter_key: UUID | None = None,
) -> InvoiceLine:
    """Put a line on a draft for a price of a subscription on it that has no usage in its time.

    Raises NotFound (`invoice_not_found`, `subscription_not_found`, `charge_not_found`, `charge_filter_not_found`),
    InvalidTransition for no draft, NotAdjustable where the price has a line already (`value_already_exist`) or nothing
    is to be billed, and what computing raises.
    """
    _demand(wanted)
    if wanted.units is None and wanted.unit_amount is None:
        raise NotAdjustable("value_is_mandatory", "Say how many units.", {"units": ["value_is_mandatory"]})
    invoice = _locked(invoice_id)
    period = (
        BilledPeriod.objects.filter(
            invoice=invoice, subscription__external_id=external_subscription_id, released_at__isnull=True
        )
        .exclude(reason__in=BilledPeriod.WITHIN)
        .order_by("pk")
        .first()
    )
    if period is None or period.charges_from_at >= period.charges_to_at:
        raise errors.NotFound("subscription_not_found", "The draft bills no usage of this subscription.")
    version_id = period.plan_version_id or 0
    price_list = price_lists.load(version_ids=[version_id])[version_id]
    charge = next((one for one in price_list.charges if one.key == str(charge_key)), None)
    if charge is None or charge.pay_in_advance:
        raise errors.NotFound("charge_not_found", "The plan has no such price of usage in arrears.")
    if filter_key is not None and str(filter_key) not in charge.filter_ids:
        raise errors.NotFound("charge_filter_not_found", "The charge has no such filter.")
    filters = {str(one.id): one.properties for one in charge.filters}
    group = groups.nowhere(charge.properties if filter_key is None else filters[str(filter_key)])
    item_key = identity.item_key(
        charge_key=charge.key,
        filter_key=None if filter_key is None else str(filter_key),
        group=group,
        is_true_up=False,
        fixed_charge_key=None,
        is_commitment=False,
    )
    place = {
        "invoice_id": invoice.pk,
        "subscription_id": period.subscription_id,
        "item_key": item_key,
        "from_at": period.charges_from_at,
    }
    here = RatedCharge.objects.filter(
        line__invoice=invoice, subscription_id=period.subscription_id, item_key=item_key, released_at__isnull=True
    )
    if here.exists() or AdjustedLine.objects.filter(**place).exists():
        code = "value_already_exist"
        raise NotAdjustable(code, "The price has a line already: adjust that one.", {"charge": [code]})
    AdjustedLine.objects.create(
        **place,
        charge_key=charge_key,
        filter_key=filter_key,
        group=dict(group),
        to_at=period.charges_to_at,
        **_values(wanted, reason, actor, at),
    )
    return _recomputed(place, "add_line", charge.name, wanted, reason, actor, at)


@transaction.atomic
def undo(*, line_id: int, actor: Actor, at: datetime) -> InvoiceLine | None:
    """Bill a line of a draft as it is computed again; return it, or None where it is there no more.

    A line that nobody adjusted is left alone. Raises NotFound, InvalidTransition for a line of no draft.
    """
    line, rated = _held(line_id)
    place = {
        "invoice_id": line.invoice_id,
        "subscription_id": rated.subscription_id,
        "item_key": rated.item_key,
        "from_at": rated.from_at,
    }
    deleted, _ = AdjustedLine.objects.filter(**place).delete()
    if not deleted:
        return line
    drafts.recompute(invoice_ids=[line.invoice_id or 0], actor=actor, at=at)
    audit.record(actor=actor, at=at, verb="undo_line", instance=_invoice(line.invoice_id), old={"line": line.label})
    return _line(place)


def preview(verb: Callable[[], InvoiceLine]) -> Previewed:
    """Show what a verb of these would make of its draft. Nothing stays. Raises what it raises."""
    found: list[Previewed] = []
    try:
        with outbox.silence(), transaction.atomic():
            line = verb()
            found.append(Previewed(_invoice(line.invoice_id), line))
            raise _Undo
    except _Undo:
        return found[0]


def _held(line_id: int) -> tuple[InvoiceLine, RatedCharge]:
    line = InvoiceLine.objects.filter(pk=line_id).first()
    if line is None or line.invoice_id is None:
        raise errors.NotFound("fee_not_found", "There is no such line on an invoice.")
    _locked(line.invoice_id)
    related = "charge", "charge_filter", "fixed_charge"
    rated = RatedCharge.objects.filter(line_id=line_id).select_related(*related).first()
    if rated is None:
        code = "value_is_invalid"
        raise NotAdjustable("invalid_type_or_status", "The line bills no subscription.", {"fee": [code]})
    return line, rated


def _locked(invoice_id: int) -> Invoice:
    customer_id = Invoice.objects.filter(pk=invoice_id).values_list("customer_id", flat=True).first()
    if customer_id is not None:
        db.lock_one(Customer.objects.filter(pk=customer_id))
    invoice = known_invoices.locked(invoice_id)
    states.move(status=invoice.status, verb=states.RECOMPUTE)
    return invoice


def _demand(wanted: Wanted) -> None:
    if wanted.units is None and wanted.unit_amount is None and not (wanted.label or "").strip():
        raise NotAdjustable("value_is_mandatory", "Say what is set.", {"units": ["value_is_mandatory"]})
    for name, value in (("units", wanted.units), ("unit_precise_amount", wanted.unit_amount)):
        if value is not None and not (value.is_finite() and 0 <= value < _END):
            code = "value_is_out_of_range"
            raise NotAdjustable(code, f"{value} cannot be billed.", {name: [code]})
    if len(wanted.label or "") > _LABEL:
        code = "value_is_too_long"
        raise NotAdjustable(code, "The name is too long.", {"invoice_display_name": [code]})


def _values(wanted: Wanted, reason: str, actor: Actor, at: datetime) -> dict[str, Any]:
    return {
        "units": wanted.units,
        "unit_amount": wanted.unit_amount,
        "label": (wanted.label or "").strip(),
        "reason": reason,
        "adjusted_by": actor.label,
        "adjusted_at": at,
    }


def _recomputed(
    place: Mapping[str, Any], verb: str, label: str, wanted: Wanted, reason: str, actor: Actor, at: datetime
) -> InvoiceLine:
    drafts.recompute(invoice_ids=[place["invoice_id"]], actor=actor, at=at)
    line = _line(place)
    if line is None:
        raise NotAdjustable("invalid_type_or_status", "Nothing of this price is billed by the draft.", {})
    new = {
        "line": line.label,
        "units": wanted.units,
        "unit_amount": wanted.unit_amount,
        "invoice_display_name": wanted.label,
    }
    audit.record(
        actor=actor,
        at=at,
        verb=verb,
        instance=_invoice(line.invoice_id),
        old={"line": label},
        new={name: str(value) for name, value in new.items() if value is not None},
        reason=reason,
    )
    return line


def _line(place: Mapping[str, Any]) -> InvoiceLine | None:
    rows = RatedCharge.objects.filter(
        line__invoice_id=place["invoice_id"],
        subscription_id=place["subscription_id"],
        item_key=place["item_key"],
        from_at=place["from_at"],
        released_at__isnull=True,
    )
    rated = rows.select_related("line__invoice").first()
    return None if rated is None else rated.line


def _invoice(invoice_id: int | None) -> Invoice:
    return Invoice.objects.get(pk=invoice_id)
