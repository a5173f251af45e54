"""The forms of coupons: making and changing one, and giving one to a customer. Owns how they are filled in and read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from moneyed import Money

from catalog.models import BillableMetric, Coupon, Plan
from catalog.services.coupons import CouponValues
from config.kernel import dates, errors, money
from config.platform.admin import cells
from config.platform.admin.forms import VerbForm, told
from customers.services.applied_coupons import OwnTerms

HUNDRED = Decimal(100)
_ALIASES = {
    "coupon_type": "kind",
    "amount_cents": "amount",
    "amount_currency": "currency",
    "percentage_rate": "rate",
    "expiration_at": "last_day",
    "reusable": "is_reusable",
}
_CURRENCIES = [(code, code) for code in money.currencies()]
_MOMENT = timedelta(microseconds=1)


class CouponTextForm(VerbForm):
    """What may be changed of every coupon."""

    aliases = _ALIASES

    name = forms.CharField(max_length=255, help_text="As invoices name it.")
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    last_day = forms.DateField(
        label="Last day", required=False, help_text="From the day after it takes off nothing. Empty: no end."
    )


class CouponForm(CouponTextForm):
    """What a coupon is made of. ``money`` is its amount, checked against the currency's digits."""

    sections = (
        ("Coupon", ("name", "code", "description")),
        ("What it takes off", ("kind", "amount", "currency", "rate")),
        ("How often", ("frequency", "frequency_duration", "last_day", "is_reusable")),
        ("Limits", ("plans", "metrics")),
    )

    code = forms.CharField(max_length=255, help_text="By which the API knows it.")
    kind = forms.ChoiceField(label="Kind", choices=Coupon.Kind.choices)
    amount = forms.DecimalField(label="Amount", required=False, min_value=0, max_digits=15, decimal_places=4)
    currency = forms.ChoiceField(choices=_CURRENCIES, initial="EUR")
    rate = forms.DecimalField(
        label="Percent", required=False, min_value=0, max_value=100, max_digits=9, decimal_places=6
    )
    frequency = forms.ChoiceField(label="Used", choices=Coupon.Frequency.choices)
    frequency_duration = forms.IntegerField(label="Number of invoices", required=False, min_value=1)
    is_reusable = forms.BooleanField(
        label="A customer may get it again", required=False, initial=True, help_text="Else once, whenever that was."
    )
    plans = forms.ModelMultipleChoiceField(
        Plan.objects.filter(deleted_at__isnull=True).order_by("name"),
        required=False,
        help_text="It lowers what is billed of these plans alone.",
    )
    metrics = forms.ModelMultipleChoiceField(
        BillableMetric.objects.filter(deleted_at__isnull=True).order_by("name"),
        required=False,
        help_text="It lowers the usage of these metrics alone. Not together with plans.",
    )

    def clean(self) -> dict[str, Any]:
        """Refuse digits that the currency does not have, and what the kind does not go with."""
        cleaned = super().clean() or self.cleaned_data
        _money(self, cleaned)
        return cleaned


class ApplyCouponForm(VerbForm):
    """Which coupon a customer gets, and on which terms of its own."""

    sections = (
        ("Coupon", ("coupon",)),
        ("Terms of this customer alone", ("amount", "currency", "rate", "frequency", "frequency_duration")),
    )
    aliases = {**_ALIASES, "amount_currency": "currency"}

    coupon = forms.ModelChoiceField(Coupon.objects.none())
    amount = forms.DecimalField(
        label="Amount", required=False, min_value=0, max_digits=15, decimal_places=4, help_text="Empty: the coupon's."
    )
    currency = forms.ChoiceField(choices=[("", "the coupon's"), *_CURRENCIES], required=False)
    rate = forms.DecimalField(
        label="Percent",
        required=False,
        min_value=0,
        max_value=100,
        max_digits=9,
        decimal_places=6,
        help_text="Empty: the coupon's.",
    )
    frequency = forms.ChoiceField(
        label="Used", choices=[("", "as the coupon says"), *Coupon.Frequency.choices], required=False
    )
    frequency_duration = forms.IntegerField(label="Number of invoices", required=False, min_value=1)

    def clean(self) -> dict[str, Any]:
        """Refuse digits that the currency does not have."""
        cleaned = super().clean() or self.cleaned_data
        coupon = cleaned.get("coupon")
        if cleaned.get("amount") is not None and coupon is not None:
            currency = cleaned.get("currency") or coupon.currency
            if currency:
                _checked(self, cleaned, currency)
            else:
                self.add_error("amount", "The coupon is a percentage.")
        return cleaned


def coupon_values(cleaned: Mapping[str, Any], *, expires_at: datetime | None) -> CouponValues:
    """The filled-in form as the service takes it: the rate is a fraction."""
    is_fixed = cleaned["kind"] == Coupon.Kind.FIXED_AMOUNT
    amount = cleaned.get("money") if is_fixed else None
    rate = None if is_fixed or cleaned["rate"] is None else cleaned["rate"] / HUNDRED
    return CouponValues(
        code=cleaned["code"],
        name=cleaned["name"],
        description=cleaned["description"],
        kind=cleaned["kind"],
        amount_cents=None if amount is None else money.to_minor(amount),
        amount_currency=cleaned["currency"] if is_fixed else "",
        rate=rate,
        frequency=cleaned["frequency"],
        frequency_duration=cleaned["frequency_duration"],
        expires_at=expires_at,
        is_reusable=cleaned["is_reusable"],
        plan_codes=[plan.code for plan in cleaned["plans"]],
        metric_codes=[metric.code for metric in cleaned["metrics"]],
    )


def own_terms(cleaned: Mapping[str, Any]) -> OwnTerms:
    """The terms of one customer as the service takes them."""
    amount = cleaned.get("money")
    return OwnTerms(
        amount_cents=None if amount is None else money.to_minor(amount),
        amount_currency=cleaned["currency"],
        rate=None if cleaned["rate"] is None else cleaned["rate"] / HUNDRED,
        frequency=cleaned["frequency"],
        frequency_duration=cleaned["frequency_duration"],
    )


def coupon_initial(coupon: Coupon) -> Mapping[str, Any]:
    """A coupon as the form shows it."""
    return {
        "name": coupon.name,
        "code": coupon.code,
        "description": coupon.description,
        "kind": coupon.kind,
        "amount": None if coupon.amount is None else money.rounded(coupon.amount).amount,
        "currency": coupon.currency or "EUR",
        "rate": None if coupon.rate is None else f"{(coupon.rate * HUNDRED).normalize():f}",
        "frequency": coupon.frequency,
        "frequency_duration": coupon.frequency_duration,
        "last_day": last_day(coupon.expires_at),
        "is_reusable": coupon.is_reusable,
        "plans": list(coupon.plans.all()),
        "metrics": list(coupon.metrics.all()),
    }


def last_day(expires_at: datetime | None) -> Any:
    """The last day on which something may be used, in the installation's time zone."""
    return None if expires_at is None else dates.local_date(expires_at - _MOMENT, _zone())


def end_after(day: Any, *, known: datetime | None = None) -> datetime | None:
    """The end of a day in the installation's time zone; a moment ``known`` that is on it stays."""
    if day is None:
        return None
    if known is not None and last_day(known) == day:
        return known
    return dates.start_of_day(day + timedelta(days=1), _zone())


def worth(row: Any) -> str:
    """What a coupon, or one that a customer has, takes off: "€10.00" or "10%"."""
    return cells.percent_text(row.rate) if row.amount is None else cells.money_text(row.amount)


def often(row: Any) -> str:
    """How often a coupon, or one that a customer has, is used."""
    if row.frequency == Coupon.Frequency.RECURRING:
        return f"on {row.frequency_duration} invoice{'' if row.frequency_duration == 1 else 's'}"
    return str(row.get_frequency_display())


def _money(form: VerbForm, cleaned: dict[str, Any]) -> None:
    if cleaned.get("kind") == Coupon.Kind.FIXED_AMOUNT and cleaned.get("amount") is not None:
        _checked(form, cleaned, cleaned["currency"])


def _checked(form: VerbForm, cleaned: dict[str, Any], currency: str) -> None:
    cleaned["money"] = Money(cleaned["amount"], currency)
    try:
        money.to_minor(cleaned["money"])
    except errors.Invalid as refusal:
        form.add_error("amount", told(refusal))


def _zone() -> Any:
    return dates.zone(timezone.get_current_timezone_name())
