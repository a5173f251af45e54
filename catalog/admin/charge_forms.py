"""The form of a charge's price. Owns reading tiers from lines of text; what a good price is, the domain says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from catalog.domain.pricing import properties
from catalog.models import BillableMetric, Charge, Tax
from config.kernel import errors
from config.platform.admin.forms import VerbForm, told

TIERED = {Charge.Model.GRADUATED: "graduated_ranges", Charge.Model.VOLUME: "volume_ranges"}
TIERS_HELP = (
    "For graduated and volume: one tier per line, “up to; price per unit; flat amount”. The last one has no end: "
    "“; 0.01”. Example: “1000; 0.02; 5”."
)


class PriceForm(VerbForm):
    """Model and price of a charge; only the fields of the chosen model count."""

    sections = (
        ("Price", ("charge_model", "amount", "package_size", "free_units", "tiers")),
        ("On invoices", ("invoice_display_name", "taxes")),
    )
    aliases = {"properties": "tiers"}

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
            cleaned["properties"] = written(cleaned)
            properties.parse(model=model, raw=cleaned["properties"])
        except forms.ValidationError as refusal:
            self.add_error("tiers", refusal)
        except errors.Invalid as refusal:
            self.add_error("tiers" if model in TIERED else "amount", told(refusal))
        return cleaned


class NewChargeForm(PriceForm):
    """A metric and its price."""

    sections = (("Metric", ("metric",)), *PriceForm.sections)

    metric = forms.ModelChoiceField(BillableMetric.objects.filter(deleted_at__isnull=True).order_by("name"))


def written(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The price as the service takes it: decimals as text. Raises ValidationError for lines that are no tiers."""
    model = cleaned["charge_model"]
    if model in TIERED:
        return {TIERED[model]: _tiers(cleaned["tiers"])}
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
    tiers = raw.get(TIERED.get(Charge.Model(charge.charge_model), ""), [])
    return {
        "charge_model": charge.charge_model,
        "amount": raw.get("amount"),
        "package_size": raw.get("package_size"),
        "free_units": raw.get("free_units"),
        "tiers": "\n".join(_line(tier) for tier in tiers),
        "invoice_display_name": charge.invoice_display_name,
        "taxes": list(charge.taxes.all()),
    }


def _tiers(text: str) -> list[dict[str, Any]]:
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
                "per_unit_amount": price or "0",
                "flat_amount": flat or "0",
            }
        )
        start = end
    return found


def _line(tier: Mapping[str, Any]) -> str:
    end = "" if tier.get("to_value") is None else str(tier["to_value"])
    parts: Sequence[str] = (end, str(tier.get("per_unit_amount", "0")), str(tier.get("flat_amount", "0")))
    return "; ".join(parts)
