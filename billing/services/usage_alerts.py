"""Alerts on the usage of subscriptions: making, changing and deleting them. Owns these rows; holding usage against them
is `alert_checks`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from django.db import transaction

from billing.domain import alerts
from billing.domain.alerts import AlertType, Threshold
from billing.models import AlertThreshold, Subscription, UsageAlert
from billing.queries import alerts as known
from billing.services import alert_marks
from catalog.models import BillableMetric
from catalog.queries import metrics
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness


class ThresholdValues(TypedDict, total=False):
    """A threshold as it comes in."""

    code: str
    value: Decimal
    recurring: bool


class AlertValues(TypedDict, total=False):
    """An alert as it comes in; of a change only what is to change."""

    alert_type: str
    code: str
    name: str
    billable_metric_code: str
    thresholds: Sequence[ThresholdValues]


class RefusedAlerts(errors.Invalid):
    """Some of several alerts are refused; ``by_position`` has the codes by their position, from 0."""

    def __init__(self, by_position: Mapping[int, Mapping[str, Sequence[str]]]) -> None:
        super().__init__("validation_errors", f"{len(by_position)} of the alerts are refused.")
        self.by_position = by_position


@transaction.atomic
def create(*, subscription: Subscription, values: AlertValues, actor: Actor, at: datetime) -> UsageAlert:
    """Make an alert of a subscription, for all subscriptions of its external id.

    It starts from nothing: what is used already fires it within a minute or so. Raises InvalidAlert
    (`alert_already_exists` for a second one of a type and metric, `value_already_exist` for a code that is taken, and
    those of its thresholds), NotFound (`billable_metric_not_found`).
    """
    alert_marks.hold(subscription=subscription, at=at)
    return _create(subscription, values, actor, at)


@transaction.atomic
def create_many(
    *, subscription: Subscription, values: Sequence[AlertValues], actor: Actor, at: datetime
) -> list[UsageAlert]:
    """Make several alerts of a subscription, all or none. Raises RefusedAlerts with all that is refused, NotFound."""
    alert_marks.hold(subscription=subscription, at=at)
    made: list[UsageAlert] = []
    refused: dict[int, Mapping[str, Sequence[str]]] = {}
    for position, one in enumerate(values):
        try:
            made.append(_create(subscription, one, actor, at))
        except errors.Invalid as refusal:
            refused[position] = refusal.details
    if refused:
        raise RefusedAlerts(refused)
    return made


@transaction.atomic
def update(*, subscription: Subscription, code: str, values: AlertValues, actor: Actor, at: datetime) -> UsageAlert:
    """Change an alert: code, name, metric, thresholds (the full list). What it watches stays.

    Thresholds below what was seen last are told when the value reaches them again. With another metric it starts from
    nothing. Sending what is there changes nothing. Raises as `create` does, and NotFound (`alert_not_found`).
    """
    alert_marks.hold(subscription=subscription, at=at)
    found = known.find(subscription=subscription, code=code)
    alert = UsageAlert.objects.select_related("metric").select_for_update(no_key=True, of=("self",)).get(pk=found.pk)
    old = facts(alert)
    kind = AlertType(alert.alert_type)
    if values.get("alert_type", kind) != kind:
        raise alerts.refused("alert_type", "invalid_type", "What an alert watches stays; make another one.")
    alert.code = values.get("code", alert.code)
    alert.name = values.get("name", alert.name)
    if "billable_metric_code" in values:
        metric = _metric(kind, values["billable_metric_code"])
        if metric != alert.metric:
            alert.metric, alert.previous_value, alert.subscription = metric, Decimal(0), None
            alert.period_from_at = alert.period_to_at = None
    wanted = _thresholds(values["thresholds"]) if "thresholds" in values else None
    _demand_free(subscription, alert)
    with _told():
        alert.updated_at = at
        alert.save()
    if wanted is not None and set(wanted) != set(known.thresholds(alert)):
        _set(alert, wanted, at)
    if facts(alert) != old:
        audit.record(actor=actor, at=at, verb="change_alert", instance=subscription, old=old, new=facts(alert))
    return known.find(subscription=subscription, code=alert.code)


@transaction.atomic
def delete(*, subscription: Subscription, code: str, actor: Actor, at: datetime) -> UsageAlert:
    """Delete an alert and return it; what it told is kept. Raises NotFound (`alert_not_found`)."""
    alert_marks.hold(subscription=subscription, at=at)
    found = known.find(subscription=subscription, code=code)
    _delete(subscription, [found], actor, at)
    return found


@transaction.atomic
def delete_all(*, subscription: Subscription, actor: Actor, at: datetime) -> int:
    """Delete all alerts of a subscription and return how many. Calling it again deletes nothing."""
    alert_marks.hold(subscription=subscription, at=at)
    found = list(known.of_subscription(subscription))
    _delete(subscription, found, actor, at)
    return len(found)


def facts(alert: UsageAlert) -> dict[str, Any]:
    """Return what the audit trail tells of an alert."""
    rows = AlertThreshold.objects.filter(alert=alert).order_by("recurring", "value")
    return {
        "alert": alert.code,
        "name": alert.name,
        "alert_type": alert.alert_type,
        "billable_metric": None if alert.metric is None else alert.metric.code,
        "thresholds": [
            {"code": row.code, "value": format(row.value.normalize(), "f"), "recurring": row.recurring} for row in rows
        ],
    }


def _create(subscription: Subscription, values: AlertValues, actor: Actor, at: datetime) -> UsageAlert:
    kind = alerts.alert_type(values.get("alert_type", ""))
    code = values.get("code", "")
    if not code.strip():
        raise alerts.refused("code", "value_is_mandatory", "An alert has a code.")
    wanted = _thresholds(values.get("thresholds", ()))
    alert = UsageAlert(
        created_at=at,
        updated_at=at,
        customer_id=subscription.customer_id,
        external_subscription_id=subscription.external_id,
        alert_type=kind,
        metric=_metric(kind, values.get("billable_metric_code", "")),
        code=code,
        name=values.get("name", ""),
    )
    _demand_free(subscription, alert)
    with _told():
        alert.save(force_insert=True)
    _set(alert, wanted, at)
    audit.record(actor=actor, at=at, verb="add_alert", instance=subscription, new=facts(alert))
    return known.find(subscription=subscription, code=alert.code)


def _metric(kind: AlertType, code: str) -> BillableMetric | None:
    if not kind.is_of_metric:
        if code:
            message = "An alert on all usage has no metric."
            raise alerts.refused("billable_metric", "value_is_invalid", message)
        return None
    if not code:
        raise alerts.refused("billable_metric", "value_is_mandatory", "An alert on a metric says which.")
    return metrics.by_code(code=code)


def _thresholds(values: Sequence[ThresholdValues]) -> tuple[Threshold, ...]:
    found = tuple(
        Threshold(one.get("value", Decimal(0)), recurring=one.get("recurring", False), code=one.get("code", ""))
        for one in values
    )
    alerts.demand_good(found)
    return found


def _demand_free(subscription: Subscription, alert: UsageAlert) -> None:
    others = known.of_subscription(subscription).exclude(pk=alert.pk)
    alerts.demand_free(
        code=alert.code,
        watches=(alert.alert_type, alert.metric_id),
        others=((one.code, (one.alert_type, one.metric_id), str(one)) for one in others),
    )


def _told() -> Any:
    return uniqueness.told(billing_usage_alert_code="code", billing_usage_alert_type="alert_type")


def _set(alert: UsageAlert, wanted: Sequence[Threshold], at: datetime) -> None:
    AlertThreshold.objects.filter(alert=alert).delete()
    AlertThreshold.objects.bulk_create(
        AlertThreshold(created_at=at, alert=alert, code=one.code, value=one.value, recurring=one.recurring)
        for one in wanted
    )


def _delete(subscription: Subscription, found: Sequence[UsageAlert], actor: Actor, at: datetime) -> None:
    for alert in found:
        audit.record(actor=actor, at=at, verb="delete_alert", instance=subscription, old=facts(alert))
    UsageAlert.objects.filter(pk__in=[alert.pk for alert in found]).update(deleted_at=at, updated_at=at)
