"""Alerts on wallets: making, changing and deleting them. Owns these rows; holding wallets against them is
`wallet_alert_checks`'.

The wallet is the lock: nobody looks at half a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.domain import alerts, wallet_alerts
from billing.domain.alerts import Threshold
from billing.models import WalletAlert, WalletAlertThreshold
from billing.queries import wallet_alerts as known
from billing.services.usage_alerts import AlertValues, RefusedAlerts, ThresholdValues
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness
from invoicing.models import Wallet
from invoicing.queries import wallets


@transaction.atomic
def create(*, wallet: Wallet, values: AlertValues, actor: Actor, at: datetime) -> WalletAlert:
    """Make an alert of a wallet. It starts from the present value: what is below a threshold already is not told.

    Raises InvalidAlert (`alert_already_exists` for a second one of a type, `value_already_exist` for a code that is
    taken, and those of its thresholds), NotAllowed (`wallet_not_active`).
    """
    return _create(_active(wallet), values, actor, at)


@transaction.atomic
def create_many(*, wallet: Wallet, values: Sequence[AlertValues], actor: Actor, at: datetime) -> list[WalletAlert]:
    """Make several alerts of a wallet, all or none. Raises RefusedAlerts with all that is refused, NotAllowed."""
    held = _active(wallet)
    made: list[WalletAlert] = []
    refused: dict[int, Mapping[str, Sequence[str]]] = {}
    for position, one in enumerate(values):
        try:
            made.append(_create(held, one, actor, at))
        except errors.Invalid as refusal:
            refused[position] = refusal.details
    if refused:
        raise RefusedAlerts(refused)
    return made


@transaction.atomic
def update(*, wallet: Wallet, code: str, values: AlertValues, actor: Actor, at: datetime) -> WalletAlert:
    """Change an alert: code, name, thresholds (the full list). What it watches stays, and so does what was seen last.

    Sending what is there changes nothing. Raises as `create` does, and NotFound (`alert_not_found`).
    """
    held = _active(wallet)
    found = known.find(wallet=held, code=code)
    alert = WalletAlert.objects.select_for_update(no_key=True).get(pk=found.pk)
    old = facts(alert)
    if values.get("alert_type", alert.alert_type) != alert.alert_type:
        raise alerts.refused("alert_type", "invalid_type", "What an alert watches stays; make another one.")
    _demand_no_metric(values)
    alert.code = values.get("code", alert.code)
    alert.name = values.get("name", alert.name)
    _demand_code(alert.code)
    wanted = _thresholds(values["thresholds"]) if "thresholds" in values else None
    _demand_free(held, alert)
    with _told():
        alert.updated_at = at
        alert.save(update_fields=["code", "name", "updated_at"])
    if wanted is not None and set(wanted) != set(known.thresholds(alert)):
        _set(alert, wanted, at)
    if facts(alert) != old:
        audit.record(actor=actor, at=at, verb="change_alert", instance=held, old=old, new=facts(alert))
    return known.find(wallet=held, code=alert.code)


@transaction.atomic
def delete(*, wallet: Wallet, code: str, actor: Actor, at: datetime) -> WalletAlert:
    """Delete an alert and return it; what it told is kept. Raises NotFound (`alert_not_found`)."""
    held = wallets.locked(wallet.pk)
    found = known.find(wallet=held, code=code)
    _delete(held, [found], actor, at)
    return found


@transaction.atomic
def delete_all(*, wallet: Wallet, actor: Actor, at: datetime) -> int:
    """Delete all alerts of a wallet and return how many. Calling it again deletes nothing."""
    held = wallets.locked(wallet.pk)
    found = list(known.of_wallet(held))
    _delete(held, found, actor, at)
    return len(found)


def facts(alert: WalletAlert) -> dict[str, Any]:
    """Return what the audit trail tells of an alert."""
    rows = WalletAlertThreshold.objects.filter(alert=alert).order_by("recurring", "-value")
    return {
        "alert": alert.code,
        "name": alert.name,
        "alert_type": alert.alert_type,
        "thresholds": [
            {"code": row.code, "value": format(row.value.normalize(), "f"), "recurring": row.recurring} for row in rows
        ],
    }


def _active(wallet: Wallet) -> Wallet:
    held = wallets.locked(wallet.pk)
    if held.status != Wallet.Status.ACTIVE:
        raise errors.NotAllowed("wallet_not_active", "The wallet is terminated.")
    return held


def _create(wallet: Wallet, values: AlertValues, actor: Actor, at: datetime) -> WalletAlert:
    kind = wallet_alerts.alert_type(values.get("alert_type", ""))
    _demand_no_metric(values)
    _demand_code(values.get("code", ""))
    wanted = _thresholds(values.get("thresholds", ()))
    alert = WalletAlert(
        created_at=at,
        updated_at=at,
        wallet=wallet,
        alert_type=kind,
        code=values.get("code", ""),
        name=values.get("name", ""),
        previous_value=known.value(wallet, kind),
    )
    _demand_free(wallet, alert)
    with _told():
        alert.save(force_insert=True)
    _set(alert, wanted, at)
    audit.record(actor=actor, at=at, verb="add_alert", instance=wallet, new=facts(alert))
    return known.find(wallet=wallet, code=alert.code)


def _demand_no_metric(values: AlertValues) -> None:
    if values.get("billable_metric_code"):
        raise alerts.refused("billable_metric", "value_is_invalid", "An alert on a wallet has no metric.")


def _demand_code(code: str) -> None:
    if not code.strip():
        raise alerts.refused("code", "value_is_mandatory", "An alert has a code.")


def _thresholds(values: Sequence[ThresholdValues]) -> tuple[Threshold, ...]:
    found = tuple(
        Threshold(one.get("value", Decimal(-1)), recurring=one.get("recurring", False), code=one.get("code", ""))
        for one in values
    )
    wallet_alerts.demand_good(found)
    return found


def _demand_free(wallet: Wallet, alert: WalletAlert) -> None:
    others = known.of_wallet(wallet).exclude(pk=alert.pk)
    alerts.demand_free(
        code=alert.code,
        watches=alert.alert_type,
        others=((one.code, one.alert_type, str(one)) for one in others),
    )


def _told() -> Any:
    return uniqueness.told(billing_wallet_alert_code="code", billing_wallet_alert_type="alert_type")


def _set(alert: WalletAlert, wanted: Sequence[Threshold], at: datetime) -> None:
    WalletAlertThreshold.objects.filter(alert=alert).delete()
    WalletAlertThreshold.objects.bulk_create(
        WalletAlertThreshold(created_at=at, alert=alert, code=one.code, value=one.value, recurring=one.recurring)
        for one in wanted
    )


def _delete(wallet: Wallet, found: Sequence[WalletAlert], actor: Actor, at: datetime) -> None:
    for alert in found:
        audit.record(actor=actor, at=at, verb="delete_alert", instance=wallet, old=facts(alert))
    WalletAlert.objects.filter(pk__in=[alert.pk for alert in found]).update(deleted_at=at, updated_at=at)
