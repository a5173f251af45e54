"""Holding wallets against their alerts. Owns what fires: it is kept as a row, and what was seen last is set.

Called with the wallets locked and their ongoing balances of now. Behind the lock stands a unique key: a firing has a
number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from billing.domain import wallet_alerts
from billing.models import TriggeredWalletAlert, WalletAlert
from billing.queries import wallet_alerts as known
from billing.services import webhook_types
from config.platform.services import outbox
from invoicing.models import Wallet


def evaluate(*, wallets: Sequence[Wallet], at: datetime) -> int:
    """Hold locked wallets against their alerts and return how many fired.

    A firing tells all thresholds in the half-open move from the value that was seen last down to the present one. A
    value that grew is set silently: it may fall anew. Calling it again tells nothing.
    """
    rows: QuerySet[WalletAlert] = known.of_wallets([wallet.pk for wallet in wallets])
    watching = list(rows.select_for_update(no_key=True, of=("self",)))
    if not watching:
        return 0
    by_id = {wallet.pk: wallet for wallet in wallets}
    fired = [row for alert in watching if (row := _see(alert, by_id[alert.wallet_id], at)) is not None]
    TriggeredWalletAlert.objects.bulk_create(fired)
    WalletAlert.objects.bulk_update(watching, ["previous_value", "last_processed_at", "firings"])
    outbox.record(webhook_types.ALERT_TRIGGERED, fired, at=at)
    return len(fired)


def _see(alert: WalletAlert, wallet: Wallet, at: datetime) -> TriggeredWalletAlert | None:
    previous, current = alert.previous_value, known.value(wallet, alert.alert_type)
    alert.previous_value, alert.last_processed_at = current, at
    crossed = wallet_alerts.crossed(thresholds=known.thresholds(alert), previous=previous, current=current)
    if not crossed:
        return None
    alert.firings += 1
    return TriggeredWalletAlert(
        created_at=at,
        alert=alert,
        number=alert.firings,
        alert_type=alert.alert_type,
        alert_code=alert.code,
        alert_name=alert.name,
        currency=wallet.currency,
        previous_value=previous,
        current_value=current,
        crossed=[{"code": one.code, "value": format(one.value, "f"), "recurring": one.recurring} for one in crossed],
        triggered_at=at,
    )
