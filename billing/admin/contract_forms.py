"""The forms of a contract's verbs. Days are local to the customer; ``seen`` is the contract as it was shown."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from moneyed import Money

from billing.models import Contract, ContractCommitment
from catalog.models import Plan
from config.kernel import money
from config.platform.admin.forms import ReasonForm, SearchWidget, VerbForm
from customers.models import Customer

_PRICES = ("fee", "units")


def plans() -> Any:
    """The plans that can be sold."""
    return Plan.objects.filter(deleted_at__isnull=True).order_by("name")


def own_terms(values: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Return the own terms that a form asks for. Raises Invalid for a fee that is finer than the currency."""
    fee = values.get("fee")
    return {} if fee is None else {"amount_cents": money.to_minor(Money(fee, currency))}


def units(values: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return numbers of units by the codes of fixed charges, from lines such as ``seats 50``."""
    found: dict[str, Decimal] = {}
    for line in (values.get("units") or "").splitlines():
        if line.strip():
            code, _, number = line.strip().rpartition(" ")
            found[code.strip()] = Decimal(number)
    return found


class _Priced(VerbForm):
    """A fee and numbers of units of a phase's own."""

    fee = forms.DecimalField(
        label="Fee of its own", required=False, min_value=0, max_digits=16, help_text="Empty: the plan's."
    )
    units = forms.CharField(
        label="Units of fixed charges",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="A line for each: the code of the fixed charge, a blank, the number.",
    )

    def clean_units(self) -> str:
        """Refuse lines that do not end with a number."""
        text: str = self.cleaned_data["units"]
        for line in text.splitlines():
            code, _, number = line.strip().rpartition(" ")
            if line.strip() and (not code or not number.replace(".", "", 1).isdecimal() or not number.isascii()):
                raise forms.ValidationError(f"“{line}” is no code with a number.")
        return text


class NewContractForm(_Priced):
    """A contract of one product; more products, phases and commitments are added to the draft."""

    sections = (
        ("Contract", ("customer", "name", "starts_on", "term_months", "purchase_order_number", "terms_text")),
        ("First product", ("external_id", "plan", "fee", "units", "billing_time")),
        ("At the end of the term", ("renewal", "notice_days", "uplift", "uplift_scope")),
        ("Commitment", ("commitment",)),
    )
    aliases = {
        "external_customer_id": "customer", "plan_code": "plan", "uplift_rate": "uplift", "currency": "plan",
        "commitments": "commitment", "phases": "starts_on", "fixed_charge_not_found": "units",
    }  # fmt: skip

    customer = forms.ModelChoiceField(
        Customer.objects.filter(deleted_at__isnull=True),
        widget=SearchWidget(Contract._meta.get_field("customer")),
        help_text="Search by name, e-mail or external id.",
    )
    name = forms.CharField(max_length=255)
    starts_on = forms.DateField(label="First day", help_text="In the customer's time zone.")
    term_months = forms.IntegerField(label="Months", min_value=1, max_value=240, initial=12)
    purchase_order_number = forms.CharField(max_length=255, required=False)
    terms_text = forms.CharField(label="Terms", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    external_id = forms.CharField(label="Subscription id", max_length=255, help_text="Usage events name it.")
    plan = forms.ModelChoiceField(plans())
    billing_time = forms.ChoiceField(label="Periods", choices=Contract.BillingTime.choices)
    renewal = forms.ChoiceField(choices=Contract.Renewal.choices)
    notice_days = forms.IntegerField(label="Notice in days", min_value=0, max_value=365, initial=30)
    uplift = forms.DecimalField(
        label="Uplift in percent", min_value=-99, max_value=1000, max_digits=9, decimal_places=4, initial=0
    )
    uplift_scope = forms.ChoiceField(label="Of", choices=Contract.UpliftScope.choices)
    commitment = forms.DecimalField(
        label="Over the term", required=False, min_value=0, max_digits=16, help_text="Empty: none."
    )


class _Seen(VerbForm):
    """What the contract was when it was shown."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class ProductChoice(_Seen):
    """One of the products of a contract."""

    product = forms.ChoiceField()

    def offer(self, contract: Contract) -> None:
        """Offer the products of a contract."""
        self.fields["product"].choices = [(row.external_id, str(row)) for row in contract.items.order_by("pk")]


class TermsForm(ReasonForm, ProductChoice, _Priced):
    """Other terms of a product from a day on."""

    sections = (("", ("product", "effective_on", "until", "plan", "fee", "units", "reason")),)
    aliases = {"external_id": "product", "plan_code": "plan", "starts_on": "effective_on"}

    effective_on = forms.DateField(label="From", help_text="The first day, in the customer's time zone.")
    until = forms.DateField(label="Until", required=False, help_text="The last day. Empty: its end.")
    plan = forms.ModelChoiceField(plans(), required=False, help_text="Empty: the plan that it has.")


class ProductForm(ReasonForm, _Seen, _Priced):
    """A product that is added."""

    sections = (("", ("external_id", "name", "effective_on", "plan", "fee", "units", "reason")),)
    aliases = {"plan_code": "plan", "starts_on": "effective_on", "currency": "plan"}

    external_id = forms.CharField(label="Subscription id", max_length=255, help_text="Usage events name it.")
    name = forms.CharField(max_length=255, required=False)
    effective_on = forms.DateField(label="From", help_text="It ends with the contract.")
    plan = forms.ModelChoiceField(plans())


class RemoveForm(ReasonForm, ProductChoice):
    """A product that ends."""

    sections = (("", ("product", "effective_on", "reason")),)
    aliases = {"external_id": "product"}

    effective_on = forms.DateField(label="From", help_text="The first day without it.")


class ExtendForm(ReasonForm, _Seen):
    """A longer term."""

    sections = (("", ("ends_on", "reason")),)

    ends_on = forms.DateField(label="Last day")


class CommitmentForm(ReasonForm, _Seen):
    """Another amount of a commitment, or one more."""

    sections = (
        ("", ("commitment", "amount", "effective_on", "invoice_name", "reason")),
        ("One more", ("is_prepaid", "instalments", "grant_on", "rolls_over")),
    )
    aliases = {"commitments": "amount"}

    commitment = forms.ModelChoiceField(
        ContractCommitment.objects.none(), required=False, empty_label="one more, over the term"
    )
    amount = forms.DecimalField(min_value=0, max_digits=16)
    effective_on = forms.DateField(label="From")
    invoice_name = forms.CharField(label="Name on invoices", max_length=255, required=False)
    is_prepaid = forms.BooleanField(
        label="Prepaid, drawn down", required=False, help_text="It is invoiced in advance, and pays the invoices."
    )
    instalments = forms.ChoiceField(
        label="Invoiced", choices=ContractCommitment.Instalments.choices, required=False, initial="whole"
    )
    grant_on = forms.ChoiceField(
        label="May be used", choices=ContractCommitment.GrantOn.choices, required=False, initial="payment"
    )
    rolls_over = forms.BooleanField(
        label="What is left rolls over", required=False, help_text="Into a renewed term. Else it expires at the end."
    )

    def clean(self) -> dict[str, Any]:
        """Only one more can be prepaid: those that are there stay what they are."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("commitment") is not None and values.get("is_prepaid"):
            self.add_error("is_prepaid", "Choose one more: a commitment that is there stays what it is.")
        return values


def prepaid(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of one more commitment that is prepaid; nothing where it is not."""
    if not values["is_prepaid"]:
        return {}
    return {
        "kind": ContractCommitment.Kind.PREPAID,
        "instalments": values["instalments"] or ContractCommitment.Instalments.WHOLE,
        "grant_on": values["grant_on"] or ContractCommitment.GrantOn.PAYMENT,
        "rolls_over": values["rolls_over"],
    }


class NoticeForm(VerbForm):
    """Who gave notice, when and why."""

    sections = (("", ("given_by", "given_on", "reason")),)

    given_by = forms.CharField(label="By whom", max_length=255, initial="the customer")
    given_on = forms.DateField(label="On", required=False, help_text="Empty: today.")
    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), required=False, max_length=1000)


class EndForm(ReasonForm, _Seen):
    """An early end."""

    sections = (("", ("ends_on", "is_whole", "reason")),)

    ends_on = forms.DateField(label="Last day")
    is_whole = forms.BooleanField(
        label="All of a commitment over the term is owed", required=False, help_text="Else it is owed by its days."
    )
