"""The assistant that corrects invoices: from what a person says is right to the documents that make it so, looked at
first, then done in one transaction. Owns the order in which that happens; the plan is `invoicing.domain.corrections`'.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from moneyed import Money

from billing.domain import adjusted_trace
from billing.domain.event_corrections import CorrectionIn
from billing.models import RatedCharge
from billing.services import draft_corrections, owed_lines, usage_corrections
from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import approvals, outbox
from customers.models import Customer
from customers.services import customers
from customers.services.customers import CustomerValues
from invoicing.domain import corrections as rules
from invoicing.domain import states
from invoicing.domain.correction_effects import WAITING, Effect, Made, MadeLine
from invoicing.domain.corrections import Facts, Fix, Kind, Line, Plan, Priced, Step
from invoicing.models import Correction, Invoice, InvoiceLine
from invoicing.queries import correction_effects as effects
from invoicing.queries import corrections as known
from invoicing.queries import invoices as known_invoices
from invoicing.services import corrections

_MOST_REASON = 1000


class KeyReused(errors.Conflict):
    """The idempotency key belongs to another correction."""


@dataclass(frozen=True)
class Asked:
    """What is right about an invoice, and why it is corrected.

    ``fixes`` are its lines; ``particulars`` are the customer's, which are corrected with it; ``document_is_wrong`` says
    that what the document says of the customer, or its taxes, was wrong. ``events`` correct the usage that it billed.
    ``owed_by`` and ``given_back_by`` say how what was too little is billed, and what was too much is given back;
    nothing leaves it to the assistant.
    """

    reason: str
    fixes: Sequence[Fix] = ()
    particulars: CustomerValues = field(default_factory=CustomerValues)
    document_is_wrong: bool = False
    events: Sequence[CorrectionIn] = ()
    owed_by: str = ""
    given_back_by: str = ""


@dataclass(frozen=True)
class Corrected:
    """What was done, or would be: the plan and the effect, and how the invoice stood before.

    The row is there only once it was done.
    """

    plan: Plan
    effect: Effect
    told: tuple[Mapping[str, Any], ...]
    fingerprint: str
    correction: Correction | None = None


class _Undo(Exception):
    """Ends a preview, so that nothing of it stays."""


def preview(*, invoice_id: int, asked: Asked, actor: Actor, at: datetime) -> Corrected:
    """Show what `correct` would do, by doing and undoing it: no row stays, no number is used. Raises what it does."""
    found: list[Corrected] = []
    try:
        with outbox.silence(), approvals.looking(), transaction.atomic():
            found.append(_correct(invoice_id, asked, "", None, actor, at))
            raise _Undo
    except _Undo:
        one = found[0]
        return Corrected(one.plan, one.effect, one.told, one.fingerprint)


@transaction.atomic
def correct(
    *,
    invoice_id: int,
    asked: Asked,
    actor: Actor,
    at: datetime,
    fingerprint: str = "",
    idempotency_key: str | None = None,
) -> Corrected:
    """Correct an invoice: all documents in one transaction, each issued and booked at once, and a record of it.

    ``fingerprint`` is that of a preview: where the invoice, its customer's particulars or credits changed since,
    nothing is done. Called again with the same key and the same content it returns the first correction and changes
    nothing. Takes the locks of the customer and the invoice. Dates are local to the invoice. Raises InvoiceNotFound,
    Outdated (`correction_outdated`), KeyReused, NotCorrectable, InvalidCorrection, and what making the documents
    raises.
    """
    if idempotency_key:
        db.advisory_lock(f"billing.invoice_correction:{idempotency_key}")
        first = Correction.objects.filter(idempotency_key=idempotency_key).first()
        if first is not None:
            return _again(first, invoice_id, asked)
    return _correct(invoice_id, asked, fingerprint, idempotency_key, actor, at)


def _correct(
    invoice_id: int, asked: Asked, fingerprint: str, idempotency_key: str | None, actor: Actor, at: datetime
) -> Corrected:
    _demand(asked)
    invoice = _locked(invoice_id)
    stood = known.fingerprint(invoice)
    if fingerprint and fingerprint != stood:
        message = "The invoice has changed since the correction was looked at: look again."
        raise corrections.Outdated("correction_outdated", message, {"fingerprint": ["correction_outdated"]})
    before = effects.mark(invoice)
    names = {line.pk: line for line in InvoiceLine.objects.filter(invoice=invoice)}
    if asked.particulars:
        _set_particulars(invoice, asked.particulars, actor, at)
    plan, lines = _plan(invoice, asked)
    told = tuple(_told(step, names) for step in plan.steps)
    waiting = _make(invoice, plan, lines, asked, actor, at)
    effect, invoices, notes = effects.since(invoice=invoice, mark=before, at=at, waiting=waiting)
    row = corrections.record(
        invoice=invoice,
        plan=plan,
        told=told,
        asked=asked_as_told(asked, names),
        effect=effect,
        made=(invoices, notes),
        fingerprint=stood,
        reason=asked.reason.strip(),
        actor=actor,
        at=at,
        idempotency_key=idempotency_key,
    )
    for step in plan.steps:
        if step.kind is Kind.NEXT_INVOICE:
            owed_lines.leave(correction=row, step=step, lines=lines, invoice=invoice, at=at)
    return Corrected(plan, effect, told, stood, row)


def _demand(asked: Asked) -> None:
    details: dict[str, list[str]] = {}
    if not asked.reason.strip():
        details["reason"] = ["value_is_mandatory"]
    elif len(asked.reason) > _MOST_REASON:
        details["reason"] = ["value_is_too_long"]
    if asked.given_back_by and asked.given_back_by not in rules.GIVEN_BACK_BY:
        details["given_back_by"] = ["value_is_invalid"]
    if asked.owed_by and asked.owed_by not in rules.OWED_BY:
        details["owed_by"] = ["value_is_invalid"]
    if asked.events and (asked.fixes or asked.particulars or asked.document_is_wrong):
        # A line cannot be both: what its usage comes to, and what somebody says it is.
        details["events"] = ["value_is_invalid"]
    if not (asked.fixes or asked.particulars or asked.document_is_wrong or asked.events):
        details["base"] = ["nothing_to_correct"]
    if details:
        raise rules.InvalidCorrection("validation_errors", f"Please check: {', '.join(details)}.", details)


def _locked(invoice_id: int) -> Invoice:
    customer_id = Invoice.objects.filter(pk=invoice_id).values_list("customer_id", flat=True).first()
    if customer_id is not None:
        db.lock_one(Customer.objects.filter(pk=customer_id))
    return known_invoices.locked(invoice_id)


def _set_particulars(invoice: Invoice, particulars: CustomerValues, actor: Actor, at: datetime) -> None:
    customer = Customer.objects.get(pk=invoice.customer_id)
    if customer.deleted_at is not None:
        raise rules.NotCorrectable("not_correctable", "The customer was retired: its particulars stay as they are.")
    values: Any = {**particulars, "external_id": customer.external_id}
    customers.upsert(values=values, actor=actor, at=at)


def _plan(invoice: Invoice, asked: Asked) -> tuple[Plan, dict[int, Line]]:
    billed, waiting = owed_lines.of_lines(invoice=invoice)
    lines = known.lines(invoice, billed_later=billed, waiting=waiting)
    facts = Facts(
        status=invoice.status,
        kind=invoice.kind,
        currency=invoice.currency,
        lines=lines,
        can_wait=owed_lines.can_wait(invoice),
    )
    by_id = {line.id: line for line in lines}
    if asked.events:
        # A draft is computed anew from its events; of what is issued the difference is settled.
        if invoice.status not in (states.DRAFT, states.FINALIZED):
            raise rules.NotCorrectable("not_correctable", f"An invoice that is {invoice.status} is not corrected.")
        if asked.owed_by == rules.NEXT_INVOICE and not facts.can_wait:
            raise rules.NotCorrectable(
                "no_next_invoice", "No invoice comes that could bill it: bill it by one of its own."
            )
        return Plan((Step(Kind.USAGE),)), by_id
    plan = rules.plan(
        facts=facts,
        fixes=asked.fixes,
        priced=_priced(asked.fixes, invoice.currency),
        replaces=asked.document_is_wrong or bool(asked.particulars),
        owed_by=asked.owed_by,
    )
    return plan, by_id


def _priced(fixes: Sequence[Fix], currency: str) -> dict[int, Priced]:
    """Price units alone by the price that the line was billed by, where it is one by units."""
    wanted = {fix.line_id: fix for fix in fixes if fix.units is not None and fix.unit_amount is None}
    found = {}
    rows = RatedCharge.objects.filter(line_id__in=wanted, released_at__isnull=True)
    for row in rows.select_related("charge", "fixed_charge"):
        units = wanted[row.line_id].units
        inputs = row.trace["inputs"]
        was, by_hand = row.trace, None
        if row.trace["kind"] == adjusted_trace.KIND:
            was = inputs["was"]
            # A price that was set by hand stays the price of a unit.
            by_hand = None if inputs["unit_amount"] is None else Decimal(inputs["unit_amount"])
        sold = row.charge or row.fixed_charge
        adjusted_trace.demand(
            was=was, units=units, unit_amount=by_hand, is_prorated=bool(sold is not None and sold.prorated)
        )
        priced = adjusted_trace.price(was=was, units=units, unit_amount=by_hand)
        amount = Money(money.quantize(priced.precise, currency=currency), currency)
        found[row.line_id] = Priced(priced.units, priced.unit_amount, amount)
    return found


def _make(
    invoice: Invoice, plan: Plan, lines: Mapping[int, Line], asked: Asked, actor: Actor, at: datetime
) -> list[Made]:
    """Do the steps of a plan; return what waits for the next invoice."""
    waiting: list[Made] = []
    reason = asked.reason.strip()
    for step in plan.steps:
        if step.kind is Kind.CREDIT_NOTE:
            way = asked.given_back_by
            corrections.credit(invoice=invoice, step=step, given_back_by=way, reason=reason, actor=actor, at=at)
        elif step.kind is Kind.DROP:
            owed_lines.drop_lines(line_ids=[change.line_id for change in step.changes], at=at)
        elif step.kind is Kind.OWN_INVOICE:
            corrections.bill(invoice=invoice, step=step, lines=lines, actor=actor, at=at)
        elif step.kind is Kind.NEXT_INVOICE:
            waiting.append(_waiting(step, lines, invoice.currency))
        elif step.kind is Kind.REPLACEMENT:
            corrections.replace(invoice=invoice, step=step, reason=reason, actor=actor, at=at)
        elif step.kind is Kind.ADJUST:
            fixes = {fix.line_id: fix for fix in asked.fixes}
            draft_corrections.adjust(invoice=invoice, step=step, fixes=fixes, reason=reason, actor=actor, at=at)
        elif step.kind is Kind.REFRESH:
            draft_corrections.refresh(invoice=invoice, actor=actor, at=at)
        else:
            waiting += _correct_usage(invoice, asked, actor, at)
    return waiting


def _correct_usage(invoice: Invoice, asked: Asked, actor: Actor, at: datetime) -> list[Made]:
    if invoice.status == states.DRAFT:
        draft_corrections.correct_usage(invoice=invoice, events=asked.events, actor=actor, at=at)
        return []
    waits = asked.owed_by != rules.OWN_INVOICE and owed_lines.can_wait(invoice)
    return usage_corrections.correct(
        invoice=invoice,
        events=asked.events,
        waits=waits,
        given_back_by=asked.given_back_by,
        reason=asked.reason.strip(),
        actor=actor,
        at=at,
    )


def _waiting(step: Step, lines: Mapping[int, Line], currency: str) -> Made:
    nothing = money.zero(currency)
    shown = []
    for change in step.changes:
        units, unit_amount = rules.difference(change=change, line=lines[change.line_id])
        shown.append(MadeLine(change.label, units, unit_amount, change.difference))
    total = sum((line.amount for line in shown), nothing)
    return Made(WAITING, total, nothing, total, nothing, nothing, nothing, nothing, nothing, lines=tuple(shown))


def _told(step: Step, names: Mapping[int, InvoiceLine]) -> dict[str, Any]:
    """Write a step down."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        fees = [
            {
                "lago_fee_id": str(names[change.line_id].uuid),
                "invoice_display_name": change.label,
                "before_amount_cents": money.to_minor(change.before),
                "after_amount_cents": money.to_minor(change.after),
                "difference_amount_cents": money.to_minor(change.difference),
                "units": format(change.units.normalize(), "f"),
                "unit_precise_amount": format(change.unit_amount.normalize(), "f"),
            }
            for change in step.changes
        ]
    return {"kind": step.kind.value, "fees": fees}


def asked_as_told(asked: Asked, names: Mapping[int, InvoiceLine]) -> dict[str, Any]:
    """Write down what was asked for: as it can be compared with another one."""
    fees = [
        {
            "lago_fee_id": str(names[fix.line_id].uuid) if fix.line_id in names else None,
            "units": None if fix.units is None else format(fix.units.normalize(), "f"),
            "unit_precise_amount": None if fix.unit_amount is None else format(fix.unit_amount.normalize(), "f"),
            "amount_cents": None if fix.amount is None else money.to_minor(fix.amount),
            "not_owed": fix.not_owed,
            "tax_ids": None if fix.tax_ids is None else list(fix.tax_ids),
        }
        for fix in asked.fixes
    ]
    return {
        "reason": asked.reason.strip(),
        "fees": fees,
        "customer": dict(asked.particulars),
        "document_is_wrong": asked.document_is_wrong,
        "events": [{"transaction_id": one.transaction_id, **dict(one.sent)} for one in asked.events],
        "owed_by": asked.owed_by,
        "given_back_by": asked.given_back_by,
    }


def _again(first: Correction, invoice_id: int, asked: Asked) -> Corrected:
    names = {line.pk: line for line in InvoiceLine.objects.filter(invoice_id=invoice_id)}
    told = asked_as_told(asked, names)
    if first.invoice_id != invoice_id or first.asked != told:
        raise KeyReused("idempotency_key_reused", "The key was used for another correction.")
    nothing = Effect((), (), (), ())
    return Corrected(Plan(()), nothing, tuple(first.plan), first.fingerprint, first)
