"""What a subscription's customer may use: what its plan gives, and what was agreed with this one beside it.

One statement, whatever the number of features: products ask for this at every turn. Belongs to the whole chain of a
subscription, which is found by its first row, so changes of plan and pauses keep what was agreed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from billing.models import Subscription, SubscriptionPrivilege
from billing.queries.subscriptions import SubscriptionNotFound
from catalog.domain.entitlements import Entitlement, Granted
from catalog.domain.privileges import Definition, Value, ValueType
from catalog.models import Privilege
from config.kernel import statements

# Written out: products wait for it, and building a query from the models would take longer than running it.
_FIRST = """
(
    SELECT max(first.id) FROM billing_subscription first
    WHERE first.external_id = subscription.external_id AND first.previous_id IS NULL AND first.id <= subscription.id
)"""

_ONE = """
    SELECT subscription.id, version.plan_id, {first} AS first_id
    FROM billing_subscription subscription JOIN catalog_planversion version ON version.id = subscription.plan_version_id
    WHERE subscription.external_id = %(external_id)s AND subscription.status = %(status)s
    ORDER BY subscription.created_at DESC, subscription.id DESC LIMIT 1"""

_MANY = """
    SELECT subscription.id, version.plan_id, {first} AS first_id
    FROM billing_subscription subscription JOIN catalog_planversion version ON version.id = subscription.plan_version_id
    WHERE subscription.id = ANY(%(ids)s)"""

# To take a privilege from a subscription gives it no feature that its plan does not give.
_ONLY_REMOVALS = """coalesce((
        SELECT bool_and(part.is_removed) FROM billing_subscriptionprivilege part WHERE part.entitlement_id = own.id
    ), false)"""

_GRANTED = """
WITH found AS MATERIALIZED ({found}
), granted AS (
    SELECT found.id, given.feature_id, given.id AS plan_entitlement_id, NULL::bigint AS own_id
    FROM found JOIN catalog_planentitlement given ON given.plan_id = found.plan_id
    UNION ALL
    SELECT found.id, own.feature_id, NULL, own.id
    FROM found JOIN billing_subscriptionentitlement own ON own.subscription_id = found.first_id
), merged AS (
    SELECT id, feature_id, max(plan_entitlement_id) AS plan_entitlement_id, max(own_id) AS own_id
    FROM granted GROUP BY id, feature_id
)
SELECT found.id, feature.code, feature.name, feature.description,
    privilege.code, privilege.name, privilege.value_type, privilege.select_options::text,
    of_plan.value::text, agreed.value::text, agreed.is_removed
FROM found
LEFT JOIN merged ON merged.id = found.id
LEFT JOIN billing_subscriptionentitlement own ON own.id = merged.own_id
LEFT JOIN catalog_feature feature
    ON feature.id = merged.feature_id AND feature.deleted_at IS NULL AND own.is_removed IS NOT TRUE
    AND (merged.plan_entitlement_id IS NOT NULL OR NOT {only_removals})
LEFT JOIN catalog_privilege privilege ON privilege.feature_id = feature.id AND privilege.deleted_at IS NULL
LEFT JOIN catalog_planprivilege of_plan
    ON of_plan.entitlement_id = merged.plan_entitlement_id AND of_plan.privilege_id = privilege.id
LEFT JOIN billing_subscriptionprivilege agreed
    ON agreed.entitlement_id = merged.own_id AND agreed.privilege_id = privilege.id
ORDER BY found.id, feature.id, privilege.id
"""
_OF_ONE = _GRANTED.format(found=_ONE.format(first=_FIRST), only_removals=_ONLY_REMOVALS)
_OF_MANY = _GRANTED.format(found=_MANY.format(first=_FIRST), only_removals=_ONLY_REMOVALS)


def current(*, external_id: str, status: str = Subscription.Status.ACTIVE) -> tuple[Entitlement, ...]:
    """Return what the newest subscription of this external id and status may use. One statement.

    Features and privileges come in the order of their making. Raises SubscriptionNotFound.
    """
    rows = statements.fetch_prepared(_OF_ONE, {"external_id": external_id, "status": str(status)})
    if not rows:
        raise SubscriptionNotFound("subscription_not_found", f"There is no {status} subscription {external_id}.")
    return _read(rows)


def of_subscriptions(ids: Collection[int]) -> Mapping[int, tuple[Entitlement, ...]]:
    """Return what subscriptions may use, by primary key. One statement for all."""
    rows = statements.fetch_prepared(_OF_MANY, {"ids": list(ids)})
    return {pk: _read([row for row in rows if row[0] == pk]) for pk in ids}


def first(subscription: Subscription) -> int:
    """Return the primary key of the first subscription of a chain, to which all that was agreed of features belongs."""
    rows = Subscription.objects.filter(
        external_id=subscription.external_id, previous__isnull=True, pk__lte=subscription.pk
    )
    return rows.order_by("-pk").values_list("pk", flat=True)[0]


def used_values(found: Sequence[Privilege]) -> Mapping[int, Mapping[str, Any]]:
    """Say which values of privileges were agreed with subscriptions, also with ended ones."""
    rows = SubscriptionPrivilege.objects.filter(privilege__in=found, is_removed=False)
    values: dict[int, list[Value]] = {one.pk: [] for one in found}
    for pk, value in rows.values_list("privilege_id", "value"):
        values[pk].append(value)
    return {pk: {"values": used} for pk, used in values.items()}


def _read(rows: Sequence[tuple[Any, ...]]) -> tuple[Entitlement, ...]:
    features: dict[str, tuple[str, str, list[Granted]]] = {}
    for _, code, name, about, *privilege in rows:
        if code is None:
            continue
        granted = features.setdefault(code, (name, about, []))[2]
        one = _privilege(privilege)
        if one is not None:
            granted.append(one)
    return tuple(Entitlement(code, name, about, tuple(granted)) for code, (name, about, granted) in features.items())


def _privilege(found: Sequence[Any]) -> Granted | None:
    code, name, kind, options, plan_value, agreed, is_removed = found
    if code is None or is_removed or (plan_value is None and agreed is None):
        return None
    definition = Definition(code, ValueType(kind), name, tuple(json.loads(options)))
    return Granted(definition, _value(plan_value), _value(agreed))


def _value(text: str | None) -> Value | None:
    found: Value | None = None if text is None else json.loads(text)
    return found
