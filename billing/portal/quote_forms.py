"""The forms on the page of a quote: who accepts, what is missing for the first invoice, and why somebody declines.

Owns fields and their checks one by one; whether the answer still counts is the services' to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import babel
from django import forms
from django.core import validators
from django.forms.boundfield import BoundField
from django.utils.translation import pgettext, pgettext_lazy

from config.kernel import errors
from customers.domain import profiles

DETAILS = (
    "legal_name",
    "tax_identification_number",
    "billing_email",
    "address_line1",
    "address_line2",
    "zipcode",
    "city",
    "state",
    "country",
)
NEEDED = ("legal_name", "billing_email", "address_line1", "city", "country")
"""What a new customer must tell, because no invoice can be written without it."""

COLUMNS = {"billing_email": "email"}
"""Fields that are called otherwise on this page than on a customer."""


class _Answer(forms.Form):
    """What every answer has: the document that it is about, and who gives it."""

    document_sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64)
    signer_name = forms.CharField(
        label=pgettext_lazy("quote", "Your name"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages["required"] = pgettext("quote", "This is needed.")
            field.error_messages["invalid"] = pgettext("quote", "Please check this.")
            field.error_messages["max_length"] = pgettext("quote", "This is too long.")

    def clean(self) -> dict[str, Any]:
        """Refuse what no column can hold."""
        cleaned = super().clean() or self.cleaned_data
        for name, value in list(cleaned.items()):
            if isinstance(value, str):
                cleaned[name] = value.replace("\x00", "").strip()
        return cleaned


class AcceptForm(_Answer):
    """Accept: who signs, a purchase order number, and of a new customer the billing details.

    ``known`` are the details that are there already, None for a customer whose details are not asked for here;
    ``locale`` is the language that countries are named in.
    """

    signer_title = forms.CharField(
        label=pgettext_lazy("quote", "Your title"),
        max_length=255,
        help_text=pgettext_lazy("quote", "Such as: Head of Procurement."),
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
    )
    signer_email = forms.CharField(
        label=pgettext_lazy("quote", "Your e-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    purchase_order_number = forms.CharField(
        label=pgettext_lazy("quote", "Purchase order number"),
        max_length=255,
        required=False,
        help_text=pgettext_lazy("quote", "It will be on your invoices."),
    )
    may_sign = forms.BooleanField()

    def __init__(self, *args: Any, known: Mapping[str, str] | None, locale: str, **kwargs: Any) -> None:
        initial = kwargs.pop("initial", {})
        super().__init__(*args, initial={**initial, **(known or {})}, **kwargs)
        if initial.get("purchase_order_number"):  # what was agreed on stands
            del self.fields["purchase_order_number"]
        self.fields["may_sign"].error_messages["required"] = pgettext("quote", "Please confirm this.")
        self.asked = () if known is None else DETAILS
        for name in self.asked:
            self.fields[name] = _detail(name, locale)
            self.fields[name].required = name in NEEDED
            self.fields[name].error_messages["required"] = pgettext("quote", "This is needed.")

    def clean(self) -> dict[str, Any]:
        """Ask the domain about every field of a customer."""
        cleaned = super().clean()
        wrong = profiles.check({COLUMNS.get(name, name): cleaned.get(name, "") for name in self.asked})
        for field in wrong:
            self.refuse_field(field)
        try:
            validators.validate_email(cleaned.get("signer_email", "") or "a@example.com")
        except forms.ValidationError:
            self.refuse_field("signer_email")
        return cleaned

    @property
    def groups(self) -> list[tuple[str, list[BoundField]]]:
        """Return the fields to show, group by group."""
        names = ("signer_name", "signer_title", "signer_email", "purchase_order_number")
        signer = [self[name] for name in names if name in self.fields]
        groups = [(pgettext("quote", "Who accepts"), signer)]
        if self.asked:
            groups.insert(0, (pgettext("quote", "Billing details"), [self[name] for name in self.asked]))
        return groups

    def details(self) -> dict[str, str]:
        """Return the billing details of a valid form, by the names that a customer's have."""
        return {COLUMNS.get(name, name): self.cleaned_data[name] for name in self.asked}

    def refuse(self, refusal: errors.DomainError) -> bool:
        """Tell that the service refused, at the fields that it names; say whether it named any of these."""
        named = [field for field in refusal.details or () if self.refuse_field(field)]
        return bool(named)

    def refuse_field(self, column: str) -> bool:
        """Mark a field as wrong by the name that a customer's has; say whether there is one."""
        name = next((field for field, real in COLUMNS.items() if real == column and field in self.fields), column)
        if name not in self.fields or name in self.errors:
            return name in self.fields
        self.add_error(name, pgettext("quote", "Please check this."))
        return True


class DeclineForm(_Answer):
    """Decline: who does, and why."""

    reason = forms.CharField(
        label=pgettext_lazy("quote", "Why?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    @property
    def shown(self) -> list[BoundField]:
        """Return the fields that people see."""
        return [self["signer_name"], self["reason"]]


def _detail(name: str, locale: str) -> forms.Field:
    labels = {
        "legal_name": pgettext("quote", "Legal name of your company"),
        "tax_identification_number": pgettext("quote", "VAT ID or tax number"),
        "billing_email": pgettext("quote", "E-mail for invoices"),
        "address_line1": pgettext("quote", "Street and number"),
        "address_line2": pgettext("quote", "Further line of the address"),
        "zipcode": pgettext("quote", "Postal code"),
        "city": pgettext("quote", "City"),
        "state": pgettext("quote", "State or region"),
        "country": pgettext("quote", "Country"),
    }
    if name == "country":
        return forms.ChoiceField(label=labels[name], choices=_countries(locale))
    lengths = {"tax_identification_number": 64, "zipcode": 32, "billing_email": 1024}
    return forms.CharField(label=labels[name], max_length=lengths.get(name, 255))


def _countries(locale: str) -> list[tuple[str, str]]:
    spoken = babel.Locale.parse(locale)
    found = [(code, str(spoken.territories.get(code, code))) for code in profiles.countries()]
    return [("", "–"), *sorted(found, key=lambda pair: pair[1].casefold())]
