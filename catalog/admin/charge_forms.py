"""The form of a charge: its price, and when and where usage is billed. What a good price is, the domain says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from moneyed import Money

from catalog.admin import publishing, tier_text
from catalog.domain import charge_terms, decimals
from catalog.domain.pricing import groups, presentation, properties
from catalog.models import BillableMetric, Charge, PricingUnit
from catalog.queries import taxes as known_taxes
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

WHEN = {
    "arrears": (False, True, ""),
    "invoice": (True, True, ""),
    "alone": (True, False, ""),
    "gathered": (True, False, charge_terms.REGROUPED),
}
"""What each choice of when and where usage is billed means: in advance, on an invoice, gathered."""

WHEN_WORDS = {
    "arrears": "when the period is over",
    "invoice": "with each event, on an invoice of its own",
    "alone": "with each event, without an invoice",
    "gathered": "with each event, without an invoice; what is paid is gathered on one later",
}
INCLUSIVE = {"": None, "yes": True, "no": False}
"""What each choice of where the tax is means: None is as the plan."""

INCLUSIVE_WORDS = {"": "as the plan", "yes": "the price includes tax", "no": "tax is added to the price"}
STAYS = "Stays as it is while somebody has the plan."


class PriceForm(VerbForm):
    """Model and price of a charge; only the fields of the chosen model count."""

    sections = (
        ("Price", ("charge_model", "amount", "package_size", "free_units", "tiers", "prorated")),
        ("Percentage", tuple(PERCENTAGE)),
        ("In units of your own", ("pricing_unit", "conversion_rate")),
        ("When and where it is billed", ("when", "period_minimum")),
        ("Groups", ("group_keys", "shown_keys")),
        ("On invoices", ("invoice_display_name", "taxes", "tax_inclusive")),
        publishing.SECTION,
    )
    aliases = {
        **publishing.ALIASES,
        "properties": "tiers",
        "min_amount_cents": "period_minimum",
        "pay_in_advance": "when",
        "invoiceable": "when",
        "regroup_paid_fees": "when",
        "applied_pricing_unit.conversion_rate": "conversion_rate",
    }

    charge_model = forms.ChoiceField(label="Model", choices=Charge.Model.choices)
    amount = forms.DecimalField(
        required=False, min_value=0, max_digits=30, decimal_places=15, help_text="Per unit (standard) or per package."
    )
    package_size = forms.IntegerField(required=False, min_value=1, help_text="For packages: units in one.")
    free_units = forms.IntegerField(required=False, min_value=0, help_text="For packages: units that cost nothing.")
    tiers = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": tier_text.PLACEHOLDER}),
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
    pricing_unit = forms.ModelChoiceField(
        PricingUnit.objects.order_by("name"),
        label="Prices are in",
        required=False,
        empty_label="the plan's currency",
        help_text="Credits, tokens and the like: all prices of this charge are in them.",
    )
    conversion_rate = forms.DecimalField(
        label="One is worth",
        required=False,
        min_value=0,
        max_digits=30,
        decimal_places=15,
        help_text="In the plan's currency.",
    )
    when = forms.ChoiceField(
        label="Billed",
        required=False,
        choices=list(WHEN_WORDS.items()),
        help_text="With each event: for counts, sums and unique counts, at any price but a volume one.",
    )
    group_keys = forms.CharField(
        label="Group by",
        required=False,
        help_text="Properties of events, separated by commas: “region, provider”. Each combination of their values is "
        "priced alone, and has a line of its own.",
    )
    shown_keys = forms.CharField(
        label="Break down by",
        required=False,
        help_text="At most two properties of events by whose values units are shown, at the same price: “region, "
        "team”. A star shows one on invoices too: “region*”.",
    )
    period_minimum = forms.DecimalField(
        label="Least per period",
        required=False,
        min_value=0,
        max_digits=15,
        decimal_places=4,
        help_text="What this charge comes to at least, in the plan's currency; the days of a shorter period count. "
        "Not for what is billed with each event.",
    )
    invoice_display_name = forms.CharField(
        label="Name on invoices", max_length=255, required=False, help_text="Empty: the metric's name."
    )
    taxes = forms.ModelMultipleChoiceField(
        known_taxes.choices(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Empty: the plan's taxes, or else the customer's.",
    )
    tax_inclusive = forms.ChoiceField(
        label="Tax in the price",
        required=False,
        choices=list(INCLUSIVE_WORDS.items()),
        help_text="Where tax is in the price, the customer pays the agreed price, whatever the taxes are.",
    )

    effective_date = publishing.field()

    def __init__(self, *args: Any, in_use: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if in_use:
            self.fields["when"].disabled = True
            self.fields["when"].help_text = STAYS

    def clean(self) -> dict[str, Any]:
        """Ask the domain whether this is a price."""
        cleaned = super().clean() or self.cleaned_data
        model = cleaned.get("charge_model")
        if not model or self.errors:
            return cleaned
        try:
            cleaned["properties"] = {
                **written(cleaned),
                groups.KEY: _names(cleaned["group_keys"]),
                presentation.KEY: _shown(cleaned["shown_keys"]),
            }
            properties.parse(model=model, raw=cleaned["properties"])
            presentation.parse(cleaned["properties"])
        except forms.ValidationError as refusal:
            self.add_error("tiers", refusal)
        except presentation.InvalidPresentation as refusal:
            self.add_error("shown_keys", told(refusal))
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
        return {key: tier_text.read(cleaned["tiers"], price)}
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
        "tiers": tier_text.write(raw.get(key, []), price),
        **{field: raw.get(key) for field, key in PERCENTAGE.items()},
        "pricing_unit": charge.pricing_unit,
        "conversion_rate": None if charge.conversion_rate is None else decimals.text(charge.conversion_rate),
        "when": when(charge),
        "group_keys": ", ".join(groups.parse(raw)),
        "shown_keys": ", ".join(
            f"{key.name}*" if key.display_in_invoice else key.name for key in presentation.parse(raw)
        ),
        "period_minimum": money.from_minor(charge.min_amount_cents, charge.plan_version.currency).amount or None,
        "invoice_display_name": charge.invoice_display_name,
        "taxes": list(charge.taxes.all()),
        "tax_inclusive": inclusive(charge),
    }


def inclusive(charge: Charge) -> str:
    """Which choice says whether the price of a charge includes its taxes."""
    return next(name for name, meant in INCLUSIVE.items() if meant is charge.tax_inclusive)


def when(charge: Charge) -> str:
    """Which choice says when and where a charge is billed."""
    terms = (charge.pay_in_advance, charge.invoiceable, charge.regroup_paid_fees)
    return next(name for name, meant in WHEN.items() if meant == terms)


def timing(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The choice of when and where usage is billed as the service takes it; nothing where none was made."""
    if not cleaned["when"]:
        return {}
    return dict(zip(("pay_in_advance", "invoiceable", "regroup_paid_fees"), WHEN[cleaned["when"]], strict=True))


def applied_unit(cleaned: Mapping[str, Any]) -> dict[str, Any] | None:
    """The pricing unit as the service takes it; none for the plan's currency."""
    if cleaned["pricing_unit"] is None:
        return None
    rate = {} if cleaned["conversion_rate"] is None else {"conversion_rate": cleaned["conversion_rate"]}
    return {"code": cleaned["pricing_unit"].code, **rate}


def minimum_cents(cleaned: Mapping[str, Any], currency: str) -> int:
    """The least per period in minor units. Raises Invalid for digits that the currency does not have."""
    try:
        return money.to_minor(Money(cleaned["period_minimum"] or 0, currency))
    except errors.Invalid as refusal:
        raise errors.Invalid(
            "validation_errors", refusal.message, {"min_amount_cents": ["value_is_invalid"]}
        ) from refusal


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _shown(text: str) -> list[dict[str, Any]]:
    names = _names(text)
    return [{"value": name.rstrip("* "), "options": {"display_in_invoice": name.endswith("*")}} for name in names]


def _field_of(model: str) -> str:
    if model in TIERED:
        return "tiers"
    return "rate" if model == Charge.Model.PERCENTAGE else "amount"
