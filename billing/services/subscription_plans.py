"""Verbs on the plan of a running subscription: change it, call a change off, carry out one that waits, and see before
what a change or an end would bill. Owns the transactions; what a change is, is `plan_changes`'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from billing.domain.chosen_times import ChosenTime
from billing.models import Subscription
from billing.services import plan_changes, subscriptions
from billing.services.plan_changes import Wanted
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import outbox, tellings
from invoicing.models import CreditNote, Invoice

Status = Subscription.Status


@dataclass(frozen=True)
class Preview:
    """What would be made: the invoices with their lines, and the credit notes. The rows exist no more.

    ``change_day`` is the local day on which another plan would take over.
    """

    subscription: Subscription
    change_day: date | None
    invoices: tuple[Invoice, ...]
    credit_notes: tuple[CreditNote, ...]


class _Undo(Exception):
    """Ends a rehearsal, so that nothing of it stays."""


def preview(*, subscription: Subscription, verb: Callable[[], Subscription]) -> Preview:
    """Do a verb on a subscription and undo it, to see what it would make: the same code, without a trace of it.

    Lines and taxes come along with the invoices. Raises what the verb raises.
    """
    found: list[Preview] = []
    try:
        with outbox.silence(), transaction.atomic():
            of_customer = {"customer_id": subscription.customer_id}
            last_invoice = _last(Invoice, of_customer)
            last_note = _last(CreditNote, of_customer)
            after = verb()
            invoices = Invoice.objects.filter(pk__gt=last_invoice, **of_customer).order_by("pk")
            notes = CreditNote.objects.filter(pk__gt=last_note, **of_customer).order_by("pk")
            found.append(Preview(after, after.change_day, tuple(invoices.prefetch_related("lines")), tuple(notes)))
            raise _Undo
    except _Undo:
        return found[0]


@transaction.atomic
@tellings.gathered
def settle(*, subscription_id: int, actor: Actor, at: datetime) -> Subscription:
    """Carry out the change of plan that waits for a subscription, if it is time: see `plan_changes.settle`."""
    return plan_changes.settle(current=subscriptions.locked(subscription_id), actor=actor, at=at)


@transaction.atomic
@tellings.gathered
def cancel_change(
    *, subscription_id: int, actor: Actor, at: datetime, reason: str = "", seen: str | None = None
) -> Subscription:
    """Cancel the change of plan that waits for a subscription, which stays as it is.

    Raises NotFound, NotAllowed where none waits (`no_pending_change`) or it is the phase of a contract
    (`subscription_of_a_contract`), and PlanChangeConflict where it is not what was ``seen`` (`plan_changes.state_of`).
    """
    subscription = subscriptions.locked(subscription_id)
    plan_changes.demand_unchanged(subscription, seen=seen)
    waiting = plan_changes.pending(subscription)
    if waiting is None:
        raise errors.NotAllowed("no_pending_change", "No change of plan is scheduled.")
    plan_changes.demand_no_contract(waiting)
    plan_changes.cancel(waiting, actor=actor, at=at, reason=reason)
    return subscription


@transaction.atomic
@tellings.gathered
def change_plan(
    *,
    subscription_id: int,
    plan_code: str,
    seen: str,
    actor: Actor,
    at: datetime,
    reason: str = "",
    change_at: ChosenTime | None = None,
) -> Subscription:
    """Change the plan of an active subscription, decided by what it was: ``seen`` is `plan_changes.state_of` then.

    ``change_at`` chooses when; without it the prices decide. Returns what runs now, see `plan_changes.change`. Raises
    NotFound, NotAllowed where it is not active, PlanChangeConflict where it was changed since, InvalidTerms
    (`change_at`), and what billing raises.
    """
    # Customer, plan, subscription: whoever publishes a version holds the plan and waits for its subscriptions.
    subscriptions.locked_customer(subscription_id)
    version = subscriptions.held_version(plan_code, at=at)
    current = subscriptions.locked(subscription_id)
    plan_changes.demand_unchanged(current, seen=seen)
    current = plan_changes.settle(current=current, actor=actor, at=at)
    if current.status != Status.ACTIVE:
        raise errors.NotAllowed("subscription_not_active", "Only the plan of an active subscription can be changed.")
    wanted = Wanted(version=version, name=current.name, reason=reason)
    return plan_changes.change(current=current, wanted=wanted, when=change_at, actor=actor, at=at)


def _last(model: type[Invoice | CreditNote], of_customer: dict[str, int]) -> int:
    found: int | None = model.objects.filter(**of_customer).order_by("-pk").values_list("pk", flat=True).first()
    return found or 0
