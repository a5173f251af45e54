"""The forms of a plan: its names, fee and taxes. Prices for usage have a form of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from moneyed import Money

from catalog.admin import commitment_forms, publishing
from catalog.models import PlanVersion
from catalog.queries import taxes as known_taxes
from catalog.services import plans
from config.kernel import errors, money
from config.platform.admin.forms import VerbForm, told

TIMING = ("pay_in_advance", "trial_period", "bill_charges_monthly", "bill_fixed_charges_monthly")


class PlanForm(commitment_forms.CommitmentFields, VerbForm):
    """What of a plan can be changed. ``money`` is the fee, checked against the currency's digits."""

    sections = (
        ("Plan", ("name", "invoice_display_name", "description")),
        ("Fee", ("amount", "taxes", "tax_inclusive")),
        ("When it is billed", TIMING),
        commitment_forms.SECTION,
    )
    aliases = {
        "amount_cents": "amount",
        "amount_currency": "currency",
        "tax_codes": "taxes",
        "usage_thresholds": "tax_inclusive",
        **commitment_forms.ALIASES,
    }

    name = forms.CharField(max_length=255)
    invoice_display_name = forms.CharField(
        label="Name on invoices", max_length=255, required=False, help_text="Empty: the plan's name."
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    amount = forms.DecimalField(
        label="Fee of an interval", min_value=0, max_digits=18, decimal_places=4, help_text="For a whole interval."
    )
    pay_in_advance = forms.BooleanField(
        label="Bill the fee in advance",
        required=False,
        help_text="At the start of an interval, instead of when it is over. Usage is billed when it is over.",
    )
    trial_period = forms.DecimalField(
        label="Trial, in days",
        min_value=0,
        max_value=plans.MAX_TRIAL_DAYS,
        max_digits=10,
        decimal_places=5,
        required=False,
        initial=0,
        help_text="For so long after the start no fee is billed. Usage is.",
    )
    bill_charges_monthly = forms.BooleanField(
        label="Bill usage every month", required=False, help_text="For half-years and years only."
    )
    bill_fixed_charges_monthly = forms.BooleanField(
        label="Bill fixed charges every month", required=False, help_text="For half-years and years only."
    )
    taxes = forms.ModelMultipleChoiceField(
        known_taxes.choices(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Empty: the customer's taxes, or else the billing entity's.",
    )
    tax_inclusive = forms.BooleanField(
        label="Prices include tax",
        required=False,
        help_text="The customer pays the agreed prices of fee, fixed charges, minimum and usage, whatever the taxes.",
    )

    def __init__(self, *args: Any, currency: str = "", in_use: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        if currency:
            self.fields["amount"].help_text = f"In {currency}, for a whole interval."
        if in_use:
            for name in TIMING:
                self.fields[name].disabled = True
                self.fields[name].help_text = "Stays as it is while somebody has the plan."

    def clean(self) -> dict[str, Any]:
        """Refuse digits that the currency does not have."""
        cleaned = super().clean() or self.cleaned_data
        currency = self.currency or cleaned.get("currency", "")
        if cleaned.get("amount") is not None and currency:
            cleaned["money"] = Money(cleaned["amount"], currency)
            try:
                money.to_minor(cleaned["money"])
            except errors.Invalid as refusal:
                self.add_error("amount", told(refusal))
        commitment_forms.check(self, cleaned, currency=currency)
        return cleaned


class ChangedPlanForm(PlanForm):
    """What a plan is changed to, and from when on its new version is sold."""

    sections = (*PlanForm.sections, publishing.SECTION)
    aliases = {**PlanForm.aliases, **publishing.ALIASES}

    effective_date = publishing.field()


class NewPlanForm(PlanForm):
    """What a new plan is made of."""

    sections = (
        ("Plan", ("name", "code", "invoice_display_name", "description")),
        ("Fee", ("interval", "amount", "currency", "taxes", "tax_inclusive")),
        ("When it is billed", TIMING),
        commitment_forms.SECTION,
    )

    code = forms.CharField(max_length=255, help_text="By which the API knows it.")
    interval = forms.ChoiceField(choices=PlanVersion.Interval.choices, initial=PlanVersion.Interval.MONTHLY)
    currency = forms.ChoiceField(choices=[(code, code) for code in money.currencies()], initial="EUR")
