"""Second persons: demanding one, asking for one, and carrying out what was approved.

Services call `demand` first thing in what may need a second person. Where a rule applies it is refused, unless it is
done within a request that somebody approved: `approve` carries that out, in one transaction with the decision. That
covers what was asked for; what goes beyond it is demanded of whoever approves. Jobs and the system are exempt, because
they do what was agreed before. Nobody approves what they asked for themselves.
Splitting an amount does not help: rules hold against their limit what the same document or customer had before, too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from moneyed import Money

from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.models import ApprovalRequest
from config.platform.queries import approvals as known
from config.platform.services import approval_actions, audit, outbox
from config.platform.services.outbox import EventType

Status = ApprovalRequest.Status

REQUESTED, DECIDED = "approval.requested", "approval.decided"
_PAYLOAD = "config.platform.api.approvals.payload"

outbox.register(
    EventType(REQUESTED, "approval", _PAYLOAD, "Something waits for a second person."),
    EventType(
        DECIDED,
        "approval",
        _PAYLOAD,
        "What waited for a second person was approved and done, rejected, withdrawn, or cannot be done any more.",
    ),
)

EXEMPT = frozenset({"job", "system"})
"""Kinds of actors that carry out what was agreed before."""

_granted: ContextVar[ApprovalRequest | None] = ContextVar("granted", default=None)
_free: ContextVar[bool] = ContextVar("free", default=False)


class ApprovalRequired(errors.Forbidden):
    """A second person has to approve this. Knows what was wanted, so that it can be asked for."""

    action: str
    amount: Money | None
    needed: known.Needed

    def __init__(self, *, action: approval_actions.Action, amount: Money | None, needed: known.Needed) -> None:
        """Tell which action, and whose approval is needed."""
        groups = ", ".join(needed.group_names)
        super().__init__(
            "approval_required",
            f"{action.label}: a second person has to approve it ({needed.why}). Who may: {groups}.",
            {"action": [action.code], "groups": needed.group_names, "why": [needed.why]},
        )
        self.action, self.amount, self.needed = action.code, amount, needed


class UnableToDecide(errors.NotAllowed):
    """The request was decided before."""


class NotYourDecision(errors.Forbidden):
    """The person asked for it, is in none of the groups, or lacks the right of the action."""


class Stale(errors.Conflict):
    """What it would do is not what whoever approves saw: nothing is decided, it has to be looked at again."""


class AlreadyAsked(errors.Conflict):
    """A request for the same action on the same object waits."""


@dataclass(frozen=True)
class Wish:
    """What is asked for: the verb of a model's admin page, the object if there is one, and the form's values as sent.

    ``shown`` is what the person was shown of what would come of it: titles with rows of plain texts.
    """

    verb: str
    verb_label: str
    object_type: str
    object_id: int | None
    object_label: str
    values: Mapping[str, Sequence[str]]
    shown: Sequence[Mapping[str, Any]]
    reason: str = ""


@dataclass(frozen=True)
class Decided:
    """The request after somebody approved it, and what its verb returned; None where it could not be done."""

    request: ApprovalRequest
    outcome: Any


def demand(*, action: str, amount: Money | None, actor: Actor, before: known.Before | None = None) -> None:
    """Refuse an action that needs a second person. Does nothing for jobs and the system.

    ``before`` tells what the same document, or the same customer, had of the action since an instant (None: ever), in
    the currency of the amount; rules hold it against their limit together with the amount. Two halves at once wait for
    each other here, and see each other.

    Within a granted request it does nothing either, as long as it is the action that was asked for and no larger;
    anything else needs whoever approves to be one who may approve that too. Call it in the transaction of the service,
    once the amount is known and before anything is written. Raises ApprovalRequired, which reaches API clients as 403
    (`approval_required`), and NotYourDecision (`more_than_asked`) within a request. Four small queries at most, and
    those of ``before``.
    """
    if actor.kind in EXEMPT or _free.get():
        return
    if before is not None and known.is_limited(action=action):
        for whose in (before.document, f"customer {before.customer_id}"):
            db.advisory_lock(f"platform.approval.before:{action}:{whose}")
    found = known.needed(action=action, amount=amount, before=before)
    granted = _granted.get()
    if granted is not None and _covers(granted, action, amount, found):
        return
    if found is None:
        return
    wanted = approval_actions.one(action)
    if granted is None:
        raise ApprovalRequired(action=wanted, amount=amount, needed=found)
    user = User.objects.get(pk=actor.user_id)
    if not user.groups.filter(pk__in=found.group_ids).exists() or not user.has_perm(wanted.permission):
        groups = ", ".join(found.group_names)
        words = f"{wanted.label}: by now it is more than was asked for ({found.why}). Who may approve that: {groups}."
        raise NotYourDecision("more_than_asked", words)


@contextlib.contextmanager
def looking() -> Iterator[None]:
    """Let a preview run the real thing: whoever uses this rolls back all that was written meanwhile."""
    with _freely():
        yield


@contextlib.contextmanager
def agreed(*, actor: Actor, is_offered: bool = False) -> Iterator[None]:
    """Let a customer take what was offered: whoever uses this demanded the second person of whoever offered it.

    Who carries out for the customer what the customer was sent (``is_offered``) is demanded no other one either;
    anybody else is, as ever.
    """
    if actor.kind != "customer" and not is_offered:
        yield
        return
    with _freely():
        yield


@contextlib.contextmanager
def _freely() -> Iterator[None]:
    token = _free.set(True)
    try:
        yield
    finally:
        _free.reset(token)


@transaction.atomic
def ask(*, wish: Wish, refusal: ApprovalRequired, actor: Actor, at: datetime) -> ApprovalRequest:
    """Keep what a person wants done until somebody decides. Raises AlreadyAsked where the same waits.

    The same is the same action on the same object; of what makes something new it is one form that was sent twice, by
    its value ``once``. Only a person asks: others are refused with the refusal itself.
    """
    if actor.user_id is None:
        raise refusal
    db.advisory_lock(f"platform.approval:{refusal.action}:{wish.object_type}:{wish.object_id}")
    values = {name: list(texts) for name, texts in wish.values.items()}
    first = known.waiting(action=refusal.action, object_type=wish.object_type, object_id=wish.object_id)
    if wish.object_id is None and any(values.get("once", ())):
        first = known.sent_before(asked_by_id=actor.user_id, action=refusal.action, verb=wish.verb, values=values)
    if first is not None:
        words = f"The same was asked for before and waits for approval since {first.asked_at:%Y-%m-%d %H:%M} UTC."
        raise AlreadyAsked("approval_already_asked", words)
    row = ApprovalRequest.objects.create(
        created_at=at,
        action=refusal.action,
        verb=wish.verb,
        verb_label=wish.verb_label,
        object_type=wish.object_type,
        object_id=wish.object_id,
        object_label=wish.object_label[:255],
        currency="" if refusal.amount is None else refusal.amount.currency.code,
        amount=None if refusal.amount is None else refusal.amount.amount,
        total=None if refusal.needed.total is None else refusal.needed.total.amount,
        asked_of=sorted(refusal.needed.group_ids),
        values=values,
        shown=[dict(part) for part in wish.shown],
        reason=wish.reason,
        asked_by_id=actor.user_id,
        asked_at=at,
    )
    row.groups.set(refusal.needed.group_ids)
    outbox.record(REQUESTED, [row], at=at)
    _note(row, "ask", actor, at, new={"of": list(refusal.needed.group_names), "why": refusal.needed.why})
    return row


@transaction.atomic
def approve(
    *,
    request_id: int,
    perform: Callable[[Actor], Any],
    actor: Actor,
    at: datetime,
    remark: str = "",
) -> Decided:
    """Approve a request and do it with ``perform``, all in one transaction.

    ``perform`` gets the actor that what it does is noted under: whoever approves, for whoever asked. Where it refuses,
    nothing of it is done, and the request has failed with the reason; where it raises Stale or NotYourDecision nothing
    is decided. Not idempotent: a second call is refused. Raises ApprovalRequestNotFound, UnableToDecide,
    NotYourDecision.
    """
    row = _locked(request_id)
    asked_by = row.asked_by.get_full_name() or row.asked_by.get_username()
    require(row, actor=actor)
    token = _granted.set(row)
    try:
        with transaction.atomic():
            outcome = perform(replace(actor, label=f"{actor.label} for {asked_by}"[:255]))
    except (Stale, NotYourDecision):
        raise
    except errors.DomainError as refusal:
        # What a form refuses has its words per field, the rest in the message.
        parts = [code for codes in refusal.details.values() for code in codes]
        why = refusal.message if refusal.code != "validation_errors" else ", ".join(parts)
        return Decided(_decided(row, Status.FAILED, actor, at, why), None)
    finally:
        _granted.reset(token)
    return Decided(_decided(row, Status.APPROVED, actor, at, remark), outcome)


@transaction.atomic
def reject(*, request_id: int, remark: str, actor: Actor, at: datetime) -> ApprovalRequest:
    """Reject a request, with a reason. Raises ApprovalRequestNotFound, UnableToDecide, NotYourDecision, Invalid."""
    row = _locked(request_id)
    require(row, actor=actor)
    if not remark.strip():
        raise errors.Invalid("validation_errors", "Say why.", {"reason": ["value_is_mandatory"]})
    return _decided(row, Status.REJECTED, actor, at, remark)


@transaction.atomic
def withdraw(*, request_id: int, actor: Actor, at: datetime, remark: str = "") -> ApprovalRequest:
    """Take a request back; only whoever asked may. Raises ApprovalRequestNotFound, UnableToDecide, NotYourDecision."""
    row = _locked(request_id)
    if actor.user_id != row.asked_by_id:
        raise NotYourDecision("not_your_request", "Only whoever asked takes a request back.")
    return _decided(row, Status.WITHDRAWN, actor, at, remark)


@transaction.atomic
def fail(*, request_id: int, why: str, actor: Actor, at: datetime) -> ApprovalRequest:
    """Close a request that cannot be done any more, as its object changed. Raises as `reject`."""
    row = _locked(request_id)
    require(row, actor=actor)
    return _decided(row, Status.FAILED, actor, at, why)


def require(row: ApprovalRequest, *, actor: Actor) -> None:
    """Demand that a person may decide a request. Raises NotYourDecision.

    It is another person than the one who asked, in one of the groups, with the right of the action itself.
    """
    if actor.user_id is None or actor.user_id == row.asked_by_id:
        raise NotYourDecision("own_request", "Nobody decides what they asked for themselves.")
    user = User.objects.get(pk=actor.user_id)
    if not user.is_active or not user.groups.filter(pk__in=row.groups.values("pk")).exists():
        raise NotYourDecision("not_in_group", "Only people of the groups that were asked decide this.")
    if not user.has_perm(approval_actions.one(row.action).permission):
        raise NotYourDecision("right_missing", "Whoever approves needs the right to do it.")


def _covers(granted: ApprovalRequest, action: str, amount: Money | None, found: known.Needed | None) -> bool:
    """Say whether a request asked for an action over at least this amount, and with as much before it.

    Never where other groups decide by now: totals of two rules, such as of a document and a customer, do not compare.
    """
    if granted.action != action:
        return False
    asked = granted.money
    if asked is None or amount is None:
        return asked is None and amount is None
    if asked.currency != amount.currency or amount > asked:
        return False
    if found is not None and not set(found.group_ids) <= set(granted.asked_of):
        return False
    total = asked.amount if granted.total is None else granted.total
    return found is None or found.total is None or found.total.amount <= total


def _locked(request_id: int) -> ApprovalRequest:
    known.one(request_id)
    row = db.lock_one(ApprovalRequest.objects.filter(pk=request_id))
    if row.status != Status.WAITING:
        raise UnableToDecide("request_decided", f"The request is decided: {row.get_status_display()}.")
    return row


def _decided(row: ApprovalRequest, status: Status, actor: Actor, at: datetime, remark: str) -> ApprovalRequest:
    row.status, row.decided_by_id, row.decided_at, row.remark = status, actor.user_id, at, remark.strip()
    row.save(update_fields=["status", "decided_by", "decided_at", "remark"])
    outbox.record(DECIDED, [row], at=at)
    verbs = {Status.APPROVED: "approve", Status.REJECTED: "reject", Status.WITHDRAWN: "withdraw", Status.FAILED: "fail"}
    asked_by = row.asked_by.get_full_name() or row.asked_by.get_username()
    _note(row, verbs[status], actor, at, old={"status": Status.WAITING}, new={"status": status, "asked_by": asked_by})
    return row


def _note(
    row: ApprovalRequest,
    verb: str,
    actor: Actor,
    at: datetime,
    *,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any],
) -> None:
    about: dict[str, Any] = {"action": row.action, "object": row.object_label, **new}
    if row.money is not None:
        about |= {"amount_cents": money.to_minor(money.rounded(row.money)), "currency": row.currency}
    audit.record(
        actor=actor,
        at=at,
        verb=verb,
        instance=row,
        old=old,
        new=about,
        reason=row.remark if row.status != Status.WAITING else row.reason,
    )
