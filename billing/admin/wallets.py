"""What this app shows and does on the page of a wallet: what usage leaves of it, its rule and what that did, alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from billing.admin.alert_verbs import AlertFields
from billing.domain.wallet_alerts import WalletAlertType
from billing.models import TopUpFiring, TriggeredWalletAlert, WalletAlert, WalletDepletion
from billing.queries import wallet_alerts as known
from billing.services import wallet_alerts
from config.kernel import errors, money, registry
from config.kernel.actors import Actor
from config.platform.admin import blocks, cells, pages
from config.platform.admin.blocks import Block, Figure, Note, Progress, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.models import RecurringTransactionRule, Wallet
from invoicing.queries import wallet_rules

_MOST = 50
_OUTCOMES = {
    TopUpFiring.Outcome.TOPPED_UP: Tone.GOOD,
    TopUpFiring.Outcome.NOTHING: Tone.NEUTRAL,
    TopUpFiring.Outcome.REFUSED: Tone.BAD,
}


def of_wallet(wallet: Wallet) -> Mapping[str, Any]:
    """The ongoing balance with a bar, the rule with its firings, the alerts with what they told."""
    found: list[Block] = [*_notes(wallet), _ongoing(wallet)]
    rule = wallet_rules.of_wallet(wallet).first()
    if rule is not None:
        found += _rule(rule)
    firings = list(TopUpFiring.objects.filter(rule__wallet=wallet).order_by("-created_at", "-pk")[:_MOST])
    if firings:
        found.append(_firings(firings))
    alerts = list(known.of_wallet(wallet))
    if alerts:
        found.append(_alerts(wallet, alerts))
    told = list(known.triggered(wallet)[:_MOST])
    if told:
        found.append(_told(told))
    return blocks.panel(*found)


def _notes(wallet: Wallet) -> list[Note]:
    if wallet.status != Wallet.Status.ACTIVE or not wallet.depleted_ongoing_balance:
        return []
    last = WalletDepletion.objects.filter(wallet=wallet).order_by("-number").first()
    since = "" if last is None else f" since {cells.instant_text(last.created_at)}"
    return [Note(f"Current usage leaves nothing of this wallet{since}.", Tone.WARN)]


def _ongoing(wallet: Wallet) -> Progress:
    used, balance = money.to_minor(wallet.ongoing_usage_amount), money.to_minor(wallet.balance_amount)
    text = f"{cells.money_text(wallet.ongoing_usage_amount)} of {cells.money_text(wallet.balance_amount)}"
    return Progress(
        f"Current usage: {text}",
        done=min(used, balance or 1),
        total=balance or 1,  # of nothing nothing is used, unless something is
        is_running=False,
        items=(
            Figure("Ongoing balance", cells.money_text(wallet.ongoing_balance_amount)),
            Figure("In credits", cells.number_text(wallet.credits_ongoing_balance)),
            Figure("As of", cells.instant(wallet.ongoing_refreshed_at)),
        ),
    )


def _rule(rule: RecurringTransactionRule) -> list[Block]:
    found: list[Block] = []
    if rule.held_until is not None:
        found.append(Note(f"A purchase was declined: it waits until {cells.instant_text(rule.held_until)}.", Tone.WARN))
    if rule.warned_at is not None:
        found.append(Note(f"It fired suspiciously often on {cells.instant_text(rule.warned_at)}.", Tone.WARN))
    return found


def _firings(rows: Sequence[TopUpFiring]) -> Table:
    return Table(
        "What the rule did",
        columns("When", "For", "Came of it", "Ongoing credits#", "Waited for payment#", "Bought#", "Given#"),
        tuple(
            Row(
                (
                    cells.instant(row.created_at),
                    cells.EMPTY if row.day is None else cells.day_text(row.day),
                    cells.stack(
                        cells.badge(row.get_outcome_display(), _OUTCOMES[TopUpFiring.Outcome(row.outcome)]), row.reason
                    ),
                    cells.number(row.ongoing_credits),
                    cells.number(row.pending_credits),
                    cells.number(row.paid_credits),
                    cells.number(row.granted_credits),
                )
            )
            for row in rows
        ),
    )


def _alerts(wallet: Wallet, rows: Sequence[WalletAlert]) -> Table:
    return Table(
        "Alerts",
        columns("Alert", "Watches", "Values", "Seen last#", "Looked at"),
        tuple(
            Row(
                (
                    cells.stack(str(row), row.code if row.name else ""),
                    row.get_alert_type_display(),
                    _thresholds(row, wallet.currency),
                    _value(row.previous_value, row.alert_type, wallet.currency),
                    cells.instant(row.last_processed_at),
                )
            )
            for row in rows
        ),
    )


def _told(rows: Sequence[TriggeredWalletAlert]) -> Table:
    return Table(
        "Told",
        columns("When", "Alert", "Fell to", "Before#", "Now#"),
        tuple(
            Row(
                (
                    cells.instant(row.triggered_at),
                    str(row),
                    ", ".join(_value(Decimal(one["value"]), row.alert_type, row.currency) for one in row.crossed[:5]),
                    _value(row.previous_value, row.alert_type, row.currency),
                    _value(row.current_value, row.alert_type, row.currency),
                )
            )
            for row in rows
        ),
    )


def _thresholds(alert: WalletAlert, currency: str) -> str:
    texts = [(_value(one.value, alert.alert_type, currency), one.recurring) for one in known.thresholds(alert)]
    return ", ".join(f"every {text} below" if recurring else text for text, recurring in texts)


def _value(found: Decimal, alert_type: str, currency: str) -> str:
    if WalletAlertType(alert_type).is_of_amount:
        return cells.money_text(money.from_minor(int(found), currency))
    return cells.number_text(found)


class WalletAlertForm(AlertFields):
    """What to watch of a wallet, and its values."""

    aliases = {"base": "alert_type"}
    sections = (("", ("alert_type", "code", "name", "thresholds", "step")),)

    alert_type = forms.ChoiceField(label="Watches", choices=WalletAlert.Type.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["step"].help_text = "Counted down from the lowest of the values, or from nothing."

    def kind(self, cleaned: Mapping[str, Any]) -> WalletAlertType:
        """Return what the alert watches."""
        return WalletAlertType(cleaned.get("alert_type") or WalletAlertType.BALANCE_AMOUNT)


class AddWalletAlert(ObjectVerb):
    """Watch a wallet."""

    name = "add_alert"
    label = "Add alert"
    icon = "notification_add"
    permission = "invoicing.change_wallet"
    explanation = "Tells when the balance falls to a value, within a minute or so. It starts from the present balance."
    confirm = "Add the alert"

    def check(self, *, instance: Wallet, at: datetime) -> None:
        """It has to be active."""
        if instance.status != Wallet.Status.ACTIVE:
            raise errors.NotAllowed("wallet_not_active", "The wallet is terminated.")

    def form(self, *, data: Any, instance: Wallet, at: datetime) -> VerbForm:
        """What to watch."""
        return WalletAlertForm(data, currency=instance.currency)

    def perform(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        wanted: Any = {name: values[name] for name in ("alert_type", "code", "name")}
        wanted["thresholds"] = values["found"]
        alert = wallet_alerts.create(wallet=instance, values=wanted, actor=actor, at=at)
        return Outcome(f"The alert {alert} was added.", cells.page_url(instance))


class DeleteAlertForm(VerbForm):
    """Which alert."""

    alert = forms.ChoiceField(choices=())


class DeleteWalletAlert(ObjectVerb):
    """Watch it no more."""

    name = "delete_alert"
    label = "Delete alert"
    icon = "notifications_off"
    permission = "invoicing.change_wallet"
    explanation = "It tells nothing any more; what it told stays."
    confirm = "Delete the alert"

    def check(self, *, instance: Wallet, at: datetime) -> None:
        """There has to be one."""
        if not known.of_wallet(instance).exists():
            raise errors.NotAllowed("alert_not_found", "The wallet has no alert.")

    def form(self, *, data: Any, instance: Wallet, at: datetime) -> VerbForm:
        """With its alerts."""
        form = DeleteAlertForm(data)
        rows = known.of_wallet(instance)
        form.fields["alert"].choices = [(row.code, str(row)) for row in rows]  # type: ignore[attr-defined]
        return form

    def perform(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Delete it."""
        wallet_alerts.delete(wallet=instance, code=values["alert"], actor=actor, at=at)
        return Outcome("The alert was deleted.", cells.page_url(instance))


registry.register_panel("invoicing.wallet", of_wallet)
pages.extend(Wallet, AddWalletAlert(), DeleteWalletAlert())
