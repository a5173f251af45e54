"""Invoices of lines that stood alone and were paid. Owns putting them together: nothing is computed anew, the amounts
and taxes of the lines are summed, and the invoice is issued as paid with one payment of its total.

The books know all of it already (see `invoicing.domain.standalone`): such an invoice books nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from moneyed import Money

from config.kernel import db, events, money
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import BillingEntity, Customer
from invoicing.domain import issuing, standalone
from invoicing.domain.facts import InvoicePaid
from invoicing.domain.totals import Taxed
from invoicing.models import Invoice, InvoiceLine, InvoiceTax, LineTax, Payment, PaymentAllocation
from invoicing.services import announcements, finalization


@dataclass(frozen=True)
class PaidLines:
    """Lines that go on one invoice: of one customer, seller and currency. ``timezone`` is the invoice's.

    ``custom_section_ids`` are its own; None leaves them to customer and seller.
    """

    line_ids: tuple[int, ...]
    timezone: str
    purchase_order_number: str = ""
    custom_section_ids: tuple[int, ...] | None = None


@transaction.atomic
def issue(*, groups: Sequence[PaidLines], actor: Actor, at: datetime) -> list[Invoice]:
    """Put paid lines on invoices, one for each group, and issue them, paid.

    Lines that are on an invoice by now, or are not paid any more, are left alone, and so is a group without any left:
    calling it again makes no second invoice. Raises ValueError where the lines of a group do not belong together.
    """
    made = [invoice for group in groups if (invoice := _drafted(group, actor, at)) is not None]
    if not made:
        return []
    issued = finalization.finalize_many(invoice_ids=[invoice.pk for invoice in made], actor=actor, at=at)
    payments = [payment for invoice in issued if (payment := _pay(invoice, at)) is not None]
    announcements.issued(invoices=[one for one in issued if one.status == Invoice.Status.FINALIZED], at=at)
    announcements.received(payments=payments, at=at)
    return issued


def _drafted(group: PaidLines, actor: Actor, at: datetime) -> Invoice | None:
    lines = db.lock(
        InvoiceLine.objects.filter(
            pk__in=group.line_ids,
            invoice__isnull=True,
            deleted_at__isnull=True,
            payment_status=standalone.SUCCEEDED,
        )
    )
    if not lines:
        return None
    if len({(line.customer_id, line.billing_entity_id, line.currency) for line in lines}) > 1:
        raise ValueError("Lines of several customers, sellers or currencies do not go on one invoice.")
    lines.sort(key=lambda line: (line.created_at, line.pk))
    invoice = _invoice(lines, group, at)
    invoice.save(force_insert=True)
    for position, line in enumerate(lines, start=1):
        line.invoice, line.position = invoice, position
    InvoiceLine.objects.bulk_update(lines, ["invoice", "position"])
    InvoiceTax.objects.bulk_create(_taxes(invoice, lines, at))
    audit.record(
        actor=actor, at=at, verb="draft", instance=invoice, new={"total_cents": money.to_minor(invoice.total_amount)}
    )
    return invoice


def _invoice(lines: Sequence[InvoiceLine], group: PaidLines, at: datetime) -> Invoice:
    first = lines[0]
    customer = Customer.objects.get(pk=first.customer_id)
    seller = BillingEntity.objects.get(pk=first.billing_entity_id)
    nothing = money.zero(first.currency)
    amount = Taxed.of(
        net=sum((line.amount for line in lines), nothing), tax=sum((line.taxes_amount for line in lines), nothing)
    )
    term = seller.net_payment_term if customer.net_payment_term is None else customer.net_payment_term
    dated = issuing.plan(billed_at=at, timezone=group.timezone, grace_days=0, term_days=term)
    return Invoice(
        created_at=at,
        updated_at=at,
        kind=Invoice.Kind.ADVANCE_CHARGES,
        customer=customer,
        billing_entity=seller,
        currency=first.currency,
        fees_amount=amount.net,
        taxes_amount=amount.tax,
        total_amount=amount.gross,
        paid_amount=nothing,
        timezone=group.timezone,
        locale=customer.document_locale or seller.document_locale,
        net_payment_term=term,
        purchase_order_number=group.purchase_order_number,
        custom_section_ids=None if group.custom_section_ids is None else list(group.custom_section_ids),
        billed_at=at,
        finalize_after=dated.finalize_after,
        issuing_date=dated.issuing_date,
        payment_due_date=dated.payment_due_date,
    )


def _taxes(invoice: Invoice, lines: Sequence[InvoiceLine], at: datetime) -> list[InvoiceTax]:
    """Sum the taxes of the lines as they are: one row for each tax and rate that it had."""
    found: dict[int, list[LineTax]] = defaultdict(list)
    for row in LineTax.objects.filter(line__in=lines).select_related("line").order_by("pk"):
        found[row.tax_id].append(row)
    nothing = money.zero(invoice.currency)
    return [
        InvoiceTax(
            created_at=at,
            invoice=invoice,
            tax_id=tax_id,
            tax_code=rows[-1].tax_code,
            tax_name=rows[-1].tax_name,
            tax_description=rows[-1].tax_description,
            rate=rows[-1].rate,
            currency=invoice.currency,
            base_amount=sum((row.line.amount for row in rows), nothing),
            amount=sum((row.amount for row in rows), nothing),
        )
        for tax_id, rows in found.items()
    ]


def _pay(invoice: Invoice, at: datetime) -> Payment | None:
    """Record what was received for the lines as one payment of the invoice. The books have the money already."""
    if invoice.status != Invoice.Status.FINALIZED or not invoice.total_amount:
        return None
    total: Money = invoice.total_amount
    payment = Payment.objects.create(
        created_at=at,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        amount=total,
        reference="Fees paid in advance",
        paid_at=at,
    )
    PaymentAllocation.objects.create(
        created_at=at, payment=payment, invoice=invoice, currency=invoice.currency, amount=total
    )
    invoice.paid_amount = total
    invoice.payment_status = Invoice.PaymentStatus.SUCCEEDED
    invoice.paid_at = at
    invoice.updated_at = at
    invoice.save(update_fields=["paid_amount", "payment_status", "paid_at", "updated_at"])
    events.publish(InvoicePaid(invoice_id=invoice.pk))
    return payment
