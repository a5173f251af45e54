"""What is filled in about wallets: the terms of one, and whose it is with its first credits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from moneyed import Money

from catalog.models import BillableMetric
from config.kernel import dates, money
from config.platform.admin.forms import SearchWidget, VerbForm
from customers.models import Customer, InvoiceCustomSection
from invoicing.models import InvoiceLine, Wallet
from invoicing.services.wallets import WalletValues

CREDITS = {"min_value": 0, "max_digits": 30, "decimal_places": 15}
"""How a field of credits is checked."""


class TermsForm(VerbForm):
    """What of a wallet can be changed."""

    aliases = {
        "paid_top_up_min_amount_cents": "least",
        "paid_top_up_max_amount_cents": "most",
        "applies_to": "fee_types",
        "expiration_at": "ends_on",
        "invoice_custom_section": "sections_chosen",
    }

    name = forms.CharField(max_length=255, required=False)
    code = forms.CharField(max_length=255, required=False, help_text="Empty: from the name.")
    priority = forms.IntegerField(
        min_value=1, max_value=50, initial=50, help_text="Of two wallets that of the lower number pays first."
    )
    ends_on = forms.DateField(required=False, help_text="The wallet ends when this day begins; what is left is lost.")
    fee_types = forms.MultipleChoiceField(
        label="Pays only", choices=InvoiceLine.Kind.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    metrics = forms.ModelMultipleChoiceField(
        BillableMetric.objects.filter(deleted_at__isnull=True),
        label="And the usage of",
        required=False,
        help_text="Nothing chosen in both: it pays everything.",
    )
    least = forms.DecimalField(label="Smallest purchase", min_value=0, decimal_places=4, required=False)
    most = forms.DecimalField(label="Largest purchase", min_value=0, decimal_places=4, required=False)
    waits = forms.BooleanField(label="Issue invoices of purchases only once they are paid", required=False)
    purchase_order_number = forms.CharField(max_length=255, required=False)
    sections_chosen = forms.ModelMultipleChoiceField(
        InvoiceCustomSection.objects.filter(deleted_at__isnull=True),
        label="Custom sections",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Of invoices of purchases. None chosen: the customer's.",
    )

    sections = (
        ("Wallet", ("customer", "name", "code", "currency", "rate_amount", "priority", "ends_on")),
        ("First credits", ("paid_credits", "granted_credits")),
        ("What it pays", ("fee_types", "metrics")),
        ("Purchases", ("least", "most", "waits", "purchase_order_number", "sections_chosen")),
    )


class NewWalletForm(TermsForm):
    """Whose wallet, in what, and its first credits."""

    aliases = {**TermsForm.aliases, "external_customer_id": "customer"}

    customer = forms.ModelChoiceField(
        Customer.objects.filter(deleted_at__isnull=True),
        widget=SearchWidget(Wallet._meta.get_field("customer")),
        help_text="Search by name, e-mail or external id.",
    )
    currency = forms.ChoiceField(
        choices=lambda: [("", "the customer's"), *((code, code) for code in money.currencies())], required=False
    )
    rate_amount = forms.DecimalField(
        label="Worth of one credit", initial=1, max_digits=27, decimal_places=12, help_text="It stays as it is."
    )
    paid_credits = forms.DecimalField(
        label="Buy credits", required=False, help_text="An invoice is issued; they come in when it is paid.", **CREDITS
    )
    granted_credits = forms.DecimalField(
        label="Give credits", required=False, help_text="They come in at once.", **CREDITS
    )


def terms(values: Mapping[str, Any], currency: str, timezone: str) -> WalletValues:
    """Return what a filled form says of a wallet. The day it ends begins in the customer's time zone."""
    ends = values["ends_on"]
    given: WalletValues = {
        "name": values["name"],
        "priority": values["priority"],
        "expiration_at": None if ends is None else dates.start_of_day(ends, dates.zone(timezone)),
        "fee_types": values["fee_types"],
        "billable_metric_codes": [metric.code for metric in values["metrics"]],
        "paid_top_up_min_amount_cents": _cents(values["least"], currency),
        "paid_top_up_max_amount_cents": _cents(values["most"], currency),
        "invoice_requires_successful_payment": values["waits"],
        "purchase_order_number": values["purchase_order_number"],
        "custom_section_codes": [section.code for section in values["sections_chosen"]] or None,
    }
    if values["code"]:
        given["code"] = values["code"]
    return given


def _cents(amount: Any, currency: str) -> int | None:
    return None if amount is None else money.to_minor(Money(amount, currency))
