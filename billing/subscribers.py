"""What this app does when a lower app tells a fact. The only listener of the product: see `config.kernel.events`.

Everything here happens inside the transaction that made the fact true.
"""

from __future__ import annotations

from billing.services import (
    activations,
    contract_endings,
    drafts,
    fixed_agreements,
    prepaid_commitments,
    releases,
    scheduled_changes,
    subscription_moves,
    usage_thresholds,
)
from catalog.domain.facts import PlanVersionPublished
from config.kernel import actors, events
from customers.domain.facts import CustomerDeleted
from invoicing.domain.facts import DraftsOutdated, InvoicePaid, InvoiceUnpaid, InvoiceVoided


def activate(fact: InvoicePaid) -> None:
    """Start what has waited for this payment."""
    activations.satisfy(invoice_id=fact.invoice_id)


def grant_prepaid(fact: InvoicePaid) -> None:
    """Grant the credit that this invoice sold."""
    prepaid_commitments.grant_paid(invoice_id=fact.invoice_id)


def keep_prepaid(fact: InvoiceUnpaid) -> None:
    """Refuse to have an invoice unpaid whose payment granted credit."""
    prepaid_commitments.require_not_granted(invoice_id=fact.invoice_id)


def bill_anew(fact: InvoiceVoided) -> None:
    """Give back the time that a voided draft billed."""
    releases.release(invoice_id=fact.invoice_id)


def recompute(fact: DraftsOutdated) -> None:
    """Compute drafts anew from the raw events."""
    drafts.recompute(invoice_ids=fact.invoice_ids, actor=fact.actor, at=fact.at)


def adopt_version(fact: PlanVersionPublished) -> None:
    """Bill the plan's subscriptions by its new version from now on, unless they keep theirs."""
    if not fact.moves_existing:
        return
    subscription_moves.adopt_version(version_id=fact.version_id, cascades=fact.cascades)
    fixed_agreements.follow_plan(version_id=fact.version_id, changes=fact.fixed_units)
    scheduled_changes.reconsider(version_id=fact.version_id)
    usage_thresholds.wake_plan(version_id=fact.version_id)


def end_all(fact: CustomerDeleted) -> None:
    """End what a retired customer still has, with its last invoices."""
    subscription_moves.end_all_of_customer(customer_id=fact.customer_id, actor=actors.SYSTEM, at=fact.at)
    contract_endings.end_all_of_customer(customer_id=fact.customer_id, actor=actors.SYSTEM, at=fact.at)


events.subscribe(CustomerDeleted, end_all)
events.subscribe(DraftsOutdated, recompute)
events.subscribe(InvoicePaid, activate)
events.subscribe(InvoicePaid, grant_prepaid)
events.subscribe(InvoiceUnpaid, keep_prepaid)
events.subscribe(InvoiceVoided, bill_anew)
events.subscribe(PlanVersionPublished, adopt_version)
