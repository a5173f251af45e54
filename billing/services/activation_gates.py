"""Letting a subscription wait for its first payment. Owns the rule, and the start that is held back by it.

Paid, declined or too late: what becomes of it is `activations`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from billing.domain import activation, states
from billing.domain.activation import Rule
from billing.domain.states import Verb
from billing.models import ActivationRule, Subscription
from billing.services import billing_days, subscription_notes
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.models import Invoice
from invoicing.services import invoices, open_invoices

Status = ActivationRule.Status


def agree(*, subscription: Subscription, rules: Sequence[Rule], at: datetime) -> None:
    """Write down what a new subscription waits for. Raises Invalid (`activation_rules`) for more than one of a type."""
    activation.demand_one(rules)
    for rule in rules:
        ActivationRule.objects.create(
            subscription=subscription,
            type=ActivationRule.Type(rule.type),
            timeout_hours=rule.timeout_hours,
            created_at=at,
            updated_at=at,
        )


def rule_of(subscription: Subscription) -> ActivationRule | None:
    """Return the rule that the start of a subscription has to reckon with."""
    return ActivationRule.objects.filter(subscription=subscription, status=Status.INACTIVE).first()


def has_nothing_to_pay(*, rule: ActivationRule, at: datetime) -> None:
    """Note that nothing is paid in advance: the subscription runs at once."""
    rule.status = Status.NOT_APPLICABLE
    rule.updated_at = at
    rule.save(update_fields=["status", "updated_at"])


def bill_start(*, subscription: Subscription, rule: ActivationRule, is_late: bool, actor: Actor, at: datetime) -> None:
    """Bill the start, and let the subscription wait where that comes to anything.

    Its first invoice is held open, and what else it makes of its start is held back in the rule until it is paid. An
    invoice of nothing, as such or by coupons, is issued as usual. One that starts ``is_late`` bills its first day
    alone. The caller holds the lock of the customer. Raises what billing raises.
    """
    made = billing_days.bill_subscriptions(
        subscription_ids=[subscription.pk],
        as_of=subscription.started_at or at if is_late else at,
        catch_up=settings.BILLING_CATCH_UP,
        actor=actor,
        finalizes=False,
    )
    subscription.refresh_from_db(fields=["next_billing_date"])
    charged = [invoice for invoice in made if open_invoices.asked(invoice=invoice, at=at).amount]
    if not charged:
        ready = [invoice.pk for invoice in made if invoice.finalize_after <= at]
        if ready:
            invoices.finalize_many(invoice_ids=ready, actor=actor, at=at)
        invoices.tell_drafted(invoices=made, issued_ids=ready, at=at)
        has_nothing_to_pay(rule=rule, at=at)
        return
    _hold(subscription, rule, charged[0], actor, at)
    invoices.tell_drafted(invoices=made, issued_ids=[charged[0].pk], at=at)


def _hold(subscription: Subscription, rule: ActivationRule, invoice: Invoice, actor: Actor, at: datetime) -> None:
    open_invoices.hold(invoice_id=invoice.pk, actor=actor, at=at)
    agreed = Rule(timeout_hours=rule.timeout_hours)
    rule.status, rule.invoice, rule.updated_at = Status.PENDING, invoice, at
    rule.expires_at = agreed.expires_at(at)
    rule.started_at, rule.next_billing_date = subscription.started_at, subscription.next_billing_date
    rule.save(update_fields=["status", "invoice", "expires_at", "started_at", "next_billing_date", "updated_at"])
    subscription.status = states.next(state=subscription.status, verb=Verb.HOLD)
    subscription.started_at = subscription.next_billing_date = None
    subscription.updated_at = at
    subscription.save(update_fields=["status", "started_at", "next_billing_date", "updated_at"])
    facts = subscription_notes.facts(subscription)
    audit.record(actor=actor, at=at, verb="wait_for_payment", instance=subscription, new=facts)
