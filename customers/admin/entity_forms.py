"""The forms of a billing entity: company, bank, documents, terms. What is right for each field the domain says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from catalog.queries import taxes as known_taxes
from config.platform.admin import theme
from config.platform.admin.forms import VerbForm, words
from customers.admin import choices
from customers.domain import profiles
from customers.models import BillingEntity, InvoiceCustomSection
from customers.services.billing_entities import BillingEntityValues

PLAIN = (
    "name", "legal_name", "legal_number", "tax_identification_number", "email", "phone", "url", "address_line1",
    "address_line2", "zipcode", "city", "state", "country", "bank_name", "iban", "bic", "default_currency", "timezone",
    "document_locale", "net_payment_term", "invoice_grace_period", "document_numbering", "document_number_prefix",
    "finalize_zero_amount_invoice", "eu_tax_management", "email_settings", "accent_color", "logo", "invoice_footer",
    "issuing_date_anchor", "issuing_date_adjustment",
)  # fmt: skip

EMAILS = [
    ("invoice.finalized", "Invoice issued"),
    ("credit_note.created", "Credit note issued"),
    ("payment_receipt.created", "Receipt of a payment"),
]


class EntityForm(VerbForm):
    """Everything of a seller that staff may change."""

    sections = (
        ("Company", ("name", "legal_name", "legal_number", "tax_identification_number", "email", "phone", "url")),
        ("Address", ("address_line1", "address_line2", "zipcode", "city", "state", "country")),
        ("Bank details and taxes", ("bank_name", "iban", "bic", "default_currency", "taxes", "eu_tax_management")),
        (
            "Terms",
            (
                "timezone", "net_payment_term", "invoice_grace_period", "issuing_date_anchor",
                "issuing_date_adjustment", "finalize_zero_amount_invoice", "email_settings",
            ),
        ),
        (
            "Documents",
            (
                "document_number_prefix", "document_numbering", "document_locale", "accent_color", "logo",
                "invoice_footer", "custom_sections",
            ),
        ),
    )  # fmt: skip
    aliases = {"tax_codes": "taxes"}

    name = forms.CharField(max_length=255)
    legal_name = forms.CharField(max_length=255, required=False)
    legal_number = forms.CharField(label="Register number", max_length=255, required=False)
    tax_identification_number = forms.CharField(label="VAT id", max_length=64, required=False)
    email = forms.EmailField(label="E-mail", required=False, help_text="Customers answer to it.")
    phone = forms.CharField(max_length=64, required=False)
    url = forms.URLField(label="Website", required=False, assume_scheme="https")
    address_line1 = forms.CharField(label="Street", max_length=255, required=False)
    address_line2 = forms.CharField(label="Further line", max_length=255, required=False)
    zipcode = forms.CharField(label="Postal code", max_length=32, required=False)
    city = forms.CharField(max_length=255, required=False)
    state = forms.CharField(label="State or region", max_length=255, required=False)
    country = forms.ChoiceField(choices=choices.countries, required=False)
    bank_name = forms.CharField(label="Bank", max_length=255, required=False)
    iban = forms.CharField(label="IBAN or account", max_length=64, required=False)
    bic = forms.CharField(label="BIC or routing number", max_length=64, required=False)
    default_currency = forms.ChoiceField(label="Currency", choices=choices.currencies)
    taxes = forms.ModelMultipleChoiceField(
        known_taxes.choices(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Of customers that have none of their own.",
    )
    eu_tax_management = forms.BooleanField(
        label="Decide the VAT of the EU",
        required=False,
        help_text="By each customer's country and VAT number. For billing entities in the EU alone.",
    )
    timezone = forms.ChoiceField(label="Time zone", choices=choices.timezones)
    net_payment_term = forms.IntegerField(label="Payment term (days)", min_value=0, max_value=3650)
    invoice_grace_period = forms.IntegerField(
        label="Grace period (days)", min_value=0, max_value=365, help_text="How long invoices stay drafts."
    )
    issuing_date_anchor = forms.ChoiceField(
        label="Periodic invoices are of", choices=BillingEntity.Anchor.choices, required=False
    )
    issuing_date_adjustment = forms.ChoiceField(
        label="and are dated",
        choices=BillingEntity.Adjustment.choices,
        required=False,
        help_text="No document is dated after the day on which it is finalized.",
    )
    custom_sections = forms.ModelMultipleChoiceField(
        InvoiceCustomSection.objects.filter(deleted_at__isnull=True),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="On the documents of customers that have none of their own.",
    )
    finalize_zero_amount_invoice = forms.BooleanField(label="Issue invoices of nothing", required=False)
    email_settings = forms.MultipleChoiceField(
        label="E-mails to customers", choices=EMAILS, required=False, widget=forms.CheckboxSelectMultiple
    )
    document_number_prefix = forms.CharField(label="Number prefix", max_length=16)
    document_numbering = forms.ChoiceField(label="Numbering", choices=BillingEntity.Numbering.choices)
    document_locale = forms.ChoiceField(label="Language", choices=choices.languages)
    accent_color = forms.CharField(label="Accent colour", max_length=7, widget=theme.ColorWidget)
    logo = forms.CharField(
        label="Logo (SVG)", required=False, max_length=200_000, widget=forms.Textarea(attrs={"rows": 4})
    )
    invoice_footer = forms.CharField(
        label="Footer", required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
    )

    def clean(self) -> dict[str, Any]:
        """Ask the domain about every field."""
        cleaned = super().clean() or self.cleaned_data
        given = {field: cleaned[field] for field in PLAIN if field in cleaned}
        for field, codes in profiles.check(given).items():
            self.add_error(field, [words(code) for code in codes])
        return cleaned


class NewEntityForm(EntityForm):
    """A new seller, with the code by which the API knows it."""

    sections = (("Company", ("name", "code", *EntityForm.sections[0][1][1:])), *EntityForm.sections[1:])

    code = forms.CharField(max_length=255, help_text="By which the API knows it.")


def entity_values(cleaned: Mapping[str, Any]) -> BillingEntityValues:
    """The filled-in form as the service takes it."""
    values = BillingEntityValues(
        **{field: cleaned[field] for field in PLAIN},
        tax_codes=[tax.code for tax in cleaned["taxes"]],
        invoice_custom_section_codes=[section.code for section in cleaned["custom_sections"]],
    )
    values["issuing_date_anchor"] = cleaned["issuing_date_anchor"] or BillingEntity.Anchor.NEXT_PERIOD_START
    values["issuing_date_adjustment"] = cleaned["issuing_date_adjustment"] or BillingEntity.Adjustment.ALIGN
    if "code" in cleaned:
        values["code"] = cleaned["code"]
    return values


def initial(entity: BillingEntity) -> Mapping[str, Any]:
    """The seller as the form shows it."""
    return {
        **{field: getattr(entity, field) for field in PLAIN},
        "taxes": list(entity.taxes.all()),
        "custom_sections": list(entity.invoice_custom_sections.all()),
    }


def usual() -> Mapping[str, Any]:
    """What most sellers want."""
    return {
        "default_currency": "EUR",
        "timezone": "UTC",
        "document_locale": "en",
        "net_payment_term": 14,
        "invoice_grace_period": 0,
        "finalize_zero_amount_invoice": True,
        "email_settings": ["invoice.finalized", "credit_note.created"],
        "document_numbering": BillingEntity.Numbering.PER_CUSTOMER,
        "accent_color": "#4f46e5",
    }
