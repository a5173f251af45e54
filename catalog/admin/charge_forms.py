"""The form of a charge's price. Owns reading tiers from lines of text; what a good price is, the domain says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from moneyed import Money

from catalog.domain.pricing import groups, properties
from catalog.models import BillableMetric, Charge, Tax
from config.kernel import errors, money
from config.platform.admin.forms import VerbForm, told

TIERED = {
    Charge.Model.GRADUATED: ("graduated_ranges", "per_unit_amount"),
    Charge.Model.VOLUME: ("volume_ranges", "per_unit_amount"),
    Charge.Model.GRADUATED_PERCENTAGE: ("graduated_percentage_ranges", "rate"),
}
TIERS_HELP = (
    "For graduated and volume: one tier per line, “up to; price per unit; flat amount”, and for graduated percentage "
    "“up to; percent; flat amount”. The last one has no end: “; 0.01”. Example: “1000; 0.02; 5”."
)
PERCENTAGE = {
    "rate": "rate",
    "fixed_amount": "fixed_amount",
    "free_events": "free_units_per_events",
    "free_value": "free_units_per_total_aggregation",
    "minimum": "per_transaction_min_amount",
    "maximum": "per_transaction_max_amount",
}
"""The property behind each field of a percentage."""


class PriceForm(VerbForm):
    """Model and price of a charge; only the fields of the chosen model count."""

    sections = (
        ("Price", ("charge_model", "amount", "package_size", "free_units", "tiers", "prorated")),
        ("Percentage", tuple(PERCENTAGE)),
        ("Groups and minimum", ("group_keys", "period_minimum")),
        ("On invoices", ("invoice_display_name", "taxes")),
    )
    aliases = {"properties": "tiers", "min_amount_cents": "period_minimum"}

    charge_model = forms.ChoiceField(label="Model", choices=Charge.Model.choices)
    amount = forms.DecimalField(
        required=False, min_value=0, max_digits=30, decimal_places=15, help_text="Per unit (standard) or per package."
    )
    package_size = forms.IntegerField(required=False, min_value=1, help_text="For packages: units in one.")
    free_units = forms.IntegerField(required=False, min_value=0, help_text="For packages: units that cost nothing.")
    tiers = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": "1000; 0.02; 5\n10000; 0.015\n; 0.01"}),
        help_text=TIERS_HELP,
    )
    rate = forms.DecimalField(
        required=False, min_value=0, max_digits=30, decimal_places=15, help_text="Percent of what passes through: 1.2."
    )
    fixed_amount = forms.DecimalField(
        label="Amount per event", required=False, min_value=0, max_digits=30, decimal_places=15
    )
    free_events = forms.IntegerField(required=False, min_value=0, help_text="The first ones of a period.")
    free_value = forms.DecimalField(
        required=False, min_value=0, max_digits=30, decimal_places=15, help_text="What may pass through free of charge."
    )
    minimum = forms.DecimalField(label="Least per event", required=False, min_value=0, max_digits=30, decimal_places=15)
    maximum = forms.DecimalField(label="Most per event", required=False, min_value=0, max_digits=30, decimal_places=15)
    prorated = forms.BooleanField(
        label="By the day",
        required=False,
        help_text="Units count for the days that they are there. For metrics that stay over periods, with a standard, "
        "graduated or volume price.",
    )
    group_keys = forms.CharField(
        label="Group by",
        required=False,
        help_text="Properties of events, separated by commas: “region, provider”. Each combination of their values is "
        "priced alone, and has a line of its own.",
    )
    period_minimum = forms.DecimalField(
        label="Least per period",
        required=False,
        min_value=0,
        max_digits=15,
        decimal_places=4,
        help_text="What this charge comes to at least, in the plan's currency; the days of a shorter period count.",
    )
    invoice_display_name = forms.CharField(
        label="Name on invoices", max_length=255, required=False, help_text="Empty: the metric's name."
    )
    taxes = forms.ModelMultipleChoiceField(
        Tax.objects.filter(deleted_at__isnull=True),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Empty: the customer's taxes, or else the billing entity's.",
    )

    def clean(self) -> dict[str, Any]:
        """Ask the domain whether this is a price."""
        cleaned = super().clean() or self.cleaned_data
        model = cleaned.get("charge_model")
        if not model or self.errors:
            return cleaned
        try:
            cleaned["properties"] = {**written(cleaned), groups.KEY: _names(cleaned["group_keys"])}
            properties.parse(model=model, raw=cleaned["properties"])
        except forms.ValidationError as refusal:
            self.add_error("tiers", refusal)
        except errors.Invalid as refusal:
            self.add_error(_field_of(model), told(refusal))
        return cleaned


class NewChargeForm(PriceForm):
    """A metric and its price."""

    sections = (("Metric", ("metric",)), *PriceForm.sections)

    metric = forms.ModelChoiceField(BillableMetric.objects.filter(deleted_at__isnull=True).order_by("name"))


def written(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The price as the service takes it: decimals as text. Raises ValidationError for lines that are no tiers."""
    model = cleaned["charge_model"]
    if model in TIERED:
        key, price = TIERED[model]
        return {key: _tiers(cleaned["tiers"], price)}
    if model == Charge.Model.PERCENTAGE:
        given = {key: cleaned[field] for field, key in PERCENTAGE.items()}
        return {
            key: figure if isinstance(figure, int) else f"{figure:f}"
            for key, figure in given.items()
            if figure is not None
        }
    if model == Charge.Model.DYNAMIC:
        return {}
    amount = "" if cleaned["amount"] is None else f"{cleaned['amount']:f}"
    if model == Charge.Model.PACKAGE:
        return {
            "amount": amount,
            "package_size": cleaned["package_size"] or 0,
            "free_units": cleaned["free_units"] or 0,
        }
    return {"amount": amount}


def initial(charge: Charge) -> Mapping[str, Any]:
    """The price of a charge as the form shows it."""
    raw = charge.properties
    key, price = TIERED.get(Charge.Model(charge.charge_model), ("", ""))
    return {
        "charge_model": charge.charge_model,
        "prorated": charge.prorated,
        "amount": raw.get("amount"),
        "package_size": raw.get("package_size"),
        "free_units": raw.get("free_units"),
        "tiers": "\n".join(_line(tier, price) for tier in raw.get(key, [])),
        **{field: raw.get(key) for field, key in PERCENTAGE.items()},
        "group_keys": ", ".join(groups.parse(raw)),
        "period_minimum": money.from_minor(charge.min_amount_cents, charge.plan_version.currency).amount or None,
        "invoice_display_name": charge.invoice_display_name,
        "taxes": list(charge.taxes.all()),
    }


def minimum_cents(cleaned: Mapping[str, Any], currency: str) -> int:
    """The least per period in minor units, rounded to the currency."""
    return money.to_minor(money.rounded(Money(cleaned["period_minimum"] or 0, currency)))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _field_of(model: str) -> str:
    if model in TIERED:
        return "tiers"
    return "rate" if model == Charge.Model.PERCENTAGE else "amount"


def _tiers(text: str, price_key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    start: Any = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(";")]
        if len(parts) not in (2, 3):
            raise forms.ValidationError(f"“{line.strip()}” is not of the form “up to; price; flat amount”.")
        end, price, flat = (*parts, "0")[:3]
        found.append(
            {
                "from_value": start,
                "to_value": end or None,
                price_key: price or "0",
                "flat_amount": flat or "0",
            }
        )
        start = end
    return found


def _line(tier: Mapping[str, Any], price_key: str) -> str:
    end = "" if tier.get("to_value") is None else str(tier["to_value"])
    parts: Sequence[str] = (end, str(tier.get(price_key, "0")), str(tier.get("flat_amount", "0")))
    return "; ".join(parts)
