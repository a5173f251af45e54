"""What can be done about rules that top up a wallet: agree on one, end it. Each verb makes one service call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms

from config.kernel import dates, errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Fact, Facts
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.models import RecurringTransactionRule, Wallet
from invoicing.queries import wallet_rules as known
from invoicing.services import wallet_rules
from invoicing.services.wallet_rules import RuleValues

Rule = RecurringTransactionRule

_CREDITS: dict[str, Any] = {"required": False, "min_value": 0, "max_digits": 30, "decimal_places": 5}


class RuleForm(VerbForm):
    """When the wallet is topped up, and by how much."""

    aliases = {"recurring_transaction_rules": "trigger"}
    sections = (
        ("When", ("trigger", "interval", "threshold_credits", "starts_on", "ends_on")),
        ("How much", ("method", "paid_credits", "granted_credits", "target_ongoing_balance", "grants_target_top_up")),
        ("The purchase", ("transaction_name", "purchase_order_number", "waits", "ignores_limits")),
    )

    trigger = forms.ChoiceField(label="Tops up", choices=Rule.Trigger.choices)
    interval = forms.ChoiceField(choices=Rule.Interval.choices, required=False)
    threshold_credits = forms.DecimalField(
        label="Threshold", help_text="Credits: it tops up when the ongoing balance falls to them.", **_CREDITS
    )
    starts_on = forms.DateField(
        required=False,
        help_text="Intervals are counted from this day; without it from today, tomorrow at the earliest.",
    )
    ends_on = forms.DateField(required=False, help_text="The rule ends when this day begins.")
    method = forms.ChoiceField(label="By", choices=Rule.Method.choices)
    paid_credits = forms.DecimalField(label="Buy credits", **_CREDITS)
    granted_credits = forms.DecimalField(label="Give credits", **_CREDITS)
    target_ongoing_balance = forms.DecimalField(
        label="Target", help_text="Credits: the ongoing balance that it tops up to.", **_CREDITS
    )
    grants_target_top_up = forms.BooleanField(label="Give what lacks to the target", required=False)
    transaction_name = forms.CharField(label="Name", max_length=255, required=False, help_text="Said on the invoice.")
    purchase_order_number = forms.CharField(max_length=255, required=False)
    waits = forms.BooleanField(label="Issue the invoice only once it is paid", required=False)
    ignores_limits = forms.BooleanField(label="Ignore the limits of the wallet", required=False)


class AgreeRule(ObjectVerb):
    """Agree on the rule that tops up a wallet."""

    name = "agree_rule"
    label = "Top-up rule"
    icon = "autorenew"
    permission = "invoicing.change_wallet"
    explanation = (
        "Tops up the wallet by itself: every interval, or when current usage lets it fall to a threshold. What is "
        "bought is invoiced like any purchase. A wallet has one rule at most."
    )
    confirm = "Save the rule"
    form_class = RuleForm

    def check(self, *, instance: Wallet, at: datetime) -> None:
        """It has to be active."""
        _demand_active(instance)

    def initial(self, *, instance: Wallet, at: datetime) -> Mapping[str, Any]:
        """As it is now."""
        rule = known.of_wallet(instance).first()
        if rule is None:
            return {"waits": instance.invoice_requires_successful_payment}
        zone = dates.zone(instance.customer.applicable_timezone)
        fields = ("trigger", "interval", "method", "grants_target_top_up", "transaction_name", "purchase_order_number")
        numbers = ("threshold_credits", "paid_credits", "granted_credits", "target_ongoing_balance")
        return {
            **{field: getattr(rule, field) for field in fields},
            **{field: getattr(rule, field) or None for field in numbers},
            "starts_on": None if rule.started_at is None else dates.local_date(rule.started_at, zone),
            "ends_on": None if rule.expiration_at is None else dates.local_date(rule.expiration_at, zone),
            "waits": rule.invoice_requires_successful_payment,
            "ignores_limits": rule.ignore_paid_top_up_limits,
        }

    def perform(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Save it: the rule that is there is changed."""
        zone = dates.zone(instance.customer.applicable_timezone)
        by_interval = values["trigger"] == Rule.Trigger.INTERVAL
        given: RuleValues = {
            "trigger": values["trigger"],
            "interval": values["interval"] if by_interval else "",
            "method": values["method"],
            "threshold_credits": values["threshold_credits"] or Decimal(0),
            "paid_credits": values["paid_credits"] or Decimal(0),
            "granted_credits": values["granted_credits"] or Decimal(0),
            "target_ongoing_balance": values["target_ongoing_balance"],
            "grants_target_top_up": values["grants_target_top_up"],
            "transaction_name": values["transaction_name"],
            "purchase_order_number": values["purchase_order_number"],
            "invoice_requires_successful_payment": values["waits"],
            "ignore_paid_top_up_limits": values["ignores_limits"],
        }
        before = self.initial(instance=instance, at=at)
        for field, name in (("started_at", "starts_on"), ("expiration_at", "ends_on")):
            day = values[name]
            if day != before.get(name):
                given[field] = None if day is None else dates.start_of_day(day, zone)  # type: ignore[literal-required]
        rule = known.of_wallet(instance).first()
        if rule is not None:
            given["lago_id"] = rule.uuid
        wallet_rules.agree(wallet_id=instance.pk, values=[given], actor=actor, at=at)
        return Outcome("The rule was saved.", cells.page_url(instance))


class EndRule(ObjectVerb):
    """End the rule that tops up a wallet."""

    name = "end_rule"
    label = "End the top-up rule"
    icon = "sync_disabled"
    permission = "invoicing.change_wallet"
    explanation = "The wallet is not topped up by itself any more. What the rule bought stays."
    confirm = "End the rule"

    def check(self, *, instance: Wallet, at: datetime) -> None:
        """There has to be one."""
        _demand_active(instance)
        if not known.of_wallet(instance).exists():
            raise errors.NotAllowed("recurring_transaction_rule_not_found", "The wallet has no rule.")

    def preview(self, *, instance: Wallet, at: datetime) -> Sequence[Block]:
        """Which one."""
        rule = known.of_wallet(instance).first()
        return () if rule is None else (Facts("The rule", facts(rule)),)

    def perform(self, *, instance: Wallet, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """End it."""
        wallet_rules.agree(wallet_id=instance.pk, values=(), actor=actor, at=at)
        return Outcome("The rule was ended.", cells.page_url(instance))


def block(wallet: Wallet) -> tuple[Facts, ...]:
    """The rule that tops up a wallet, where there is one."""
    rule = known.of_wallet(wallet).first()
    return () if rule is None else (Facts("Top-up rule", facts(rule)),)


def facts(rule: RecurringTransactionRule) -> tuple[Fact, ...]:
    """What was agreed on."""
    when = rule.get_interval_display() if rule.interval else f"at {cells.number_text(rule.threshold_credits)} credits"
    return (
        Fact("Tops up", when),
        Fact("By", amount(rule)),
        Fact("Starts", cells.instant(rule.started_at)),
        Fact("Ends", cells.instant(rule.expiration_at)),
        Fact("Limits of the wallet", "ignored" if rule.ignore_paid_top_up_limits else "respected"),
        Fact("Invoices are issued", "once paid" if rule.invoice_requires_successful_payment else "at once"),
    )


def amount(rule: RecurringTransactionRule) -> str:
    """How much a rule adds, in words."""
    if rule.method == Rule.Method.TARGET and rule.target_ongoing_balance is not None:
        verb = "gives" if rule.grants_target_top_up else "buys"
        return f"{verb} what lacks to {cells.number_text(rule.target_ongoing_balance)} credits"
    parts = [
        f"{verb} {cells.number_text(number)}"
        for verb, number in (("buys", rule.paid_credits), ("gives", rule.granted_credits))
        if number
    ]
    return f"{' and '.join(parts)} credits"


def _demand_active(wallet: Wallet) -> None:
    if wallet.status != Wallet.Status.ACTIVE:
        raise errors.NotAllowed("wallet_not_active", "The wallet is terminated.")
