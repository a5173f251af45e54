"""The moment at which one plan takes the place of another: the one subscription ends and the other runs on from there.

Owns writing both, in one transaction and without a gap, and which waiting changes have come. Whoever calls holds the
lock of the customer and bills both sides.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing.domain import plan_changes, states
from billing.domain.plan_changes import Kind
from billing.domain.states import Verb
from billing.models import Subscription
from billing.queries import contracts
from billing.services import contract_turns, fixed_agreements, starts, subscription_notes, webhook_types
from config.kernel import dates, db
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

Status = Subscription.Status
_EASTERNMOST = timedelta(hours=14)


def replace(
    *,
    current: Subscription,
    follower: Subscription,
    moment: datetime,
    kind: Kind,
    actor: Actor,
    at: datetime,
    reason: str = "",
) -> None:
    """End the current subscription at an instant and let its follower run from that same instant on.

    The trial counts from the customer's first start under the external id, the anchor of periods stays. Raises
    InvalidTransition where one of them is over.
    """
    old = {"status": current.status}
    current.status = states.next(state=current.status, verb=Verb.TERMINATE)
    current.terminated_at = moment
    current.ended_by = kind.value
    current.updated_at = at
    current.save(update_fields=["status", "terminated_at", "ended_by", "next_billing_date", "updated_at"])
    plan = follower.plan_version.plan.code
    way = "change" if follower.change_timing else kind.value
    audit.record(
        actor=actor,
        at=at,
        verb="terminate",
        instance=current,
        old=old,
        new=subscription_notes.facts(current),
        reason=reason or f"Its {way} to {plan}.",
    )
    zone = dates.zone(current.customer.applicable_timezone)
    if current.fee_from is not None and current.fee_from > dates.local_date(moment, zone):
        # What was paid before a pause is not paid again by the new plan.
        follower.fee_from = current.fee_from
    starts.begin(follower, started_at=moment)
    follower.updated_at = at
    if follower.pk is None:
        follower.save(force_insert=True)
    else:
        follower.save(update_fields=[*starts.FIELDS, "change_date", "fee_from", "updated_at"])
    fixed_agreements.begin(subscription=follower, at=at)
    audit.record(
        actor=actor,
        at=at,
        verb="activate",
        instance=follower,
        new=subscription_notes.facts(follower),
        reason=reason or f"The {way} from {current.plan_version.plan.code}.",
    )
    tellings.tell(webhook_types.TERMINATED, current, at=at)
    tellings.tell(webhook_types.STARTED, follower, at=at)


@tellings.gathered
def take_effect(
    *, customer_ids: Collection[int], as_of: datetime, actor: Actor, external_id: str | None = None
) -> list[int]:
    """Let the waiting changes of these customers take effect whose day has come, and return both sides of each.

    With ``external_id`` only those under it. Each does so at the start of its local day, however late. One whose
    subscription ends before, as agreed, never does. A day that was chosen inside a period ends it as an upgrade does,
    any other as a downgrade. Where a contract has phases the next one waits then, and takes effect too if its day has
    come, one after the other. May be called any number of times.
    """
    moved: list[int] = []
    found = _turned(customer_ids, as_of, actor, external_id)
    while found:
        moved += [row.pk for pair in found for row in pair]
        served = [follower for _, follower in found if follower.contract_item_id is not None]
        waiting = [row for row in served if contract_turns.schedule_next(current=row, actor=actor, at=as_of)]
        found = [
            pair for row in waiting for pair in _turned([row.customer_id], as_of, actor, external_id=row.external_id)
        ]
    return moved


def due_at(current: Subscription, follower: Subscription, as_of: datetime) -> datetime | None:
    """Return the instant at which a waiting change takes effect, if that has come by the clock; else nothing."""
    if follower.status != Status.PENDING or current.status != Status.ACTIVE or follower.change_date is None:
        return None
    where = contracts.standing(current)
    moment = plan_changes.takes_effect_at(where.schedule, day=follower.change_date)
    if moment > as_of or (where.ends_at is not None and where.ends_at <= moment):
        return None
    # Where the time zone was changed since, usage of the first hours may have been billed: the new plan goes on there.
    billed_until = contracts.charges_billed_until(current)
    return moment if billed_until is None else max(moment, min(billed_until, as_of))


def _turned(
    customer_ids: Collection[int], as_of: datetime, actor: Actor, external_id: str | None
) -> list[tuple[Subscription, Subscription]]:
    """Let what waits now take effect whose day has come, and return both sides of each."""
    latest = dates.local_date(as_of + _EASTERNMOST, ZoneInfo("UTC"))
    waiting = Subscription.objects.filter(
        customer_id__in=customer_ids, status=Status.PENDING, previous__isnull=False, change_date__lte=latest
    )
    if external_id is not None:
        waiting = waiting.filter(external_id=external_id)
    pairs = list(waiting.order_by("pk").values_list("pk", "previous_id"))
    if not pairs:
        return []
    held = db.lock(
        Subscription.objects.filter(pk__in=[pk for pair in pairs for pk in pair]).select_related(
            "plan_version__plan", "customer__billing_entity"
        )
    )
    rows = {row.pk: row for row in held}
    turned = []
    for follower_id, current_id in pairs:
        current, follower = rows[current_id], rows[follower_id]
        moment = due_at(current, follower, as_of)
        if moment is None:
            continue
        kind = Kind.DOWNGRADE
        if _cuts(current, follower):
            kind = Kind.UPGRADE
            _bill_its_end(current, follower.change_date)
        replace(current=current, follower=follower, moment=moment, kind=kind, actor=actor, at=as_of)
        turned.append((current, follower))
    return turned


def _cuts(current: Subscription, follower: Subscription) -> bool:
    if follower.change_timing != Subscription.ChangeTiming.DATE or follower.change_date is None:
        return False
    return plan_changes.cuts(contracts.standing(current).schedule, day=follower.change_date)


def _bill_its_end(current: Subscription, day: date | None) -> None:
    """Make the day of a change a billing day, where no other one is as early; `replace` saves it."""
    schedule = contracts.standing(current).billing_schedule
    if day is not None and current.next_billing_date is not None and plan_changes.cuts(schedule, day=day):
        current.next_billing_date = min(current.next_billing_date, day)
