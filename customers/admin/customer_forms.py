"""The form of a customer: identity, contact, addresses, terms. What is right for each field the domain says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from catalog.queries import taxes as known_taxes
from config.platform.admin.forms import VerbForm, words
from customers.admin import choices
from customers.domain import profiles
from customers.models import BillingEntity, Customer, InvoiceCustomSection
from customers.services.customers import CustomerValues

PLAIN = (
    "name", "firstname", "lastname", "legal_name", "legal_number", "tax_identification_number", "customer_type",
    "email", "phone", "url", "address_line1", "address_line2", "zipcode", "city", "state", "country", "currency",
    "timezone", "document_locale", "net_payment_term", "invoice_grace_period", "finalize_zero_amount_invoice",
    "issuing_date_anchor", "issuing_date_adjustment",
)  # fmt: skip
INHERIT = "as the billing entity"


class CustomerForm(VerbForm):
    """Everything of a customer that staff may change."""

    sections = (
        ("Customer", ("name", "external_id", "billing_entity", "customer_type", "firstname", "lastname")),
        ("Legal", ("legal_name", "legal_number", "tax_identification_number", "taxes")),
        ("Contact", ("email", "phone", "url")),
        ("Address", ("address_line1", "address_line2", "zipcode", "city", "state", "country")),
        (
            "Terms",
            (
                "currency", "document_locale", "timezone", "net_payment_term", "invoice_grace_period",
                "issuing_date_anchor", "issuing_date_adjustment", "finalize_zero_amount_invoice",
            ),
        ),
        ("Custom sections", ("custom_sections", "skip_invoice_custom_sections")),
    )  # fmt: skip
    aliases = {
        "billing_entity_code": "billing_entity",
        "tax_codes": "taxes",
        "invoice_custom_sections": "custom_sections",
    }

    name = forms.CharField(max_length=255, required=False)
    external_id = forms.CharField(max_length=255, help_text="By which your systems know the customer.")
    billing_entity = forms.ModelChoiceField(BillingEntity.objects.order_by("-is_default", "name"), empty_label=None)
    customer_type = forms.ChoiceField(label="Type", choices=[("", "–"), *Customer.Kind.choices], required=False)
    firstname = forms.CharField(label="First name", max_length=255, required=False)
    lastname = forms.CharField(label="Last name", max_length=255, required=False)
    legal_name = forms.CharField(max_length=255, required=False, help_text="As documents address it.")
    legal_number = forms.CharField(max_length=255, required=False, help_text="Of the register of companies.")
    tax_identification_number = forms.CharField(label="VAT id", max_length=64, required=False)
    taxes = forms.ModelMultipleChoiceField(
        known_taxes.choices(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Empty: those of the billing entity.",
    )
    email = forms.CharField(
        label="E-mail", max_length=1024, required=False, help_text="Invoices go here; several with commas between."
    )
    phone = forms.CharField(max_length=255, required=False)
    url = forms.CharField(label="Website", max_length=255, required=False)
    address_line1 = forms.CharField(label="Street", max_length=255, required=False)
    address_line2 = forms.CharField(label="Further line", max_length=255, required=False)
    zipcode = forms.CharField(label="Postal code", max_length=32, required=False)
    city = forms.CharField(max_length=255, required=False)
    state = forms.CharField(label="State or region", max_length=255, required=False)
    country = forms.ChoiceField(choices=choices.countries, required=False)
    currency = forms.ChoiceField(
        choices=lambda: choices.inherited(choices.currencies(), "as the first plan"), required=False
    )
    document_locale = forms.ChoiceField(
        label="Language of documents", choices=lambda: choices.inherited(choices.languages(), INHERIT), required=False
    )
    timezone = forms.ChoiceField(
        label="Time zone", choices=lambda: choices.inherited(choices.timezones(), INHERIT), required=False
    )
    net_payment_term = forms.IntegerField(
        label="Payment term (days)", min_value=0, max_value=3650, required=False, help_text=f"Empty: {INHERIT}."
    )
    invoice_grace_period = forms.IntegerField(
        label="Grace period (days)",
        min_value=0,
        max_value=365,
        required=False,
        help_text="How long invoices stay drafts. Empty: as the billing entity.",
    )
    issuing_date_anchor = forms.ChoiceField(
        label="Periodic invoices are of",
        choices=lambda: choices.inherited(list(BillingEntity.Anchor.choices), INHERIT),
        required=False,
    )
    issuing_date_adjustment = forms.ChoiceField(
        label="and are dated",
        choices=lambda: choices.inherited(list(BillingEntity.Adjustment.choices), INHERIT),
        required=False,
    )
    finalize_zero_amount_invoice = forms.ChoiceField(
        label="Invoices of nothing", choices=Customer.ZeroAmount.choices, required=False
    )
    custom_sections = forms.ModelMultipleChoiceField(
        InvoiceCustomSection.objects.filter(deleted_at__isnull=True),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=f"None chosen: {INHERIT}.",
    )
    skip_invoice_custom_sections = forms.BooleanField(label="No custom sections at all", required=False)

    def clean(self) -> dict[str, Any]:
        """Ask the domain about every field."""
        cleaned = super().clean() or self.cleaned_data
        given = {field: cleaned[field] for field in PLAIN if field in cleaned}
        for field, codes in profiles.check(given).items():
            if field in self.fields:
                self.add_error(field, [words(code) for code in codes])
        return cleaned


def customer_values(cleaned: Mapping[str, Any]) -> CustomerValues:
    """The filled-in form as the service takes it."""
    plain = {field: cleaned[field] for field in PLAIN}
    plain["finalize_zero_amount_invoice"] = plain["finalize_zero_amount_invoice"] or Customer.ZeroAmount.INHERIT
    return CustomerValues(
        **plain,
        external_id=cleaned["external_id"],
        billing_entity_code=cleaned["billing_entity"].code,
        tax_codes=[tax.code for tax in cleaned["taxes"]],
        skip_invoice_custom_sections=cleaned["skip_invoice_custom_sections"],
        invoice_custom_section_codes=[section.code for section in cleaned["custom_sections"]],
    )


def initial(customer: Customer) -> Mapping[str, Any]:
    """The customer as the form shows it."""
    return {
        **{field: getattr(customer, field) for field in PLAIN},
        "external_id": customer.external_id,
        "billing_entity": customer.billing_entity,
        "taxes": list(customer.taxes.all()),
        "custom_sections": list(customer.invoice_custom_sections.all()),
        "skip_invoice_custom_sections": customer.skip_invoice_custom_sections,
    }
