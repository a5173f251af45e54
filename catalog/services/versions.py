"""Publishing the next version of a plan, at once or for a moment to come: the lock on the plan, the audit trail and the
fact that tells it.

What is in the version is decided by whoever calls; a version that holds what the current one holds is not published.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from catalog.domain import publications
from catalog.domain.facts import FixedUnitsChanged, PlanVersionPublished
from catalog.domain.publications import Publication
from catalog.models import Plan, PlanVersion
from catalog.queries import plans
from catalog.queries import versions as known_versions
from catalog.services import approval_actions, price_lists, webhook_types
from catalog.services.price_lists import PriceList
from config.kernel import actors, db, errors, events, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit, tellings


class VersionWaits(errors.Conflict):
    """Another version of the plan waits for its moment."""


def lock(*, code: str, at: datetime) -> PlanVersion:
    """Lock the plan against other writers and read its current version anew: one whose moment has come is sold by now,
    however late its job is. Needs a transaction. Raises NotFound (`plan_not_found`).
    """
    turn(plan_id=plans.by_code(code=code).plan_id, at=at)
    return plans.by_code(code=code)


def publish(
    *,
    version: PlanVersion,
    content: PriceList,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
) -> None:
    """Store the content as the version after the given one, which must be locked and current. Needs a transaction.

    It is sold at once, or from the moment of its ``publication`` on. Raises VersionWaits while another version of the
    plan waits for its moment: it was made of what is sold now, and would undo what is changed before it comes. Raises
    ApprovalRequired.
    """
    before = price_lists.read(version)
    if content == before:
        return
    require_none_scheduled(version.plan)
    approvals.demand(action=approval_actions.PUBLISH_PRICES, amount=None, actor=actor)
    number = price_lists.next_number(plan=version.plan)
    published = price_lists.store(plan=version.plan, number=number, content=content, at=at, publication=publication)
    new = summary(content)
    if publication.effective_at is not None:
        new["effective_at"] = publication.effective_at
    waits = published.is_scheduled
    verb = "schedule_version" if waits else "publish_version"
    audit.record(actor=actor, at=at, verb=verb, instance=version.plan, old=summary(before), new=new)
    if waits:
        return
    events.publish(
        PlanVersionPublished(
            plan_id=version.plan_id,
            version_id=published.pk,
            fixed_units=_units_changed(before, content),
            moves_existing=publication.moves_existing,
            cascades=publication.cascades,
        )
    )
    tellings.tell(webhook_types.PLAN_UPDATED, version.plan, at=at)


def require_none_scheduled(plan: Plan) -> None:
    """Refuse to publish beside a version that waits. Raises VersionWaits (`plan_version_scheduled`)."""
    waiting = known_versions.scheduled(plan)
    if waiting is not None:
        raise VersionWaits(
            "plan_version_scheduled",
            f"Version {waiting.number} of the plan is to be sold from {waiting.effective_at:%Y-%m-%d %H:%M} UTC on. "
            "Withdraw it first.",
        )


@transaction.atomic
def withdraw(*, code: str, number: int, actor: Actor, at: datetime, reason: str = "") -> PlanVersion:
    """Take back a version that is not sold yet; it stays on record. Withdrawing it again changes nothing.

    Raises NotFound (`plan_not_found`, `plan_version_not_found`), NotAllowed for one that is or was sold.
    """
    plan = lock(code=code, at=at).plan
    version = known_versions.by_number(plan, number=number)
    if version.withdrawn_at is not None:
        return version
    if not version.is_scheduled:
        raise errors.NotAllowed("plan_version_sold", f"Version {number} is or was sold: it cannot be withdrawn.")
    version.is_scheduled, version.withdrawn_at = False, at
    version.save(update_fields=["is_scheduled", "withdrawn_at"])
    new = {"number": number, "effective_at": version.effective_at}
    audit.record(actor=actor, at=at, verb="withdraw_version", instance=plan, new=new, reason=reason)
    return version


def turn_due(*, as_of: datetime) -> int:
    """Sell the versions whose moment has come, each in its own transaction: a periodic job. Returns how many.

    May run any number of times.
    """
    due = PlanVersion.objects.filter(is_scheduled=True, effective_at__lte=as_of, plan__deleted_at__isnull=True)
    found = list(due.order_by("effective_at", "pk").values_list("plan_id", flat=True))
    return sum(turn(plan_id=plan_id, at=as_of) for plan_id in found)


@transaction.atomic
def turn(*, plan_id: int, at: datetime) -> bool:
    """Make the version of a plan current whose moment has come, and say whether there was one.

    Nobody is moved to it: who has the plan keeps what was bought. Locks the plan; calling it again changes nothing.
    """
    plan = db.lock_one(Plan.objects.filter(pk=plan_id))
    version = PlanVersion.objects.filter(plan=plan, is_scheduled=True, effective_at__lte=at).first()
    if version is None or plan.deleted_at is not None:
        return False
    PlanVersion.objects.filter(plan=plan, is_current=True).update(is_current=False)
    version.is_scheduled, version.is_current = False, True
    version.save(update_fields=["is_scheduled", "is_current"])
    new = {"number": version.number, "effective_at": version.effective_at}
    audit.record(actor=actors.job("plan_versions"), at=at, verb="publish_version", instance=plan, new=new)
    events.publish(PlanVersionPublished(plan_id=plan.pk, version_id=version.pk, moves_existing=False))
    tellings.tell(webhook_types.PLAN_UPDATED, plan, at=at)
    return True


def summary(content: PriceList) -> dict[str, Any]:
    """Return what the audit trail keeps of a price list."""
    return {
        "interval": content.interval,
        "amount": str(money.rounded(content.amount).amount),
        "currency": content.amount.currency.code,
        "pay_in_advance": content.pay_in_advance,
        "trial_period": str(content.trial_period),
        "bill_charges_monthly": content.bill_charges_monthly,
        "bill_fixed_charges_monthly": content.bill_fixed_charges_monthly,
        "tax_inclusive": content.tax_inclusive,
        "charges": [
            {
                "code": charge.code,
                "model": charge.charge_model,
                "properties": charge.properties,
                "pay_in_advance": charge.pay_in_advance,
            }
            for charge in content.charges
        ],
        "fixed_charges": [
            {
                "code": charge.code,
                "model": charge.charge_model,
                "units": str(charge.units),
                "properties": charge.properties,
                "pay_in_advance": charge.pay_in_advance,
            }
            for charge in content.fixed_charges
        ],
        "usage_thresholds": [
            {"amount_cents": one.amount_cents, "recurring": one.recurring} for one in content.usage_thresholds
        ],
        "minimum_commitment_cents": None
        if content.minimum_commitment is None
        else content.minimum_commitment.amount_cents,
    }


def _units_changed(before: PriceList, after: PriceList) -> tuple[FixedUnitsChanged, ...]:
    old = {charge.key: charge.units for charge in before.fixed_charges}
    return tuple(
        FixedUnitsChanged(
            key=charge.key, units=charge.units, immediately=charge.immediately, previous=old.get(charge.key)
        )
        for charge in after.fixed_charges
        if old.get(charge.key) != charge.units
    )
