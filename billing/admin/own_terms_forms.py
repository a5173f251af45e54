"""The form of own terms of a subscription: a fee, a name, taxes, a minimum, and a field for the price of each charge.

Only what is changed in it is agreed on. What good terms are, the services say.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from moneyed import Money

from billing.admin import price_text
from catalog.models import Charge, FixedCharge, PlanVersion, Tax
from catalog.queries import plans
from catalog.services.own_terms_input import PATH, OwnTerms
from config.kernel import errors, money
from config.platform.admin.forms import ReasonForm

MAX_PRICES = 100


def of_version(data: Any, *, version: PlanVersion, seen: str) -> AgreeTermsForm:
    """Return the form with the terms of a version, which needs its content at hand, as they are."""
    prices: dict[str, Charge | FixedCharge] = {}
    for name, rows in (("charge", plans.charges(version)), ("fixed", plans.fixed_charges(version))):
        prices |= {
            f"price_{name}_{row.key.hex}": row for row in rows[:MAX_PRICES] if row.charge_model in price_text.HELP
        }
    fields = {field: _price_field(row) for field, row in prices.items()}
    form = type("AgreeTermsForm", (AgreeTermsForm,), fields)
    committed = version.commitment
    initial = {
        "amount": money.rounded(version.amount).amount,
        "invoice_display_name": version.overrides.get("invoice_display_name", ""),
        "taxes": list(version.taxes.all()),
        "minimum": None if committed is None else money.from_minor(committed.amount_cents, version.currency).amount,
        "seen": seen,
    }
    return form(data, initial=initial, currency=version.currency, prices=prices)


class AgreeTermsForm(ReasonForm):
    """The terms as they are; only what is changed is agreed on. ``seen`` is what the subscription was then."""

    sections = ()

    amount = forms.DecimalField(label="Fee", min_value=Decimal(0), max_digits=19, decimal_places=4)
    invoice_display_name = forms.CharField(
        label="Name on invoices", max_length=255, required=False, help_text="Empty: the plan's name."
    )
    taxes = forms.ModelMultipleChoiceField(
        Tax.objects.filter(deleted_at__isnull=True),
        label="Taxes on the fee",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Empty: the customer's.",
    )
    minimum = forms.DecimalField(
        label="Minimum of an interval",
        required=False,
        min_value=Decimal(0),
        max_digits=19,
        decimal_places=4,
        help_text="What fee and usage come to at least. Empty: none.",
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, data: Any, *, initial: Mapping[str, Any], currency: str, prices: Mapping[str, Charge | FixedCharge]
    ) -> None:
        self.currency, self.prices = currency, prices
        texts = {field: price_text.write(row.charge_model, row.properties) for field, row in prices.items()}
        super().__init__(data, initial={**initial, **texts})
        self.sections = (
            ("Plan", ("amount", "invoice_display_name", "taxes", "minimum")),
            ("Prices", tuple(prices)),
            ("", ("reason",)),
        )
        self.aliases = {
            f"{PATH}.amount_cents": "amount",
            f"{PATH}.minimum_commitment.amount_cents": "minimum",
            "amount_cents": "amount",
        }

    def clean(self) -> dict[str, Any]:
        """Turn what was changed into terms. Amounts have no more digits than the currency."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            cleaned["terms"] = self._terms(cleaned)
            self.aliases |= self._paths(cleaned["terms"])
            if not self.errors and not cleaned["terms"]:
                self.add_error(None, "Nothing was changed.")
        return cleaned

    def _terms(self, cleaned: Mapping[str, Any]) -> OwnTerms:
        terms: dict[str, Any] = {}
        changed = set(self.changed_data)
        if "amount" in changed:
            terms["amount_cents"] = self._cents("amount", cleaned["amount"])
        if "invoice_display_name" in changed:
            terms["invoice_display_name"] = cleaned["invoice_display_name"]
        if "taxes" in changed:
            terms["tax_codes"] = [tax.code for tax in cleaned["taxes"]]
        if "minimum" in changed:
            terms["minimum_commitment"] = {"amount_cents": self._cents("minimum", cleaned["minimum"] or Decimal(0))}
        for field, row in self.prices.items():
            # Browsers end lines in their own way.
            text = "\n".join(cleaned[field].split("\r\n"))
            if text == self.initial[field]:
                continue
            if (properties := self._price(field, row, text)) is not None:
                name = "charges" if isinstance(row, Charge) else "fixed_charges"
                terms.setdefault(name, []).append({"id": row.key, "properties": properties})
        return OwnTerms(**terms)

    def _cents(self, field: str, amount: Decimal) -> int:
        try:
            return money.to_minor(Money(amount, self.currency))
        except errors.Invalid as refusal:
            self.add_error(field, refusal.message)
            return 0

    def _price(self, field: str, row: Charge | FixedCharge, text: str) -> dict[str, Any] | None:
        try:
            return price_text.read(row.charge_model, text, row.properties)
        except forms.ValidationError as refusal:
            self.add_error(field, refusal)
            return None

    def _paths(self, terms: OwnTerms) -> dict[str, str]:
        fields = {str(row.key): field for field, row in self.prices.items()}
        return {
            f"{PATH}.{name}.{place}.properties": fields[str(row["id"])]
            for name in ("charges", "fixed_charges")
            for place, row in enumerate(terms.get(name, ()))  # type: ignore[arg-type]
        }


def _price_field(row: Charge | FixedCharge) -> forms.CharField:
    is_tiered = row.charge_model in price_text.TIERED
    return forms.CharField(
        label=f"{row}: {row.get_charge_model_display()}",
        widget=forms.Textarea(attrs={"rows": 4}) if is_tiered else forms.TextInput,
        help_text=price_text.HELP[row.charge_model],
        max_length=20_000,
    )
