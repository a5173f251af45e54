"""The form of a fixed charge: how many of an add-on, at which price, billed when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from catalog.admin import charge_forms, publishing, tier_text
from catalog.domain import decimals
from catalog.models import AddOn, FixedCharge
from catalog.queries import taxes as known_taxes
from config.platform.admin.forms import VerbForm

TIERS_HELP = (
    "For graduated and volume: one tier per line, “up to; price per unit; flat amount”. The last one has no end: "
    "“; 0.01”. Example: “10; 5; 0”."
)


class FixedChargeForm(VerbForm):
    """Units, price and timing of a fixed charge; only the fields of the chosen model count."""

    sections = (
        ("Units", ("units",)),
        ("Price", ("charge_model", "amount", "tiers")),
        ("When it is billed", ("pay_in_advance", "prorated")),
        ("On invoices", ("invoice_display_name", "taxes")),
        publishing.SECTION,
    )
    aliases = {**publishing.ALIASES, "properties": "tiers", "add_on_id": "add_on", "tax_codes": "taxes"}

    units = forms.DecimalField(
        min_value=0,
        max_digits=30,
        decimal_places=15,
        help_text="How many a subscription has, unless it agrees on another number.",
    )
    charge_model = forms.ChoiceField(label="Model", choices=FixedCharge.Model.choices)
    amount = forms.DecimalField(
        required=False, min_value=0, max_digits=30, decimal_places=15, help_text="Per unit, for standard."
    )
    tiers = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": tier_text.PLACEHOLDER}),
        help_text=TIERS_HELP,
    )
    pay_in_advance = forms.BooleanField(
        label="In advance", required=False, help_text="At the start of a period, instead of when it is over."
    )
    prorated = forms.BooleanField(
        label="By the day", required=False, help_text="Units count for the days of the period that they are there."
    )
    invoice_display_name = forms.CharField(
        label="Name on invoices", max_length=255, required=False, help_text="Empty: the add-on's name."
    )
    taxes = forms.ModelMultipleChoiceField(
        known_taxes.choices(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Empty: the plan's taxes, or else the customer's.",
    )

    effective_date = publishing.field()

    def __init__(self, *args: Any, in_use: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if in_use:
            self.fields["pay_in_advance"].disabled = True
            self.fields["pay_in_advance"].help_text = charge_forms.STAYS

    def clean(self) -> dict[str, Any]:
        """Read the price of the chosen model."""
        cleaned = super().clean() or self.cleaned_data
        model = cleaned.get("charge_model")
        if not model or self.errors:
            return cleaned
        if model == FixedCharge.Model.STANDARD:
            if cleaned["amount"] is None:
                self.add_error("amount", "This is needed.")
            else:
                cleaned["properties"] = {"amount": f"{cleaned['amount']:f}"}
            return cleaned
        key, price = charge_forms.TIERED[model]
        try:
            cleaned["properties"] = {key: tier_text.read(cleaned["tiers"], price)}
        except forms.ValidationError as refusal:
            self.add_error("tiers", refusal)
        return cleaned


class NewFixedChargeForm(FixedChargeForm):
    """An add-on, how many of it, and its price."""

    sections = (("Add-on", ("add_on",)), *FixedChargeForm.sections)

    add_on = forms.ModelChoiceField(AddOn.objects.filter(deleted_at__isnull=True).order_by("name"), label="Add-on")


def initial(charge: FixedCharge) -> Mapping[str, Any]:
    """A fixed charge as the form shows it."""
    raw = charge.properties
    key, price = charge_forms.TIERED.get(charge.charge_model, ("", ""))
    return {
        "units": decimals.text(charge.units),
        "charge_model": charge.charge_model,
        "amount": raw.get("amount"),
        "tiers": tier_text.write(raw.get(key, []), price),
        "pay_in_advance": charge.pay_in_advance,
        "prorated": charge.prorated,
        "invoice_display_name": charge.invoice_display_name,
        "taxes": list(charge.taxes.all()),
    }
