"""The forms of a plan: its names, fee and taxes. Prices for usage have a form of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from moneyed import Money

from catalog.models import PlanVersion, Tax
from config.kernel import errors, money
from config.platform.admin.forms import VerbForm, told


class PlanForm(VerbForm):
    """What of a plan can be changed. ``money`` is the fee, checked against the currency's digits."""

    sections = (
        ("Plan", ("name", "invoice_display_name", "description")),
        ("Fee", ("amount", "taxes")),
    )
    aliases = {"amount_cents": "amount", "amount_currency": "currency", "tax_codes": "taxes"}

    name = forms.CharField(max_length=255)
    invoice_display_name = forms.CharField(
        label="Name on invoices", max_length=255, required=False, help_text="Empty: the plan's name."
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    amount = forms.DecimalField(
        label="Fee of an interval", min_value=0, max_digits=18, decimal_places=4, help_text="Billed when it is over."
    )
    taxes = forms.ModelMultipleChoiceField(
        Tax.objects.filter(deleted_at__isnull=True),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Empty: the customer's taxes, or else the billing entity's.",
    )

    def __init__(self, *args: Any, currency: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        if currency:
            self.fields["amount"].help_text = f"In {currency}. Billed when the interval is over."

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
        return cleaned


class NewPlanForm(PlanForm):
    """What a new plan is made of."""

    sections = (
        ("Plan", ("name", "code", "invoice_display_name", "description")),
        ("Fee", ("interval", "amount", "currency", "taxes")),
    )

    code = forms.CharField(max_length=255, help_text="By which the API knows it.")
    interval = forms.ChoiceField(choices=PlanVersion.Interval.choices, initial=PlanVersion.Interval.MONTHLY)
    currency = forms.ChoiceField(choices=[(code, code) for code in money.currencies()], initial="EUR")
