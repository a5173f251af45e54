"""What is agreed of features with one subscription, beside what its plan gives.

It belongs to the chain of the subscription: a change of plan, another version of the plan and a pause keep it; another
subscription that takes the same external id later begins without it. A value that is the plan's own is no agreement:
the subscription follows its plan again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from billing.models import Subscription, SubscriptionEntitlement, SubscriptionPrivilege
from billing.queries import entitlements
from billing.queries import subscriptions as known
from billing.services import webhook_types
from catalog.domain.privileges import Value
from catalog.models import Privilege
from catalog.queries import features
from catalog.services import entitlement_input
from catalog.services.entitlement_input import Asked, FeatureValues
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings


@dataclass(frozen=True, slots=True)
class Terms:
    """All that is agreed of one feature: it is as the plan has it (``None``), given, or not given.

    ``values`` stand in place of the plan's, by privilege; privileges ``without`` which it comes are not there.
    """

    feature_code: str
    is_given: bool | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    without: Collection[str] = ()


@transaction.atomic
def merge(*, external_id: str, status: str, asked: Asked, actor: Actor, at: datetime) -> None:
    """Give a subscription features and values beside its plan. What was removed and is named comes back.

    ``None`` in place of a value gives back the plan's. Sending it again changes nothing. Raises SubscriptionNotFound,
    NotFound (`feature_not_found`, `privilege_not_found`), Invalid under ``<privilege code>_privilege_value``.
    """
    subscription = _lock(external_id, status)
    before = _shown(subscription)
    rows = entitlement_input.read(asked=asked, may_take_back=True)
    given = _of_plan(subscription)
    for row in rows:
        _agree(entitlements.first(subscription), row, given.get(row.feature.code), at)
    _note(subscription, before, actor, at)


@transaction.atomic
def remove_feature(*, external_id: str, status: str, feature_code: str, actor: Actor, at: datetime) -> None:
    """Take a feature from a subscription, whoever gave it, with what was agreed of it.

    Raises SubscriptionNotFound, NotFound (`entitlement_not_found`) where it is not there.
    """
    subscription = _lock(external_id, status)
    before = _shown(subscription)
    if feature_code not in before:
        raise _not_given(feature_code)
    _remove(subscription, feature_code, at)
    _note(subscription, before, actor, at)


@transaction.atomic
def remove_privilege(
    *, external_id: str, status: str, feature_code: str, privilege_code: str, actor: Actor, at: datetime
) -> None:
    """Take a privilege from a subscription, whoever gave it; the feature stays.

    Raises SubscriptionNotFound, NotFound (`entitlement_not_found`, `privilege_not_found`) where it is not there.
    """
    subscription = _lock(external_id, status)
    before = _shown(subscription)
    if feature_code not in before:
        raise _not_given(feature_code)
    if privilege_code not in before[feature_code]:
        raise errors.NotFound("privilege_not_found", f"It has no {privilege_code} of {feature_code}.")
    feature = features.by_code(code=feature_code)
    privilege = next(row for row in features.privileges(feature) if row.code == privilege_code)
    own = _own(entitlements.first(subscription), feature.pk, at)
    given = _of_plan(subscription).get(feature_code)
    if privilege_code in (given or {}):
        _set(own, privilege, None, at)
    else:
        own.privileges.filter(privilege=privilege).delete()
        _tidy(own, given)
    _note(subscription, before, actor, at)


@transaction.atomic
def agree(*, subscription_id: int, terms: Sequence[Terms], actor: Actor, at: datetime) -> None:
    """Agree all there is to some features; what was agreed of them before is forgotten, other features stay.

    Raises NotFound and Invalid as `merge`.
    """
    subscription = _locked(Subscription.objects.get(pk=subscription_id))
    before = _shown(subscription)
    first, given = entitlements.first(subscription), _of_plan(subscription)
    rows = entitlement_input.read(asked={one.feature_code: one.values for one in terms})
    for one, row in zip(terms, rows, strict=True):
        SubscriptionEntitlement.objects.filter(subscription=first, feature=row.feature).delete()
        _settle(first, one, row, given.get(one.feature_code), at)
    _note(subscription, before, actor, at)


def _lock(external_id: str, status: str) -> Subscription:
    return _locked(known.find(external_id=external_id, status=status))


def _locked(subscription: Subscription) -> Subscription:
    """Lock the chain by its first subscription; writers of one chain wait for each other."""
    db.lock_one(Subscription.objects.filter(pk=entitlements.first(subscription)))
    return subscription


def _settle(first: int, terms: Terms, row: FeatureValues, given: dict[str, Value] | None, at: datetime) -> None:
    if terms.is_given is False:
        if given is not None:
            own = _own(first, row.feature.pk, at)
            own.is_removed = True
            own.save(update_fields=["is_removed"])
        return
    if terms.is_given is None and not (terms.values or terms.without):
        return
    own = _own(first, row.feature.pk, at)
    for privilege, value in row.values:
        _set(own, privilege, value, at)
    for privilege in features.privileges(row.feature):
        if privilege.code in terms.without and privilege.code not in terms.values:
            _set(own, privilege, None, at)


def _agree(first: int, row: FeatureValues, given: dict[str, Value] | None, at: datetime) -> None:
    own = _own(first, row.feature.pk, at)
    if own.is_removed:
        own.is_removed = False
        own.save(update_fields=["is_removed"])
    for privilege, value in row.values:
        if value is None or (given or {}).get(privilege.code) == value:
            own.privileges.filter(privilege=privilege).delete()
        else:
            _set(own, privilege, value, at)
    _tidy(own, given)


def _tidy(own: SubscriptionEntitlement, given: dict[str, Value] | None) -> None:
    """Leave no agreement that says nothing: it would give the feature on when the plan no longer does."""
    if given is not None and not own.privileges.exists():
        own.delete()


def _remove(subscription: Subscription, feature_code: str, at: datetime) -> None:
    feature = features.by_code(code=feature_code)
    own = _own(entitlements.first(subscription), feature.pk, at)
    if feature_code not in _of_plan(subscription):
        own.delete()
        return
    own.privileges.all().delete()
    own.is_removed = True
    own.save(update_fields=["is_removed"])


def _own(first: int, feature_id: int, at: datetime) -> SubscriptionEntitlement:
    own, _ = SubscriptionEntitlement.objects.get_or_create(
        subscription_id=first, feature_id=feature_id, defaults={"created_at": at}
    )
    return own


def _set(own: SubscriptionEntitlement, privilege: Privilege, value: Value | None, at: datetime) -> None:
    content = {"value": value, "is_removed": value is None}
    SubscriptionPrivilege.objects.update_or_create(
        entitlement=own, privilege=privilege, defaults=content, create_defaults={**content, "created_at": at}
    )


def _of_plan(subscription: Subscription) -> dict[str, dict[str, Value]]:
    plan_id = subscription.plan_version.plan_id
    return {
        one.code: {
            granted.definition.code: granted.plan_value for granted in one.privileges if granted.plan_value is not None
        }
        for one in features.of_plans([plan_id])[plan_id]
    }


def _shown(subscription: Subscription) -> dict[str, dict[str, Any]]:
    return {
        one.code: {granted.definition.code: granted.value for granted in one.privileges}
        for one in entitlements.of_subscriptions([subscription.pk])[subscription.pk]
    }


def _note(subscription: Subscription, before: dict[str, dict[str, Any]], actor: Actor, at: datetime) -> None:
    after = _shown(subscription)
    if after != before:
        audit.record(
            actor=actor,
            at=at,
            verb="set_entitlements",
            instance=subscription,
            old={"entitlements": before},
            new={"entitlements": after},
        )
        tellings.tell(webhook_types.UPDATED, subscription, at=at)


def _not_given(feature_code: str) -> errors.NotFound:
    return errors.NotFound("entitlement_not_found", f"It does not have {feature_code}.")
