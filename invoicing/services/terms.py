"""The terms of an invoice: grace, payment term and policy of issuing dates, the customer's or else the seller's.

Owns choosing them and dating drafts by them: new ones, and those whose customer or seller changed its terms.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from config.kernel import db
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import BillingEntity, Customer
from invoicing.domain import issuing
from invoicing.domain.issuing import Dates, Policy
from invoicing.models import Invoice

_DATES = ("finalize_after", "issuing_date", "payment_due_date", "net_payment_term")
_BATCH = 1000


def payment_term(*, customer: Customer, seller: BillingEntity) -> int:
    """Return the days until an invoice of this seller is due."""
    return seller.net_payment_term if customer.net_payment_term is None else customer.net_payment_term


def grace(*, customer: Customer, seller: BillingEntity) -> int:
    """Return the days for which an invoice of this seller stays a draft."""
    return seller.invoice_grace_period if customer.invoice_grace_period is None else customer.invoice_grace_period


def policy(*, customer: Customer, seller: BillingEntity) -> Policy:
    """Return how invoices for the end of a period are dated; anchor and adjustment fall back each for itself."""
    return Policy(
        anchor=customer.issuing_date_anchor or seller.issuing_date_anchor,
        adjustment=customer.issuing_date_adjustment or seller.issuing_date_adjustment,
    )


def dated(
    *,
    customer: Customer,
    seller: BillingEntity,
    billed_at: datetime,
    timezone: str,
    term_days: int,
    kind: str,
    is_periodic: bool,
) -> Dates:
    """Date a draft; days are local to ``timezone``. ``is_periodic`` is one for the end of a period.

    Only invoices of subscriptions have grace: nothing that is still to come changes the others.
    """
    return issuing.plan(
        billed_at=billed_at,
        timezone=timezone,
        grace_days=grace(customer=customer, seller=seller) if kind == Invoice.Kind.SUBSCRIPTION else 0,
        term_days=term_days,
        policy=policy(customer=customer, seller=seller) if is_periodic else None,
    )


@transaction.atomic
def redate(
    *,
    takes_term: bool,
    actor: Actor,
    at: datetime,
    customer_id: int | None = None,
    billing_entity_id: int | None = None,
) -> list[Invoice]:
    """Date the drafts of a customer or of a seller anew, by the terms as they are now. Returns those that moved.

    Drafts keep their payment term unless they are to take the new one (``takes_term``). Nothing is finalized: that is
    up to whoever asks, for drafts whose grace is over by that. What is issued keeps its dates. Idempotent.
    """
    drafts = Invoice.objects.filter(status=Invoice.Status.DRAFT)
    if customer_id is not None:
        drafts = drafts.filter(customer_id=customer_id)
    if billing_entity_id is not None:
        drafts = drafts.filter(billing_entity_id=billing_entity_id)
    held = db.lock(drafts)
    customers = Customer.objects.in_bulk({draft.customer_id for draft in held})
    sellers = BillingEntity.objects.in_bulk({draft.billing_entity_id for draft in held})
    moved, notes = [], []
    for draft in held:
        old = {name: getattr(draft, name) for name in _DATES}
        customer, seller = customers[draft.customer_id], sellers[draft.billing_entity_id]
        if takes_term:
            draft.net_payment_term = payment_term(customer=customer, seller=seller)
        _date(draft, customer, seller)
        new = {name: getattr(draft, name) for name in _DATES}
        changed = [name for name in _DATES if old[name] != new[name]]
        if changed:
            moved.append(draft)
            shown = [{name: values[name] for name in changed} for values in (old, new)]
            notes.append(audit.Note(instance=draft, verb="redate", old=shown[0], new=shown[1]))
    Invoice.objects.bulk_update(moved, _DATES, batch_size=_BATCH)
    audit.record_many(actor=actor, at=at, notes=notes)
    return moved


def _date(draft: Invoice, customer: Customer, seller: BillingEntity) -> None:
    found = dated(
        customer=customer,
        seller=seller,
        billed_at=draft.billed_at,
        timezone=draft.timezone,
        term_days=draft.net_payment_term,
        kind=draft.kind,
        is_periodic=draft.is_periodic,
    )
    draft.finalize_after = found.finalize_after
    draft.issuing_date, draft.payment_due_date = found.issuing_date, found.payment_due_date
