"""What people do about alerts and spend caps in the admin: adding, changing and deleting an alert, setting a cap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from moneyed import Money

from billing.domain.alerts import AlertType
from billing.domain.wallet_alerts import WalletAlertType
from billing.models import Subscription, UsageAlert
from billing.queries import alerts as known
from billing.services import spend_caps, usage_alerts
from catalog.models import BillableMetric
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Note
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome

LIVING = (Subscription.Status.PENDING, Subscription.Status.ACTIVE, Subscription.Status.PAUSED)
_MOST = Decimal(10) ** 13


class AlertFields(VerbForm):
    """Name and values of an alert. Amounts are in major units of the currency."""

    aliases = {"billable_metric": "metric", "base": "alert_type"}

    code = forms.CharField(label="Code", max_length=255)
    name = forms.CharField(label="Name", max_length=255, required=False)
    thresholds = forms.CharField(
        label="Values",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One for each line: the amount or the number of units, and a code for it if it has one.",
    )
    step = forms.CharField(
        label="And again every", required=False, help_text="Counted from the highest of the values, or from nothing."
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def kind(self, cleaned: Mapping[str, Any]) -> AlertType | WalletAlertType:
        """Return what the alert watches."""
        return AlertType(cleaned.get("alert_type") or AlertType.CURRENT_USAGE_AMOUNT)

    def clean(self) -> dict[str, Any]:
        """Read the values."""
        cleaned = super().clean() or self.cleaned_data
        kind = self.kind(cleaned)
        found = [
            self._threshold("thresholds", line, kind)
            for line in str(cleaned.get("thresholds") or "").splitlines()
            if line.strip()
        ]
        if str(cleaned.get("step") or "").strip():
            found.append({**self._threshold("step", str(cleaned["step"]), kind), "recurring": True})
        cleaned["found"] = found
        return cleaned

    def _threshold(self, field: str, line: str, kind: AlertType | WalletAlertType) -> dict[str, Any]:
        text, _, code = line.strip().partition(" ")
        try:
            value = Decimal(text.replace(",", "."))
            if not 0 < value < _MOST or abs(int(value.as_tuple().exponent)) > 15:
                raise InvalidOperation
            if kind.is_of_amount:
                value = Decimal(money.to_minor(Money(value, self.currency)))
        except (InvalidOperation, ValueError):
            self.add_error(field, f"{text} is no value above nothing.")
            value = Decimal(1)
        except errors.Invalid as refusal:
            self.add_error(field, refusal.message)
            value = Decimal(1)
        return {"value": value, "code": code.strip()[:255]}


class NewAlertForm(AlertFields):
    """What to watch, and its values."""

    sections = (("", ("alert_type", "metric", "code", "name", "thresholds", "step")),)

    alert_type = forms.ChoiceField(label="Watches", choices=UsageAlert.Type.choices)
    metric = forms.ModelChoiceField(
        label="Metric",
        required=False,
        queryset=BillableMetric.objects.none(),
        to_field_name="code",
        help_text="For what is watched of one metric.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["metric"]
        field.queryset = BillableMetric.objects.filter(deleted_at__isnull=True).order_by("name")


class AddAlert(ObjectVerb):
    """Watch a subscription's usage."""

    name = "add_alert"
    label = "Add alert"
    icon = "notification_add"
    permission = "billing.change_subscription"
    explanation = (
        "Tells when the usage reaches a value, within a minute or so. It starts from nothing, so what is used already "
        "is told at once. It stays through changes of plan."
    )
    confirm = "Add the alert"

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """One that is over has no usage to come."""
        _demand_living(instance)

    def form(self, *, data: Any, instance: Subscription, at: datetime) -> VerbForm:
        """What to watch."""
        return NewAlertForm(data, currency=instance.plan_version.currency)

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        metric = values["metric"]
        wanted: Any = {
            "alert_type": values["alert_type"],
            "code": values["code"],
            "name": values["name"],
            "billable_metric_code": "" if metric is None else metric.code,
            "thresholds": values["found"],
        }
        alert = usage_alerts.create(subscription=instance, values=wanted, actor=actor, at=at)
        return Outcome(f"The alert {alert} was added.")


class ChangeAlert(ObjectVerb):
    """Change an alert."""

    name = "change_alert"
    label = "Change"
    icon = "edit"
    permission = "billing.change_subscription"
    explanation = "What it watches stays. Values below what was seen last are told when they are reached again."
    confirm = "Save"

    def check(self, *, instance: UsageAlert, at: datetime) -> None:
        """One that is deleted stays as it was; one needs a subscription."""
        _subscription(instance)

    def form(self, *, data: Any, instance: UsageAlert, at: datetime) -> VerbForm:
        """The alert as it is."""
        currency = _subscription(instance).plan_version.currency
        return _ChangeForm(
            data, initial=_initial(instance, currency), currency=currency, watched=AlertType(instance.alert_type)
        )

    def perform(self, *, instance: UsageAlert, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        wanted: Any = {"code": values["code"], "name": values["name"], "thresholds": values["found"]}
        usage_alerts.update(subscription=_subscription(instance), code=instance.code, values=wanted, actor=actor, at=at)
        return Outcome("The alert was saved.")


class _ChangeForm(AlertFields):
    """An alert whose kind stays."""

    def __init__(self, *args: Any, watched: AlertType, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.watched = watched

    def kind(self, cleaned: Mapping[str, Any]) -> AlertType:
        """Return what it watches already."""
        return self.watched


class DeleteAlert(ObjectVerb):
    """Delete an alert."""

    name = "delete_alert"
    label = "Delete"
    icon = "delete"
    permission = "billing.change_subscription"
    explanation = "It tells nothing any more. What it told is kept."
    confirm = "Delete the alert"

    def check(self, *, instance: UsageAlert, at: datetime) -> None:
        """One that is deleted stays so."""
        _subscription(instance)

    def perform(self, *, instance: UsageAlert, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Delete it."""
        subscription = _subscription(instance)
        usage_alerts.delete(subscription=subscription, code=instance.code, actor=actor, at=at)
        return Outcome(f"The alert {instance} was deleted.", cells.page_url(subscription))


class CapForm(VerbForm):
    """The amount."""

    aliases = {"amount_cents": "amount"}

    amount = forms.CharField(
        label="Usage for each billing period", required=False, help_text="Net. Empty: there is no cap."
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean_amount(self) -> int | None:
        """Return minor units, or nothing."""
        text = str(self.cleaned_data.get("amount") or "").strip()
        if not text:
            return None
        try:
            amount = Decimal(text.replace(",", "."))
            if not 0 < amount < _MOST:
                raise InvalidOperation
            return money.to_minor(Money(amount, self.currency))
        except InvalidOperation:
            raise forms.ValidationError(f"{text} is no amount above nothing.") from None
        except errors.Invalid as refusal:
            raise forms.ValidationError(refusal.message) from None


class SetSpendCap(ObjectVerb):
    """Agree on a spend cap, or give it up."""

    name = "spend_cap"
    label = "Spend cap"
    icon = "data_usage"
    permission = "billing.change_subscription"
    explanation = (
        "Who sends usage is told once the usage of a period reaches the cap. Nothing is refused: usage beyond it is "
        "taken in and billed as always."
    )
    confirm = "Save"

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """One that is over has no usage to come."""
        _demand_living(instance)

    def form(self, *, data: Any, instance: Subscription, at: datetime) -> VerbForm:
        """The cap as it is."""
        cap = known.cap(instance)
        currency = instance.plan_version.currency
        amount = "" if cap is None else f"{money.from_minor(cap.amount_cents, currency).amount:f}"
        return CapForm(data, initial={"amount": amount}, currency=currency)

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """The currency."""
        return (Note(f"In {instance.plan_version.currency}, the currency of the plan."),)

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Set it."""
        if values["amount"] is not None:
            spend_caps.agree(subscription=instance, amount_cents=values["amount"], actor=actor, at=at)
            return Outcome("The spend cap was saved.")
        if known.cap(instance) is not None:
            spend_caps.give_up(subscription=instance, actor=actor, at=at)
        return Outcome("There is no spend cap now.")


def _demand_living(subscription: Subscription) -> None:
    if subscription.status not in LIVING:
        raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")


def _subscription(alert: UsageAlert) -> Subscription:
    """Return the newest subscription that an alert goes for. Raises NotAllowed for a deleted alert, or without one."""
    found = known.subscription_of(alert)
    if alert.deleted_at is not None or found is None:
        raise errors.NotAllowed("alert_not_active", "This alert was deleted.")
    return found


def _initial(alert: UsageAlert, currency: str) -> Mapping[str, str]:
    lines: dict[bool, list[str]] = {False: [], True: []}
    for one in known.thresholds(alert):
        shown = value_text(one.value, AlertType(alert.alert_type), currency)
        lines[one.recurring].append(f"{shown} {one.code}".strip())
    return {
        "code": alert.code,
        "name": alert.name,
        "thresholds": "\n".join(lines[False]),
        "step": "\n".join(lines[True]),
    }


def value_text(value: Decimal, kind: AlertType, currency: str) -> str:
    """Return a value as people write it: major units of the currency, or units."""
    if kind.is_of_amount:
        value = value.scaleb(-money.exponent(currency))
    return f"{value.normalize():f}"
