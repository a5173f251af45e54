"""Issuing an invoice in the place of a voided one. Owns copying its lines, with what was edited of them, and linking
the two; what it takes and how it is numbered is `finalization`'s.

Taxes are worked out anew: those of the prices as whoever billed the lines tells them, else the customer's or the
seller's of now. Coupons and credits are taken as by any invoice.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from moneyed import Money

from config.kernel import errors, events, money, registry
from config.kernel.actors import Actor
from config.platform.services import audit, outbox
from invoicing.domain.facts import InvoiceRegenerated
from invoicing.domain.specs import InvoiceSpec, LineSpec, ProgressiveCreditSpec
from invoicing.models import Invoice, InvoiceLine, ProgressiveCredit, WalletTransaction
from invoicing.queries import invoices as known_invoices
from invoicing.services import drafting, finalization

PRICE = "invoicing.line_price"
"""Parts by line: ``{"tax_ids": (…)}``, the taxes of the price that it was billed by."""

_LABEL = 512
_MOST = Decimal(10) ** 15


class UnableToRegenerate(errors.NotAllowed):
    """The invoice is not voided, or another one stands in its place."""


class InvalidEdit(errors.Invalid):
    """An edited line is not on the invoice, or cannot be billed as edited."""


@dataclass(frozen=True)
class LineEdit:
    """What is changed of a line; None leaves it. ``unit_amount`` is in major units, unrounded.

    With units alone they are billed at the unit price that the line tells; with a unit price alone its units are. Of a
    price that includes its taxes the unit price is gross. ``tax_ids`` take the place of the taxes of its price.
    """

    units: Decimal | None = None
    unit_amount: Decimal | None = None
    label: str | None = None
    tax_ids: Sequence[int] | None = None

    @property
    def prices(self) -> bool:
        """Say whether it changes what the line comes to."""
        return self.units is not None or self.unit_amount is not None


@dataclass(frozen=True)
class Previewed:
    """What an invoice would come to; the rows are not there any more."""

    invoice: Invoice
    lines: tuple[InvoiceLine, ...]


class _Undo(Exception):
    """Ends a preview, so that nothing of it stays."""


@transaction.atomic
def regenerate(
    *,
    invoice_id: int,
    actor: Actor,
    at: datetime,
    edits: Mapping[int, LineEdit] | None = None,
) -> Invoice:
    """Issue an invoice in the place of a voided one, with its lines, or with ``edits`` of them by the old line's key.

    An edited line comes to units times unit price, rounded once, half up. It is issued at once, dated by the local day
    of ``at``, with the next number, and names the voided one. What the old one billed is billed by the new one from
    then on: subscribers hear InvoiceRegenerated before it is issued. A voided invoice is regenerated once, unless that
    one is voided as well. What was billed progressively before is taken off again; what of it is beyond edited lines is
    given back by a credit note. Raises InvoiceNotFound, UnableToRegenerate (`status_not_voided`,
    `already_regenerated`; `invalid_type_or_status` for what sold credits of a wallet, which are bought anew),
    InvalidEdit (`invalid_type_or_status` for other amounts of what sold prepaid credit), what subscribers refuse with,
    and what drafting and issuing raise.
    """
    wanted = dict(edits or {})
    old = known_invoices.locked(invoice_id)
    if old.status != Invoice.Status.VOIDED or old.number is None:
        raise UnableToRegenerate("status_not_voided", f"Invoice {old} is not voided.")
    standing = old.regenerations.exclude(status=Invoice.Status.VOIDED).first()
    if standing is not None:
        raise UnableToRegenerate("already_regenerated", f"Invoice {standing} stands in its place.")
    lines = list(InvoiceLine.objects.filter(invoice=old).prefetch_related("applied_taxes").order_by("position"))
    _demand(wanted, lines)
    if old.kind == Invoice.Kind.CREDIT:
        _demand_sold(old, wanted)
    prices = registry.parts(PRICE, lines)
    specs = [_spec(line, wanted.get(line.pk, LineEdit()), prices[line.pk].get("tax_ids")) for line in lines]
    sources, specs = _progressive(old, specs)
    spec = InvoiceSpec(
        customer_id=old.customer_id,
        billing_entity_id=old.billing_entity_id,
        currency=old.currency,
        timezone=old.timezone,
        billed_at=at,
        lines=tuple(specs),
        purchase_order_number=old.purchase_order_number,
        kind=old.kind,
        progressive_credits=sources,
        net_payment_term=old.net_payment_term,
        skip_automatic_payment=old.skip_automatic_payment,
        custom_section_ids=None if old.custom_section_ids is None else tuple(old.custom_section_ids),
    )
    [drafted] = drafting.draft_many(specs=[spec], actor=actor, at=at)
    Invoice.objects.filter(pk=drafted.invoice.pk).update(regenerated_from=old)
    pairs = zip(lines, drafted.lines, strict=True)
    events.publish(
        InvoiceRegenerated(
            voided_id=old.pk,
            invoice_id=drafted.invoice.pk,
            lines={before.pk: after.pk for before, after in pairs},
            edited=frozenset(line_id for line_id, edit in wanted.items() if edit.prices),
            actor=actor,
            at=at,
        )
    )
    issued = finalization.finalize(invoice_id=drafted.invoice.pk, actor=actor, at=at)
    new = {"regenerated_as": issued.number, "edited_lines": len(wanted)}
    audit.record(actor=actor, at=at, verb="regenerate", instance=old, new=new)
    return issued


def preview(*, invoice_id: int, actor: Actor, at: datetime, edits: Mapping[int, LineEdit] | None = None) -> Previewed:
    """Show what `regenerate` would issue. Nothing stays: no row, no number. Raises what it raises."""
    found: list[Previewed] = []
    try:
        with outbox.silence(), transaction.atomic():
            issued = regenerate(invoice_id=invoice_id, actor=actor, at=at, edits=edits)
            lines = InvoiceLine.objects.filter(invoice_id=issued.pk).order_by("position")
            found.append(Previewed(Invoice.objects.get(pk=issued.pk), tuple(lines)))
            raise _Undo
    except _Undo:
        return found[0]


def _demand(wanted: Mapping[int, LineEdit], lines: Sequence[InvoiceLine]) -> None:
    unknown = wanted.keys() - {line.pk for line in lines}
    if unknown:
        raise InvalidEdit("fee_not_found", "A line is not on this invoice.", {"fees": ["fee_not_found"]})
    for edit in wanted.values():
        for name, value in (("units", edit.units), ("unit_amount", edit.unit_amount)):
            if value is not None and not (value.is_finite() and 0 <= value < _MOST):
                raise InvalidEdit(
                    "value_is_out_of_range", f"{value} cannot be billed.", {name: ["value_is_out_of_range"]}
                )
        if edit.label is not None and not 0 < len(edit.label.strip()) <= _LABEL:
            code = "value_is_mandatory" if not edit.label.strip() else "value_is_too_long"
            raise InvalidEdit(code, "A line needs a name that fits.", {"invoice_display_name": [code]})


def _demand_sold(old: Invoice, wanted: Mapping[int, LineEdit]) -> None:
    """Demand that an invoice which sold credit sells the same again."""
    code = "invalid_type_or_status"
    if WalletTransaction.objects.filter(invoice=old, transaction_status=WalletTransaction.Kind.PURCHASED).exists():
        raise UnableToRegenerate(code, "It sold credits of a wallet, which are gone with it: buy them anew.")
    if any(edit.prices for edit in wanted.values()):
        raise InvalidEdit(code, "It sells what was agreed: its amounts stay.", {"fees": [code]})


def _spec(line: InvoiceLine, edit: LineEdit, tax_ids: Sequence[int] | None) -> LineSpec:
    if edit.tax_ids is not None:
        tax_ids = edit.tax_ids
    elif tax_ids is None:
        # Nobody knows its price: what is sold by itself keeps the taxes that were chosen for it.
        chosen = line.kind == InvoiceLine.Kind.ADD_ON
        tax_ids = [row.tax_id for row in line.applied_taxes.all()] if chosen else ()
    units, unit_amount, precise, amount = _agreed(line)
    credited = line.progressive_credit_amount
    if line.tax_inclusive_amount is not None and credited:
        credited = _rounded(_gross(credited.amount, line), line)
    if edit.prices:
        units = line.units if edit.units is None else edit.units
        unit_amount = unit_amount if edit.unit_amount is None else edit.unit_amount
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            precise = units * unit_amount
        amount = _rounded(precise, line)
    return LineSpec(
        kind=line.kind,
        item_code=line.item_code,
        item_name=line.item_name,
        label=line.label if edit.label is None else edit.label.strip(),
        units=units,
        unit_amount=unit_amount,
        precise_amount=precise,
        amount=amount,
        from_at=line.from_at,
        to_at=line.to_at,
        events_count=line.events_count,
        charge_model=line.charge_model,
        description=line.description,
        group_key=line.group_key,
        group_label=line.group_label,
        amount_details={} if edit.prices else line.amount_details,
        tax_ids=tuple(tax_ids),
        total_units=None if edit.prices else line.total_units,
        pricing_unit=None if edit.prices else line.pricing_unit,
        breakdowns=line.breakdowns,
        event_transaction_id=line.event_transaction_id,
        progressive_credit=min(credited, max(amount, amount * 0)) or None,
        item_uuid=line.item_uuid,
        plan_code=line.plan_code,
        is_tax_inclusive=line.tax_inclusive_amount is not None,
    )


def _agreed(line: InvoiceLine) -> tuple[Decimal, Decimal, Decimal, Money]:
    """Return units, unit price, precise and rounded amount as agreed: gross where the price includes taxes."""
    if line.tax_inclusive_amount is None:
        return line.units, line.unit_amount, line.precise_amount, line.amount
    amount = Money(line.tax_inclusive_amount, line.currency)
    return line.units, _gross(line.unit_amount, line), line.tax_inclusive_amount, amount


def _gross(net: Decimal, line: InvoiceLine) -> Decimal:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return net * (1 + line.taxes_rate)


def _rounded(amount: Decimal, line: InvoiceLine) -> Money:
    return Money(money.quantize(amount, currency=line.currency), line.currency)


def _progressive(
    old: Invoice, specs: Sequence[LineSpec]
) -> tuple[tuple[ProgressiveCreditSpec, ...], Sequence[LineSpec]]:
    """Return what was billed progressively and stands, and the lines that take it off. What was given back stays so."""
    nothing = money.zero(old.currency)
    left = sum((spec.progressive_credit for spec in specs if spec.progressive_credit), nothing)
    found = []
    for row in ProgressiveCredit.objects.filter(invoice=old).select_related("source").order_by("pk"):
        source = _standing(row.source)
        if source is None:
            continue
        part = min(row.amount, left)
        left -= part
        if row.amount:
            found.append(ProgressiveCreditSpec(source_id=source.pk, amount=part, excess=row.amount - part))
    if not left:
        return tuple(found), specs
    message = "What was billed progressively of it was voided: bill its time anew by hand."
    raise UnableToRegenerate("invalid_type_or_status", message)


def _standing(source: Invoice) -> Invoice | None:
    """Return a progressive invoice, or the one in its place where it was voided; None where neither stands."""
    found: Invoice | None = source
    while found is not None and found.status == Invoice.Status.VOIDED:
        found = found.regenerations.order_by("-pk").first()
    return found
