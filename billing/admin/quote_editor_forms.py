"""The head of the editor of a quote: for whom, until when, on which terms; and what to start from.

Days are local to the customer. The rows of what is sold are `quote_editor_rows`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.models import User

from billing.models import Contract, Quote, QuoteVersion
from catalog.domain import decimals
from catalog.models import PlanVersion
from config.kernel import dates, money
from config.platform.admin.forms import SearchWidget, VerbForm, words
from customers.domain import profiles
from customers.models import BillingEntity, Customer

Kind = Quote.Kind
VALID_DAYS = 30
HUNDRED = Decimal(100)
PROSPECT = {
    "prospect_name": "name",
    "prospect_legal_name": "legal_name",
    "prospect_email": "email",
    "prospect_external_id": "external_id",
    "prospect_tax_id": "tax_identification_number",
    "prospect_address": "address_line1",
    "prospect_zipcode": "zipcode",
    "prospect_city": "city",
    "prospect_country": "country",
}
"""What is asked of somebody who is no customer yet, and what the customer's field is called."""

TERMS = {
    "starts_on": "starts_on",
    "term_months": "term_months",
    "billing_time": "billing_time",
    "renewal": "renewal",
    "renewal_months": "renewal_months",
    "notice_days": "notice_days",
    "uplift": "uplift_rate",
    "uplift_scope": "uplift_scope",
    "payment_term_days": "payment_term_days",
    "purchase_order_number": "purchase_order_number",
    "terms_text": "terms_text",
}
"""The fields of the head that are terms, and what the terms are called."""

OF_TERM = (
    "starts_on",
    "term_months",
    "billing_time",
    "renewal",
    "renewal_months",
    "notice_days",
    "uplift",
    "uplift_scope",
)
"""Terms of a contract's own, which a change of one, or a sale of add-ons alone, does not have."""


class HeadForm(VerbForm):
    """Whom a quote is for, and the terms of all that it offers."""

    sections = (
        ("Quote", ("whom", "customer", "name", "valid_until", "currency", "owner")),
        ("Prospect", (*PROSPECT, "billing_entity")),
        ("Term and payment", (*OF_TERM, "payment_term_days", "purchase_order_number")),
        ("Texts", ("introduction", "terms_text")),
    )
    aliases = {
        **{field: name for name, field in PROSPECT.items()},
        **{term: name for name, term in TERMS.items()},
        **{f"prospect.{field}": name for name, field in PROSPECT.items()},
        **{f"terms.{term}": name for name, term in TERMS.items()},
        "external_customer_id": "customer",
        "billing_entity_code": "billing_entity",
        "owner_id": "owner",
        "prospect": "prospect_name",
    }

    kind = forms.ChoiceField(choices=Kind.choices, widget=forms.HiddenInput)
    contract = forms.ModelChoiceField(Contract.objects.all(), required=False, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, widget=forms.HiddenInput, max_length=200)
    whom = forms.ChoiceField(
        label="The quote is for",
        choices=[("customer", "a customer"), ("prospect", "somebody who is no customer yet")],
        initial="customer",
    )
    customer = forms.ModelChoiceField(
        Customer.objects.filter(deleted_at__isnull=True),
        required=False,
        widget=SearchWidget(Contract._meta.get_field("customer")),
        help_text="Search by name, e-mail or external id.",
        error_messages={"invalid_choice": "There is no such customer."},
    )
    prospect_name = forms.CharField(label="Company", max_length=255, required=False)
    prospect_legal_name = forms.CharField(label="Legal name", max_length=255, required=False)
    prospect_email = forms.CharField(label="E-mail", max_length=1024, required=False)
    prospect_external_id = forms.CharField(
        label="Customer id", max_length=255, required=False, help_text="Empty: made with the acceptance."
    )
    prospect_tax_id = forms.CharField(label="VAT id", max_length=64, required=False)
    prospect_address = forms.CharField(label="Street", max_length=255, required=False)
    prospect_zipcode = forms.CharField(label="Postal code", max_length=32, required=False)
    prospect_city = forms.CharField(label="City", max_length=255, required=False)
    prospect_country = forms.ChoiceField(label="Country", required=False)
    name = forms.CharField(label="Name of the quote", max_length=255, help_text="As it stands on the document.")
    billing_entity = forms.ModelChoiceField(
        BillingEntity.objects.order_by("-is_default", "name"), label="Seller", required=False, empty_label=None
    )
    currency = forms.ChoiceField()
    valid_until = forms.DateField(label="Valid until", help_text="The last day on which it can be accepted.")
    owner = forms.ModelChoiceField(
        User.objects.filter(is_active=True, is_staff=True).order_by("username"), required=False, empty_label="me"
    )
    starts_on = forms.DateField(label="First day", required=False, help_text="Empty: the day of acceptance.")
    term_months = forms.IntegerField(label="Months", min_value=1, max_value=240)
    billing_time = forms.ChoiceField(label="Periods", choices=Contract.BillingTime.choices)
    renewal = forms.ChoiceField(label="At the end of the term", choices=Contract.Renewal.choices)
    renewal_months = forms.IntegerField(
        label="Months of a renewal", min_value=1, max_value=240, required=False, help_text="Empty: as the first term."
    )
    notice_days = forms.IntegerField(label="Notice in days", min_value=0, max_value=365, required=False)
    uplift = forms.DecimalField(
        label="Uplift at renewal, %", min_value=-99, max_value=1000, max_digits=9, decimal_places=4, required=False
    )
    uplift_scope = forms.ChoiceField(label="Uplift of", choices=Contract.UpliftScope.choices)
    payment_term_days = forms.IntegerField(
        label="Payment term in days", min_value=0, max_value=3650, required=False, help_text="Empty: the customer's."
    )
    purchase_order_number = forms.CharField(label="Purchase order", max_length=255, required=False)
    introduction = forms.CharField(
        required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Stands at the top of the document.",
    )  # fmt: skip
    terms_text = forms.CharField(
        label="Terms", required=False, max_length=100_000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Stands at its end, and in the contract.",
    )  # fmt: skip

    def __init__(self, data: Any = None, *, quote: Quote | None = None, is_live: bool = False, **kwargs: Any) -> None:
        self.quote, self.is_live = quote, is_live
        super().__init__(data, **kwargs)
        self.fields["currency"].choices = _currencies(self._value("currency"))
        self.fields["prospect_country"].choices = [("", "–"), *((code, code) for code in sorted(profiles.countries()))]
        kind = self._value("kind") or Kind.NEW
        dropped = set()
        if kind in (Kind.AMENDMENT, Kind.ONE_OFF):
            dropped |= set(OF_TERM)
        if kind in (Kind.AMENDMENT, Kind.RENEWAL) or (quote is not None and quote.customer_id):
            dropped |= {"whom", "customer", "billing_entity", *PROSPECT}
        elif quote is not None:
            dropped |= {"whom", "customer", "billing_entity"}
        if kind in (Kind.AMENDMENT, Kind.RENEWAL):
            dropped.add("currency")
        if kind == Kind.RENEWAL:
            dropped |= {"starts_on", "billing_time"}
        for name in dropped:
            del self.fields[name]
        if is_live:
            for field in self.fields.values():
                field.required = False

    def clean(self) -> dict[str, Any]:
        """Whom it is for has to be said; what is said of a prospect has to be right for a customer."""
        values = super().clean() or self.cleaned_data
        needs_customer = not self.is_live and "customer" in self.fields and "customer" not in self.errors
        if needs_customer and values.get("whom") == "customer" and not values.get("customer"):
            self.add_error("customer", "Choose a customer, or describe somebody who is none yet.")
        if self.is_for_prospect(values):
            if not self.is_live and not values.get("prospect_name"):
                self.add_error("prospect_name", "This is needed.")
            wrong = profiles.check({k: v for k, v in self.prospect(values).items() if k != "external_id"})
            for field, codes in wrong.items():
                self.add_error(self.aliases.get(field), [words(code) for code in codes])
        return values

    def is_for_prospect(self, values: Mapping[str, Any]) -> bool:
        """Say whether it is for somebody who is no customer yet."""
        if "whom" in self.fields:
            return values.get("whom") == "prospect"
        return "prospect_name" in self.fields

    def prospect(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The description of a prospect, as a customer's; empty fields are left out."""
        return {field: values[name] for name, field in PROSPECT.items() if values.get(name)}

    def prospect_fields(self) -> frozenset[str]:
        """The fields of a customer that the form asks of a prospect."""
        return frozenset(PROSPECT.values())

    def terms(self) -> dict[str, Any]:
        """The terms of the head, as JSON holds them; what the form does not ask is left out."""
        found: dict[str, Any] = {}
        for name, term in TERMS.items():
            if name not in self.fields:
                continue
            value = self.cleaned_data.get(name)
            if name == "uplift":
                value = decimals.text((value or Decimal(0)) / HUNDRED)
            elif name == "notice_days":
                value = value or 0
            elif isinstance(value, date):
                value = value.isoformat()
            if value is not None:
                found[term] = value
        return found

    def unread(self) -> list[str]:
        """What of the terms cannot be read, field by field: nothing is summed up on what was not typed."""
        asked = [name for name in (*TERMS, "currency") if name in self.fields and name in self.errors]
        return [f"{self[name].label}: {' '.join(self.errors[name])}" for name in asked]

    def has_no_term(self) -> bool:
        """Say whether months are asked for and none are given yet."""
        return self.is_bound and "term_months" in self.fields and not self.cleaned_data.get("term_months")

    def _value(self, name: str) -> str:
        return str(self.data.get(name) or "") if self.is_bound else str(self.initial.get(name) or "")


class StartForm(VerbForm):
    """What a new quote can start from: another quote, or a contract that runs."""

    copy = forms.ModelChoiceField(
        Quote.objects.all(),
        label="Another quote",
        required=False,
        widget=SearchWidget(QuoteVersion._meta.get_field("quote")),
    )
    contract = forms.ModelChoiceField(
        Contract.objects.all(), label="A contract that runs", required=False,
        widget=SearchWidget(Quote._meta.get_field("contract")),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="start_%s", **kwargs)
        del self.fields["once"]


def initial(*, at: datetime, zone: Any) -> dict[str, Any]:
    """What a fresh quote proposes: valid for a month, a term of a year."""
    today = dates.local_date(at, zone)
    entity = BillingEntity.objects.order_by("-is_default", "pk").first()
    return {
        "kind": Kind.NEW,
        "currency": "" if entity is None else entity.default_currency,
        "billing_entity": None if entity is None else entity.pk,
        "valid_until": today + timedelta(days=VALID_DAYS),
        "term_months": 12,
        "notice_days": 30,
        "billing_time": Contract.BillingTime.ANNIVERSARY,
    }


def of_terms(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Write stored terms as the fields of the head."""
    found = {name: terms.get(term) for name, term in TERMS.items()}
    found["uplift"] = decimals.text(Decimal(str(terms.get("uplift_rate") or 0)) * HUNDRED)
    return found


def of_prospect(prospect: Mapping[str, Any]) -> dict[str, Any]:
    """Write the description of a prospect as the fields of the head."""
    return {name: prospect.get(field, "") for name, field in PROSPECT.items()}


def _currencies(chosen: str) -> list[tuple[str, str]]:
    """The currencies that anything is sold in, and those of the sellers."""
    found = set(PlanVersion.objects.order_by().values_list("currency", flat=True).distinct())
    found |= set(BillingEntity.objects.order_by().values_list("default_currency", flat=True).distinct())
    found |= {chosen} & set(money.currencies())
    return [(code, code) for code in sorted(found - {""})]
