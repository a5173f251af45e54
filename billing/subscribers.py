"""What this app does when a lower app tells a fact. The only listener of the product: see `config.kernel.events`.

Everything here happens inside the transaction that made the fact true.
"""

from __future__ import annotations

from billing.services import drafts, fixed_agreements, releases, scheduled_changes, subscription_moves
from catalog.domain.facts import PlanVersionPublished
from config.kernel import actors, events
from customers.domain.facts import CustomerDeleted
from invoicing.domain.facts import DraftsOutdated, InvoiceVoided


def bill_anew(fact: InvoiceVoided) -> None:
    """Give back the time that a voided draft billed."""
    releases.release(invoice_id=fact.invoice_id)


def recompute(fact: DraftsOutdated) -> None:
    """Compute drafts anew from the raw events."""
    drafts.recompute(invoice_ids=fact.invoice_ids, actor=fact.actor, at=fact.at)


def adopt_version(fact: PlanVersionPublished) -> None:
    """Bill the plan's subscriptions by its new version from now on."""
    subscription_moves.adopt_version(version_id=fact.version_id)
    fixed_agreements.follow_plan(version_id=fact.version_id, changes=fact.fixed_units)
    scheduled_changes.reconsider(version_id=fact.version_id)


def end_all(fact: CustomerDeleted) -> None:
    """End what a retired customer still has, with its last invoices."""
    subscription_moves.end_all_of_customer(customer_id=fact.customer_id, actor=actors.SYSTEM, at=fact.at)


events.subscribe(CustomerDeleted, end_all)
events.subscribe(DraftsOutdated, recompute)
events.subscribe(InvoiceVoided, bill_anew)
events.subscribe(PlanVersionPublished, adopt_version)
