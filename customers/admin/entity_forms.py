"""The forms of a billing entity: company, bank, documents, terms. What is right for each field the domain says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html

from catalog.queries import taxes as known_taxes
from config.platform.admin import theme
from config.platform.admin.forms import VerbForm, words
from customers.admin import choices
from customers.domain import profiles, time_zones
from customers.models import BillingEntity, InvoiceCustomSection
from customers.services.billing_entities import BillingEntityValues

PLAIN = (
    "name", "legal_name", "legal_number", "tax_identification_number", "email", "phone", "url", "address_line1",
    "address_line2", "zipcode", "city", "state", "country", "bank_name", "iban", "bic", "default_currency", "timezone",
    "document_locale", "net_payment_term", "invoice_grace_period", "document_numbering", "document_number_prefix",
    "finalize_zero_amount_invoice", "eu_tax_management", "email_settings", "accent_color", "logo", "invoice_footer",
    "issuing_date_anchor", "issuing_date_adjustment",
)  # fmt: skip

MAX_LOGO = 200_000

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
                "document_number_prefix", "document_numbering", "document_locale", "accent_color", "logo_file",
                "logo", "invoice_footer", "custom_sections",
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
        help_text="Of customers that have none of their own. Without one their invoices have no tax.",
    )
    eu_tax_management = forms.BooleanField(
        label="Decide the VAT of the EU",
        required=False,
        help_text="By each customer's country and VAT number. For billing entities in the EU alone.",
    )
    timezone = forms.ChoiceField(
        label="Time zone", choices=choices.timezones, help_text="In which days begin: of billing, of issue, of dues."
    )
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
        help_text="No document is dated after the day on which it is finalized. A fee in advance is on the invoice of "
        "the day on which its period begins: with “last day of the period” that invoice bears the day before.",
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
    document_number_prefix = forms.CharField(
        label="Number prefix", max_length=16, help_text="Stands before the number of each document, such as ACME-2026."
    )
    document_numbering = forms.ChoiceField(label="Numbering", choices=BillingEntity.Numbering.choices)
    document_locale = forms.ChoiceField(label="Language", choices=choices.languages)
    accent_color = forms.CharField(label="Accent colour", max_length=7, widget=theme.ColorWidget)
    logo_file = forms.FileField(
        label="Logo from a file (optional)",
        required=False,
        widget=forms.FileInput(attrs={"accept": ".svg,image/svg+xml", "class": "q-quote-file"}),
        help_text="SVG of at most 200 kB; PNG and JPEG cannot be used. It takes the place of the text below.",
    )
    logo = forms.CharField(
        label="Logo as SVG text", required=False, max_length=MAX_LOGO, widget=forms.Textarea(attrs={"rows": 4})
    )
    invoice_footer = forms.CharField(
        label="Footer", required=False, widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not known_taxes.choices().exists():
            self.fields["taxes"].help_text = format_html(
                "There is no tax yet, so invoices are issued without one. Save this first, then "
                '<a class="q-link" href="{}">make a tax</a>: its form asks which billing entities use it.',
                reverse("admin:catalog_tax_create"),
            )

    def clean_iban(self) -> str:
        """Refuse what looks like an IBAN and is none, with words that say so."""
        text: str = self.cleaned_data["iban"]
        if profiles.check({"iban": text}):
            raise forms.ValidationError("This is not a valid IBAN: a digit is wrong or missing.")
        return text

    def clean_logo_file(self) -> str:
        """Read the drawing. What of it documents show is decided when they are made."""
        file = self.cleaned_data["logo_file"]
        if not file:
            return ""
        if file.size > MAX_LOGO:
            raise forms.ValidationError("The file is larger than 200 kB.")
        try:
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            text = ""
        if "<svg" not in text or "\0" in text:
            raise forms.ValidationError("This is no SVG drawing. Other pictures cannot be used.")
        return text

    def clean(self) -> dict[str, Any]:
        """Ask the domain about every field."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("logo_file"):
            cleaned["logo"] = cleaned["logo_file"]
        given = {field: cleaned[field] for field in PLAIN if field in cleaned}
        for field, codes in profiles.check(given).items():
            self.add_error(field, [words(code) for code in codes])
        return cleaned


class NewEntityForm(EntityForm):
    """A new seller, with the code by which the API knows it."""

    sections = (("Company", ("name", "code", *EntityForm.sections[0][1][1:])), *EntityForm.sections[1:])

    code = forms.CharField(max_length=255, help_text="By which the API knows it.")
    document_number_prefix = forms.CharField(
        label="Number prefix",
        max_length=16,
        required=False,
        help_text="Stands before the number of each document, such as ACM-1F3B. Empty: made of the name.",
    )
    timezone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: choices.inherited(choices.timezones(), "that of the country"),
        required=False,
        help_text="In which days begin: of billing, of issue, of dues. Germany's is Europe/Berlin, for example.",
    )

    def clean(self) -> dict[str, Any]:
        """Take the country's time zone where none is chosen."""
        cleaned = super().clean()
        if "timezone" in cleaned and not cleaned["timezone"]:
            country = cleaned.get("country", "")
            cleaned["timezone"] = time_zones.usual(country) if country else "UTC"
            if not cleaned["timezone"]:
                self.add_error("timezone", "This country has several time zones: choose one.")
        return cleaned


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
    if not cleaned["document_number_prefix"]:
        del values["document_number_prefix"]  # the service makes one
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
        "document_locale": "en",
        "net_payment_term": 14,
        "invoice_grace_period": 0,
        "issuing_date_anchor": BillingEntity.Anchor.NEXT_PERIOD_START,
        "issuing_date_adjustment": BillingEntity.Adjustment.ALIGN,
        "finalize_zero_amount_invoice": True,
        "email_settings": ["invoice.finalized", "credit_note.created"],
        "document_numbering": BillingEntity.Numbering.PER_CUSTOMER,
        "accent_color": "#4f46e5",
    }
