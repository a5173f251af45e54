"""What this app does when a lower app tells a fact. The only listener of the product: see `config.kernel.events`.

Everything here happens inside the transaction that made the fact true.
"""

from __future__ import annotations

from billing.queries import parked_accounts
from billing.services import (
    activations,
    contract_endings,
    draft_terms,
    drafts,
    fixed_agreements,
    owed_lines,
    prepaid_commitments,
    regenerations,
    releases,
    scheduled_changes,
    subscription_moves,
    usage_thresholds,
    wallet_checks,
)
from catalog.domain.facts import PlanRetiring, PlanVersionPublished
from config.kernel import actors, events, jobs, registry
from customers.domain.facts import CustomerDeleted, SellerChanging, SellerMade, TaxesDecided, TermsChanged
from invoicing.domain.facts import (
    BalancesMoved,
    DraftsOutdated,
    InvoicePaid,
    InvoiceRegenerated,
    InvoiceUnpaid,
    InvoiceVoided,
)
from invoicing.services import finalization, held_drafts, regenerating, seller_moves, tax_calculations, wallets
from invoicing.services import ledger as books


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
    """Give back the time that a voided draft billed. A document's stays billed, unless it is regenerated."""
    if fact.was_issued:
        prepaid_commitments.require_unused(invoice_id=fact.invoice_id)
        owed_lines.drop(invoice_id=fact.invoice_id)
    else:
        releases.release(invoice_id=fact.invoice_id)


def move_billed(fact: InvoiceRegenerated) -> None:
    """Let a regenerated invoice have what the voided one billed."""
    regenerations.move(fact=fact)


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


def wind_down(fact: PlanRetiring) -> None:
    """End what was bought of a plan that is to be retired, soon: it may be much."""
    jobs.enqueue("billing.tasks.end_retired_plans")


def end_all(fact: CustomerDeleted) -> None:
    """End what a retired customer still has, with its last invoices: they may use what it has before that ends too."""
    subscription_moves.end_all_of_customer(customer_id=fact.customer_id, actor=actors.SYSTEM, at=fact.at)
    contract_endings.end_all_of_customer(customer_id=fact.customer_id, actor=actors.SYSTEM, at=fact.at)
    finalization.finalize_of_customer(customer_id=fact.customer_id, actor=actors.SYSTEM, at=fact.at)
    wallets.end_of_customer(customer_id=fact.customer_id, actor=actors.SYSTEM, at=fact.at)


def keep_seller(fact: SellerChanging) -> None:
    """Refuse to have a customer billed by another seller while it has credit with this one."""
    seller_moves.demand_nothing_left(customer_id=fact.customer_id)


def open_accounts(fact: SellerMade) -> None:
    """Give a new seller the usual chart of accounts."""
    books.ensure_accounts(billing_entity_ids=[fact.billing_entity_id], at=fact.at)


def date_anew(fact: TermsChanged) -> None:
    """Date drafts by the terms that their customer or seller has now."""
    draft_terms.follow(changed=fact)


def issue_taxed(fact: TaxesDecided) -> None:
    """Look at the invoices that waited for these taxes."""
    tax_calculations.wake(customer_id=fact.customer_id)


def look_at_wallets(fact: BalancesMoved) -> None:
    """Have the wallets of these customers looked at."""
    wallet_checks.mark(customer_ids=fact.customer_ids, at=fact.at)


events.subscribe(BalancesMoved, look_at_wallets)
events.subscribe(CustomerDeleted, end_all)
events.subscribe(DraftsOutdated, recompute)
events.subscribe(InvoicePaid, activate)
events.subscribe(InvoicePaid, grant_prepaid)
events.subscribe(InvoiceRegenerated, move_billed)
events.subscribe(InvoiceUnpaid, keep_prepaid)
events.subscribe(InvoiceVoided, bill_anew)
events.subscribe(PlanRetiring, wind_down)
events.subscribe(PlanVersionPublished, adopt_version)
events.subscribe(SellerChanging, keep_seller)
events.subscribe(SellerMade, open_accounts)
events.subscribe(TermsChanged, date_anew)
events.subscribe(TaxesDecided, issue_taxed)
held_drafts.register(parked_accounts.is_parked)
registry.register_part(regenerating.PRICE, regenerations.price_taxes)
