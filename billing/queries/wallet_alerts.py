"""Alerts on wallets as readers want them, and the figure of a wallet that each of them watches. Never writes."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from django.db.models import QuerySet

from billing.domain.alerts import Threshold
from billing.domain.wallet_alerts import WalletAlertType
from billing.models import TriggeredWalletAlert, WalletAlert
from config.kernel import errors, money
from invoicing.models import Wallet


def of_wallets(wallet_ids: Collection[int]) -> QuerySet[WalletAlert]:
    """Return the alerts of wallets in the order of their making, with thresholds."""
    rows = WalletAlert.objects.filter(wallet__in=wallet_ids, deleted_at__isnull=True)
    return rows.prefetch_related("thresholds").order_by("pk")


def of_wallet(wallet: Wallet) -> QuerySet[WalletAlert]:
    """Return the alerts of a wallet in the order of their making, with thresholds."""
    return of_wallets([wallet.pk]).select_related("wallet")


def find(*, wallet: Wallet, code: str) -> WalletAlert:
    """Return an alert by its code. Raises NotFound (`alert_not_found`)."""
    found = of_wallet(wallet).filter(code=code).first()
    if found is None:
        raise errors.NotFound("alert_not_found", f"There is no alert {code}.")
    return found


def thresholds(alert: WalletAlert) -> tuple[Threshold, ...]:
    """Return the thresholds of an alert as plain values."""
    return tuple(Threshold(row.value, row.recurring, row.code) for row in alert.thresholds.all())


def triggered(wallet: Wallet) -> QuerySet[TriggeredWalletAlert]:
    """Return what the alerts of a wallet told, the latest first."""
    rows = TriggeredWalletAlert.objects.filter(alert__wallet=wallet).select_related("alert")
    return rows.order_by("-triggered_at", "-pk")


def value(wallet: Wallet, alert_type: str) -> Decimal:
    """Return the figure that an alert of this type watches: minor units of the currency, or credits."""
    match WalletAlertType(alert_type):
        case WalletAlertType.BALANCE_AMOUNT:
            return Decimal(money.to_minor(wallet.balance_amount))
        case WalletAlertType.CREDITS_BALANCE:
            return wallet.credits_balance
        case WalletAlertType.ONGOING_BALANCE_AMOUNT:
            return Decimal(money.to_minor(wallet.ongoing_balance_amount))
        case WalletAlertType.CREDITS_ONGOING_BALANCE:
            return wallet.credits_ongoing_balance
