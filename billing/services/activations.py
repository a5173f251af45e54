"""The end of a wait for a first payment: it came, somebody declined, or it did not come in time.

Whoever gets here holds the lock of the customer first, as billing does and as payments of such invoices do. So a
payment and a time-out at the same moment come one after the other, and the first one decides.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from billing.domain import states
from billing.domain.states import Verb
from billing.models import ActivationRule, Subscription
from billing.queries import advance_events
from billing.services import releases, subscription_notes, subscriptions, webhook_types
from config.kernel import actors, db, jobs
from config.kernel.actors import Actor
from config.platform.services import audit, tellings
from invoicing.models import Invoice
from invoicing.services import open_invoices

Status = Subscription.Status
Reason = Subscription.CancellationReason
_HELD = ("status", "started_at", "next_billing_date", "updated_at")


@transaction.atomic
def satisfy(*, invoice_id: int) -> None:
    """Start the subscription whose first invoice was paid, as it was agreed; other invoices are left alone.

    It has run from its agreed start on: that is what its invoice bills, and usage since then is billed with its next
    ones. Calling it again changes nothing.
    """
    rule = ActivationRule.objects.filter(invoice_id=invoice_id, status=ActivationRule.Status.PENDING).first()
    if rule is None:
        return
    at = Invoice.objects.values_list("updated_at", flat=True).get(pk=invoice_id)
    subscription = subscriptions.locked(rule.subscription_id)
    old = {"status": subscription.status}
    subscription.status = states.next(state=subscription.status, verb=Verb.ACTIVATE)
    subscription.started_at, subscription.next_billing_date = rule.started_at, rule.next_billing_date
    subscription.activated_at = subscription.updated_at = at
    subscription.save(update_fields=[*_HELD, "activated_at"])
    _decide(rule, ActivationRule.Status.SATISFIED, at)
    facts = subscription_notes.facts(subscription)
    audit.record(actor=actors.job("activation"), at=at, verb="activate", instance=subscription, old=old, new=facts)
    tellings.tell(webhook_types.STARTED, subscription, at=at)
    if advance_events.waits_for_a_start(external_id=subscription.external_id):
        jobs.enqueue("billing.tasks.bill_advance_events", external_ids=[subscription.external_id])


@transaction.atomic
def decline(*, subscription_id: int, reason: str, actor: Actor, at: datetime) -> Subscription:
    """Cancel a subscription that waits for its first payment; its invoice is closed and never issued.

    Money that came in already stays recorded, as the customer's: it is for a person to pay back. The external id may be
    used again. Calling it again changes nothing. Raises NotFound, InvalidTransition for one that does not wait.
    """
    subscription = subscriptions.locked(subscription_id)
    if subscription.status == Status.CANCELED and subscription.cancellation_reason:
        return subscription
    states.next(state=subscription.status, verb=Verb.DECLINE)
    rule = _pending(subscription)
    return _cancel(
        subscription, rule, ActivationRule.Status.DECLINED, Reason.PAYMENT_FAILED, reason=reason, actor=actor, at=at
    )


@transaction.atomic
def expire(*, subscription_id: int, actor: Actor, at: datetime) -> Subscription:
    """Cancel a subscription whose first payment did not come in time, as `decline` does; leave any other alone."""
    subscription = subscriptions.locked(subscription_id)
    if subscription.status != Status.INCOMPLETE:
        return subscription
    rule = _pending(subscription)
    if rule.expires_at is None or rule.expires_at > at:
        return subscription
    reason = "The first payment did not come in time."
    return _cancel(subscription, rule, ActivationRule.Status.EXPIRED, Reason.TIMEOUT, reason=reason, actor=actor, at=at)


def _pending(subscription: Subscription) -> ActivationRule:
    rows = ActivationRule.objects.filter(subscription=subscription, status=ActivationRule.Status.PENDING)
    return db.lock_one(rows)


def _cancel(
    subscription: Subscription,
    rule: ActivationRule,
    status: ActivationRule.Status,
    cancellation: Subscription.CancellationReason,
    *,
    reason: str,
    actor: Actor,
    at: datetime,
) -> Subscription:
    if rule.invoice_id is not None:
        open_invoices.close(invoice_id=rule.invoice_id, reason=reason, actor=actor, at=at)
        releases.release(invoice_id=rule.invoice_id)
    old = {"status": subscription.status}
    subscription.status = states.next(state=subscription.status, verb=Verb.DECLINE)
    subscription.cancellation_reason = cancellation
    subscription.canceled_at = subscription.updated_at = at
    subscription.next_billing_date = None
    subscription.save(update_fields=[*_HELD, "cancellation_reason", "canceled_at"])
    _decide(rule, status, at)
    new = {**subscription_notes.facts(subscription), "cancellation_reason": cancellation.value}
    audit.record(actor=actor, at=at, verb="cancel", instance=subscription, old=old, new=new, reason=reason)
    tellings.tell(webhook_types.CANCELED, subscription, at=at)
    return subscription


def _decide(rule: ActivationRule, status: ActivationRule.Status, at: datetime) -> None:
    rule.status, rule.updated_at = status, at
    rule.save(update_fields=["status", "updated_at"])
