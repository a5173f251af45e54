"""Invoices whose taxes are not known yet: they wait, instead of being issued with the wrong ones.

Owns who waits for what: for the check of the customer's VAT number, or for the seller's tax engine. Issuing is
`finalization`'s, which asks here first; asking the engine is `tax_calculations`'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from catalog.models import Tax
from config.kernel import dates, jobs, money
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import Customer
from invoicing.domain import states, tax_engines
from invoicing.domain.tax import Basis, Resolved, TaxRate
from invoicing.domain.tax_engines import Answer, EngineTax
from invoicing.models import Invoice, InvoiceLine, TaxCalculation, TaxEngine
from invoicing.services import credit_note_drafts, retaxing

_ADDRESS = ("address_line1", "address_line2", "zipcode", "city", "state", "country")
# What is prepaid is taxed when it is used; lines that stood alone were taxed one by one.
_UNTAXED = frozenset({Invoice.Kind.CREDIT, Invoice.Kind.ADVANCE_CHARGES})


def ready(
    *, invoices: Sequence[Invoice], customers: Mapping[int, Customer], actor: Actor, at: datetime
) -> list[Invoice]:
    """Return the locked drafts and waiting invoices that can be issued now; the others wait from now on.

    One that waited is taxed anew. One of a seller with a tax engine is issued with the engine's answer to exactly this
    question, and else asked about after the commit. Nothing waits that comes to nothing. Needs a transaction.
    """
    taxed = [one for one in invoices if _is_taxed(one)]
    engines = {row.billing_entity_id: row for row in _engines({one.billing_entity_id for one in taxed})}
    asked = [one for one in taxed if one.billing_entity_id in engines]
    waiting = {one.pk for one in taxed if one not in asked and customers[one.customer_id].awaits_tax_decision}
    if asked:
        waiting |= _unanswered(asked, engines, customers, at)
    back = [one for one in invoices if one.status == states.WAITING_FOR_TAXES and one.pk not in waiting]
    retaxing.anew(invoices=[one for one in back if one not in asked], at=at)
    credit_note_drafts.anew(invoices=back, at=at)
    for one in back:
        one.status = Invoice.Status(states.move(status=one.status, verb=states.TAXED))
        one.error_details = []
    _wait([one for one in invoices if one.pk in waiting], actor, at)
    return [one for one in invoices if one.pk not in waiting]


def _engines(seller_ids: Collection[int]) -> list[TaxEngine]:
    return list(TaxEngine.objects.filter(billing_entity_id__in=seller_ids, is_active=True)) if seller_ids else []


def _is_taxed(invoice: Invoice) -> bool:
    is_open = invoice.status in {states.DRAFT, states.WAITING_FOR_TAXES}
    return is_open and invoice.kind not in _UNTAXED and bool(invoice.fees_amount)


def _wait(invoices: Sequence[Invoice], actor: Actor, at: datetime) -> None:
    fresh = [one for one in invoices if one.status == states.DRAFT]
    for one in fresh:
        one.status = Invoice.Status(states.move(status=one.status, verb=states.AWAIT_TAXES))
        one.updated_at = at
    Invoice.objects.bulk_update(fresh, ["status", "updated_at"])
    audit.record_many(
        actor=actor,
        at=at,
        notes=[
            audit.Note(one, "await_taxes", {"status": states.DRAFT}, {"status": states.WAITING_FOR_TAXES})
            for one in fresh
        ],
    )


def _unanswered(
    invoices: Sequence[Invoice], engines: Mapping[int, TaxEngine], customers: Mapping[int, Customer], at: datetime
) -> set[int]:
    """Apply the answers that are there; have the other questions asked, and return their invoices."""
    lines = retaxing.lines_of(invoices)
    questions = {one.pk: question(one, lines[one.pk], customers[one.customer_id]) for one in invoices}
    digests = {pk: tax_engines.digest(content) for pk, content in questions.items()}
    known = {
        row.invoice_id: row
        for row in TaxCalculation.objects.filter(invoice__in=[one.pk for one in invoices])
        if digests[row.invoice_id] == row.digest
    }
    answers = {
        pk: tax_engines.parse(row.answer, places=[line.position for line in lines[pk]])
        for pk, row in known.items()
        if row.status == TaxCalculation.Status.ANSWERED
    }
    rows = _tax_rows(answers.values(), at)

    def rule(invoice: Invoice, line: InvoiceLine) -> Resolved:
        answer = answers[invoice.pk]
        if answer.special:
            return Resolved((_rate(rows, tax_engines.special(answer.special)),), Basis.ENGINE)
        return Resolved(tuple(_rate(rows, one) for one in answer.lines[line.position]), Basis.ENGINE)

    retaxing.apply(invoices=[one for one in invoices if one.pk in answers], lines=lines, rule=rule, at=at)
    missing = [one for one in invoices if one.pk not in known]
    TaxCalculation.objects.bulk_create(
        TaxCalculation(
            created_at=at,
            invoice=one,
            engine=engines[one.billing_entity_id],
            digest=digests[one.pk],
            question=questions[one.pk],
            next_attempt_at=at,
        )
        for one in missing
    )
    if missing:
        jobs.enqueue("invoicing.tasks.calculate_taxes")
    return {one.pk for one in invoices if one.pk not in answers}


def _tax_rows(answers: Collection[Answer], at: datetime) -> dict[str, Tax]:
    """Return the taxes of answers by their keys, made where they are new: documents need something to refer to."""
    told = {_key(one): one for answer in answers for line in answer.lines.values() for one in line}
    told |= {_key(one): one for answer in answers if answer.special for one in [tax_engines.special(answer.special)]}
    found = {row.code: row for row in Tax.objects.filter(code__in=told, deleted_at__isnull=True)}
    missing = [
        Tax(
            created_at=at,
            code=key,
            name=one.name,
            description=one.description,
            rate=one.effective,
            origin=Tax.Origin.ENGINE,
        )
        for key, one in told.items()
        if key not in found
    ]
    Tax.objects.bulk_create(missing, ignore_conflicts=True)
    return found if not missing else {row.code: row for row in Tax.objects.filter(code__in=told)}


def _key(one: EngineTax) -> str:
    return f"engine:{one.code}:{one.rate.normalize():f}:{one.base_rate.normalize():f}"


def _rate(rows: Mapping[str, Tax], one: EngineTax) -> TaxRate:
    row = rows[_key(one)]
    return TaxRate(id=row.pk, code=one.code, name=one.name, rate=one.effective, description=one.description)


def question(invoice: Invoice, lines: Sequence[InvoiceLine], customer: Customer) -> dict[str, Any]:
    """Return what the engine is asked about an invoice, as plain JSON: amounts are in minor units.

    They are before coupons. The address is the one that is delivered to, else the customer's own.
    """
    seller = invoice.billing_entity
    shipping = customer.shipping_address or {}
    place = shipping if shipping.get("country") else {name: getattr(customer, name) for name in _ADDRESS}
    return {
        "format": tax_engines.FORMAT,
        "invoice_id": str(invoice.uuid),
        "kind": invoice.kind,
        "currency": invoice.currency,
        "date": dates.local_date(invoice.billed_at, dates.zone(invoice.timezone)).isoformat(),
        "seller": {
            "code": seller.code,
            "tax_identification_number": seller.tax_identification_number,
            **{name: getattr(seller, name) for name in _ADDRESS},
        },
        "customer": {
            "external_id": customer.external_id,
            "tax_identification_number": customer.tax_identification_number,
            **{name: str(place.get(name) or "") for name in _ADDRESS},
        },
        "lines": [
            {
                "id": line.position,
                "kind": line.kind,
                "item_code": line.item_code,
                "description": line.label,
                "units": f"{line.units.normalize():f}",
                "amount_cents": money.to_minor(line.agreed_amount),
                "is_tax_inclusive": line.tax_inclusive_amount is not None,
            }
            for line in lines
        ],
    }
