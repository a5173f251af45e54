"""Plans: making, changing, retiring them. A price list is never edited: another price is another version.

Names are changed in place. What the versions of a plan are used for is told to whoever sells them by a fact.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from django.db import transaction

from catalog.domain import intervals, notes, publications
from catalog.domain.intervals import Interval
from catalog.domain.publications import Publication
from catalog.models import Plan, PlanVersion
from catalog.queries import plans
from catalog.services import (
    approval_actions,
    charge_input,
    commitment_input,
    fixed_charge_input,
    plan_metadata,
    price_lists,
    threshold_input,
    versions,
    webhook_types,
)
from catalog.services.charge_input import ChargeValues
from catalog.services.commitment_input import CommitmentValues
from catalog.services.fixed_charge_input import FixedChargeValues
from catalog.services.price_lists import ChargeContent, PriceList
from catalog.services.threshold_input import ThresholdValues
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit, outbox, tellings, uniqueness

MAX_TRIAL_DAYS = 3650
_TRIAL_PLACES = 5
NAMES = ("name", "invoice_display_name", "description")
# What decides which time is billed when, and so cannot change for those who have the plan.
_AGREED = ("code", "interval", "amount_currency", "pay_in_advance", "trial_period")
_SPLIT = ("bill_charges_monthly", "bill_fixed_charges_monthly")


class PlanInUse(errors.NotAllowed):
    """Somebody has bought the plan and still has it."""


class PlanChanged(errors.Conflict):
    """The plan is not what it was when a change of it was decided."""


class PlanValues(TypedDict, total=False):
    """What a plan is made of. ``amount_cents`` are minor units of ``amount_currency``.

    Charges and fixed charges are full lists. An empty minimum commitment, or none, takes away what there is.
    ``metadata`` are notes that come to those that there are.
    """

    code: str
    name: str
    invoice_display_name: str
    description: str
    interval: str
    amount_cents: int
    amount_currency: str
    pay_in_advance: bool
    trial_period: Decimal
    bill_charges_monthly: bool
    bill_fixed_charges_monthly: bool
    tax_inclusive: bool
    tax_codes: Sequence[str]
    charges: Sequence[ChargeValues]
    fixed_charges: Sequence[FixedChargeValues]
    minimum_commitment: CommitmentValues | None
    usage_thresholds: Sequence[ThresholdValues]
    metadata: Mapping[str, Any]


@transaction.atomic
def create(*, values: PlanValues, actor: Actor, at: datetime) -> PlanVersion:
    """Make a plan with its first version.

    Raises Invalid with codes per field, NotFound for what it names in vain, ApprovalRequired.
    """
    blank = PriceList(interval="", amount=money.zero("USD"), tax_ids=(), charges=())
    content = _changed(blank, values, in_use=False, at=at)
    approvals.demand(action=approval_actions.PUBLISH_PRICES, amount=None, actor=actor)
    plan = Plan(code=values["code"], created_at=at, metadata=notes.checked(values.get("metadata", {})))
    for name in NAMES:
        setattr(plan, name, values.get(name, ""))
    with uniqueness.told(catalog_plan_code="code"):
        plan.save(force_insert=True)
    price_lists.store(plan=plan, number=1, content=content, at=at)
    audit.record(actor=actor, at=at, verb="create", instance=plan, new=versions.summary(content))
    outbox.record(webhook_types.PLAN_CREATED, [plan], at=at)
    return plans.by_code(code=plan.code)


@transaction.atomic
@tellings.gathered
def update(
    *,
    code: str,
    values: PlanValues,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
    seen: int | None = None,
) -> PlanVersion:
    """Change what ``values`` holds. Another price, interval, tax or charge makes a new version; names do not.

    While the plan is in use its code, interval, currency and trial, and what is billed in advance or monthly, stay as
    they are, whatever is sent. Charges that are sent are the full list; absent ones are untouched. Sending what is
    there already changes nothing. The ``publication`` says from when on the version is sold and who follows; names
    change at once. ``seen`` is the id of the version that was on sale when it was decided. Raises as `create`,
    VersionWaits, and PlanChanged where another one is on sale by now.
    """
    version = versions.lock(code=code, at=at)
    if seen not in (None, version.pk):
        raise PlanChanged("plan_changed", "Somebody else changed the plan meanwhile. Start again.")
    plan = version.plan
    content: dict[str, Any] = dict(values)
    in_use = plans.in_use(plan)
    if in_use:
        for field in (*_AGREED, *_SPLIT):
            content.pop(field, None)
    _rename(plan, {field: content[field] for field in ("code", *NAMES) if field in content}, actor, at)
    if content.get("metadata"):
        plan_metadata.keep(plan=plan, metadata={**plan.metadata, **content["metadata"]}, actor=actor, at=at)
    after = _changed(price_lists.read(version), PlanValues(**content), in_use=in_use, at=at)
    versions.publish(version=version, content=after, actor=actor, at=at, publication=publication)
    return plans.by_code(code=plan.code)


def proposed(*, code: str, values: PlanValues, at: datetime) -> tuple[PriceList, PriceList]:
    """Return the plan's price list as it is sold, and as `update` would publish it. Writes nothing.

    Raises as `update` does.
    """
    version = plans.by_code(code=code)
    before = price_lists.read(version)
    in_use = plans.in_use(version.plan)
    kept = (*_AGREED, *_SPLIT) if in_use else ()
    content: dict[str, Any] = {field: value for field, value in values.items() if field not in kept}
    return before, _changed(before, PlanValues(**content), in_use=in_use, at=at)


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> PlanVersion:
    """Retire a plan; its code may be used again. Raises NotFound, PlanInUse while somebody has it."""
    version = versions.lock(code=code, at=at)
    plan = version.plan
    if plans.in_use(plan):
        raise PlanInUse("plan_in_use", "There are subscriptions to this plan: end or move them first.")
    plan.deleted_at = at
    plan.save(update_fields=["deleted_at"])
    audit.record(actor=actor, at=at, verb="delete", instance=plan)
    outbox.record(webhook_types.PLAN_DELETED, [plan], at=at)
    return version


@transaction.atomic
def add_charge(
    *,
    code: str,
    values: ChargeValues,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
) -> ChargeContent:
    """Add a charge in a new version. Raises as `update` does, without paths."""
    version = versions.lock(code=code, at=at)
    before = price_lists.read(version)
    added = charge_input.single(
        values=values, before=None, others=before.charges, in_use=plans.in_use(version.plan), at=at
    )
    content = dataclasses.replace(before, charges=(*before.charges, added))
    versions.publish(version=version, content=content, actor=actor, at=at, publication=publication)
    return added


@transaction.atomic
def change_charge(
    *,
    code: str,
    charge_code: str,
    values: ChargeValues,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
) -> ChargeContent:
    """Change a charge in a new version. Raises as `update` does, without paths, and NotFound (`charge_not_found`)."""
    version = versions.lock(code=code, at=at)
    before = price_lists.read(version)
    old = charge_of(before, charge_code)
    others = [charge for charge in before.charges if charge != old]
    changed = charge_input.single(values=values, before=old, others=others, in_use=plans.in_use(version.plan), at=at)
    after = tuple(changed if charge == old else charge for charge in before.charges)
    content = dataclasses.replace(before, charges=after)
    versions.publish(version=version, content=content, actor=actor, at=at, publication=publication)
    return changed


@transaction.atomic
def remove_charge(
    *, code: str, charge_code: str, actor: Actor, at: datetime, publication: Publication = publications.FOLLOWED
) -> None:
    """Leave a charge out of a new version. Raises NotFound (`plan_not_found`, `charge_not_found`)."""
    version = versions.lock(code=code, at=at)
    before = price_lists.read(version)
    gone = charge_of(before, charge_code)
    kept = tuple(charge for charge in before.charges if charge.key != gone.key)
    content = dataclasses.replace(before, charges=kept)
    versions.publish(version=version, content=content, actor=actor, at=at, publication=publication)


def charge_of(content: PriceList, charge_code: str) -> ChargeContent:
    """Return the charge of that code. Raises NotFound (`charge_not_found`)."""
    for charge in content.charges:
        if charge.code == charge_code:
            return charge
    raise errors.NotFound("charge_not_found", f"The plan has no charge {charge_code}.")


def _changed(before: PriceList, values: PlanValues, *, in_use: bool, at: datetime) -> PriceList:
    currency = values.get("amount_currency", before.amount.currency.code)
    if not money.known(currency):
        raise charge_input.refused("amount_currency", "value_is_invalid")
    interval = values.get("interval", before.interval)
    if interval not in set(Interval):
        raise charge_input.refused("interval", "value_is_invalid")
    cents = values["amount_cents"] if "amount_cents" in values else money.to_minor(before.amount)
    tax_ids, charges, fixed = before.tax_ids, before.charges, before.fixed_charges
    if "tax_codes" in values:
        tax_ids = charge_input.tax_ids(values["tax_codes"])
    if "charges" in values:
        charges = charge_input.charges(values=values["charges"], existing=charges, in_use=in_use, at=at)
    if "fixed_charges" in values:
        fixed = fixed_charge_input.fixed_charges(values=values["fixed_charges"], existing=fixed, in_use=in_use, at=at)
    committed = before.minimum_commitment
    if "minimum_commitment" in values:
        committed = commitment_input.minimum_commitment(values=values["minimum_commitment"], before=committed, at=at)
    crossed = before.usage_thresholds
    if "usage_thresholds" in values:
        crossed = threshold_input.thresholds(values=values["usage_thresholds"], existing=crossed, at=at)
    # Shorter intervals have no months inside: what is said of them there means nothing.
    has_months = intervals.can_split_monthly(Interval(interval))
    monthly, fixed_monthly = (bool(values.get(field, getattr(before, field))) and has_months for field in _SPLIT)
    inclusive = values.get("tax_inclusive", before.tax_inclusive)
    if crossed and (inclusive or any(charge.tax_inclusive for charge in charges)):
        # What was billed up to a threshold is net, and what it is held against would be gross.
        raise charge_input.refused("usage_thresholds", "not_with_tax_inclusive_prices")
    return PriceList(
        interval=interval,
        amount=money.from_minor(cents, currency),
        tax_ids=tax_ids,
        charges=charges,
        pay_in_advance=values.get("pay_in_advance", before.pay_in_advance),
        trial_period=trial_days(values.get("trial_period", before.trial_period)),
        bill_charges_monthly=monthly,
        bill_fixed_charges_monthly=fixed_monthly,
        fixed_charges=fixed,
        minimum_commitment=committed,
        usage_thresholds=crossed,
        tax_inclusive=inclusive,
    )


def trial_days(days: Decimal) -> Decimal:
    """Return the days of a trial. Raises Invalid (`trial_period`) for a number that none can have."""
    if not 0 <= days <= MAX_TRIAL_DAYS or money.round_half_up(days, _TRIAL_PLACES) != days:
        raise charge_input.refused("trial_period", "value_is_out_of_range")
    return days


def _rename(plan: Plan, names: dict[str, Any], actor: Actor, at: datetime) -> None:
    new = {field: value for field, value in names.items() if getattr(plan, field) != value}
    if not new:
        return
    old = {field: getattr(plan, field) for field in new}
    for field, value in new.items():
        setattr(plan, field, value)
    with uniqueness.told(catalog_plan_code="code"):
        plan.save(update_fields=list(new))
    audit.record(actor=actor, at=at, verb="update", instance=plan, old=old, new=new)
    tellings.tell(webhook_types.PLAN_UPDATED, plan, at=at)
