"""The form of billing details in the portal: what a customer may change of itself. Values are checked by the domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import babel
from django import forms
from django.utils.translation import pgettext, pgettext_lazy

from config.kernel import errors
from customers.domain import profiles
from customers.models import Customer

FIELDS = (
    "name",
    "legal_name",
    "tax_identification_number",
    "email",
    "document_locale",
    "address_line1",
    "address_line2",
    "zipcode",
    "city",
    "state",
    "country",
)
KEPT = ("name", "email")
"""What cannot be emptied once it is there: without it nobody would get the invoices."""


class DetailsForm(forms.Form):
    """Name, tax number, e-mail, language and address. ``locale`` is the language that countries are named in."""

    name = forms.CharField(label=pgettext_lazy("portal", "Name"), max_length=255, required=False)
    legal_name = forms.CharField(
        label=pgettext_lazy("portal", "Legal name"),
        max_length=255,
        required=False,
        help_text=pgettext_lazy("portal", "As documents address you."),
    )
    tax_identification_number = forms.CharField(label=pgettext_lazy("portal", "Tax ID"), max_length=64, required=False)
    email = forms.CharField(
        label=pgettext_lazy("portal", "E-mail for invoices"),
        max_length=1024,
        required=False,
        help_text=pgettext_lazy("portal", "Several with commas between them."),
    )
    document_locale = forms.ChoiceField(label=pgettext_lazy("portal", "Language"), required=False)
    address_line1 = forms.CharField(label=pgettext_lazy("portal", "Street"), max_length=255, required=False)
    address_line2 = forms.CharField(label=pgettext_lazy("portal", "Further line"), max_length=255, required=False)
    zipcode = forms.CharField(label=pgettext_lazy("portal", "Postal code"), max_length=32, required=False)
    city = forms.CharField(label=pgettext_lazy("portal", "City"), max_length=255, required=False)
    state = forms.CharField(label=pgettext_lazy("portal", "State or region"), max_length=255, required=False)
    country = forms.ChoiceField(label=pgettext_lazy("portal", "Country"), required=False)

    def __init__(self, *args: Any, locale: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        spoken = _spoken(locale)
        for name, choices in (("country", _countries(spoken)), ("document_locale", _languages())):
            current = self.initial.get(name, "")
            # What is stored already stays possible, so that saving something else does not change it.
            known = {code for code, _ in choices}
            self.fields[name].choices = [*([] if current in known else [(current, current or "–")]), *choices]

    def clean(self) -> dict[str, Any]:
        """Ask the domain about every field."""
        cleaned = super().clean() or self.cleaned_data
        for field in profiles.check({name: cleaned.get(name, "") for name in FIELDS}):
            self.add_error(field, pgettext("portal", "Please check this."))
        for field in KEPT:
            if self.initial.get(field) and not cleaned.get(field) and field not in self.errors:
                self.add_error(field, pgettext("portal", "This is needed."))
        return cleaned

    def changed_values(self) -> dict[str, str]:
        """Return the values that are others than before, of a valid form."""
        return {
            name: self.cleaned_data[name] for name in FIELDS if self.cleaned_data[name] != self.initial.get(name, "")
        }

    def word(self, name: str, value: str) -> str:
        """Return a value as people read it."""
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
        return value

    def refuse(self, refusal: errors.DomainError) -> None:
        """Tell that the service refused, at the fields that it names."""
        named = [field for field in refusal.details or () if field in self.fields]
        for field in named or [None]:
            self.add_error(field, pgettext("portal", "Please check this."))


def initial(customer: Customer) -> Mapping[str, str]:
    """Return the customer's details; the language is the one that applies."""
    return {
        **{name: getattr(customer, name) for name in FIELDS},
        "document_locale": customer.document_locale or customer.applicable_locale,
    }


def _spoken(locale: str) -> babel.Locale:
    try:
        return babel.Locale.parse(locale.replace("-", "_"))
    except (ValueError, babel.UnknownLocaleError):
        return babel.Locale("en")


def _countries(spoken: babel.Locale) -> list[tuple[str, str]]:
    found = [(code, str(spoken.territories.get(code, code))) for code in profiles.countries()]
    return [("", "–"), *sorted(found, key=lambda pair: pair[1].casefold())]


def _languages() -> list[tuple[str, str]]:
    """Return the languages of documents, each by the name that it has for itself."""
    return [(code, (_spoken(code).get_display_name() or code).capitalize()) for code in profiles.LOCALES]
