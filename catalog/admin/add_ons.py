"""Add-ons in the admin: the list, the page with the plans that sell it, and making, changing and retiring them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from moneyed import Money

from catalog.admin import prices
from catalog.admin.taxes import require_existing, state
from catalog.models import AddOn
from catalog.queries import add_ons as known
from catalog.queries import taxes as known_taxes
from catalog.services import add_ons
from catalog.services.add_ons import AddOnValues
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Fact, Facts, Page, Row, Table, columns
from config.platform.admin.forms import VerbForm, told
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome


class AddOnForm(VerbForm):
    """What an add-on is made of. ``money`` is its price, checked against the currency's digits."""

    sections = (
        ("Add-on", ("name", "code", "invoice_display_name", "description")),
        ("Price", ("amount", "currency", "taxes", "tax_inclusive")),
    )
    aliases = {"amount_cents": "amount", "amount_currency": "currency", "tax_codes": "taxes"}

    name = forms.CharField(max_length=255)
    code = forms.CharField(max_length=255, help_text="By which the API knows it.")
    invoice_display_name = forms.CharField(
        label="Name on invoices", max_length=255, required=False, help_text="Empty: the add-on's name."
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    amount = forms.DecimalField(
        label="Price of one",
        min_value=0,
        max_digits=15,
        decimal_places=4,
        help_text="Where whoever sells it names no other. The fixed charges of plans have prices of their own.",
    )
    currency = forms.ChoiceField(choices=[(code, code) for code in money.currencies()], initial="EUR")
    taxes = forms.ModelMultipleChoiceField(
        known_taxes.choices(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Empty: the customer's taxes, or else the billing entity's.",
    )
    tax_inclusive = forms.BooleanField(
        label="The price includes tax",
        required=False,
        help_text="Where it is sold by itself the customer pays this price, whatever the taxes are. Plans say it for "
        "their fixed charges themselves.",
    )

    def clean(self) -> dict[str, Any]:
        """Refuse digits that the currency does not have."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("amount") is not None and cleaned.get("currency"):
            cleaned["money"] = Money(cleaned["amount"], cleaned["currency"])
            try:
                money.to_minor(cleaned["money"])
            except errors.Invalid as refusal:
                self.add_error("amount", told(refusal))
        return cleaned


def add_on_values(cleaned: Mapping[str, Any]) -> AddOnValues:
    """The filled-in form as the service takes it."""
    return AddOnValues(
        code=cleaned["code"],
        name=cleaned["name"],
        invoice_display_name=cleaned["invoice_display_name"],
        description=cleaned["description"],
        amount_cents=money.to_minor(cleaned["money"]),
        amount_currency=cleaned["currency"],
        tax_codes=[tax.code for tax in cleaned["taxes"]],
        tax_inclusive=cleaned["tax_inclusive"],
    )


class CreateAddOn(ListVerb):
    """Make an add-on."""

    name = "create"
    label = "New add-on"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "catalog.add_addon"
    explanation = "An add-on is sold by the piece: seats, set-up, support. Plans sell an agreed number of it."
    confirm = "Save"
    form_class = AddOnForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        add_on = add_ons.create(values=add_on_values(values), actor=actor, at=at)
        return Outcome(f"The add-on {add_on} was made.", cells.page_url(add_on))


class EditAddOn(ObjectVerb):
    """Change an add-on."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "catalog.change_addon"
    explanation = "What plans ask for it stays as it is, and so do issued invoices."
    confirm = "Save"
    form_class = AddOnForm

    def check(self, *, instance: AddOn, at: datetime) -> None:
        """A retired add-on stays as it was."""
        require_existing(instance)

    def initial(self, *, instance: AddOn, at: datetime) -> Mapping[str, Any]:
        """The add-on as it is."""
        return {
            "name": instance.name,
            "code": instance.code,
            "invoice_display_name": instance.invoice_display_name,
            "description": instance.description,
            "amount": money.rounded(instance.amount).amount,
            "currency": instance.currency,
            "taxes": list(instance.taxes.all()),
            "tax_inclusive": instance.tax_inclusive,
        }

    def perform(self, *, instance: AddOn, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        add_ons.update(code=instance.code, values=add_on_values(values), actor=actor, at=at)
        return Outcome("The add-on was saved.")


class RetireAddOn(ObjectVerb):
    """Retire an add-on."""

    name = "delete"
    label = "Retire"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "catalog.delete_addon"
    explanation = "It cannot be sold anew. The plans that sell it go on doing so, until they leave it out."
    confirm = "Retire the add-on"

    def check(self, *, instance: AddOn, at: datetime) -> None:
        """An add-on is retired once."""
        require_existing(instance)

    def preview(self, *, instance: AddOn, at: datetime) -> tuple[Table, ...]:
        """The plans that sell it."""
        return (sold_in(instance),)

    def perform(self, *, instance: AddOn, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Retire it."""
        add_ons.delete(code=instance.code, actor=actor, at=at)
        return Outcome(f"The add-on {instance} was retired.")


@pages.register(AddOn)
class AddOnAdmin(pages.PageAdmin):
    """Add-ons."""

    list_display = ("named", "price", "about", "state")
    list_filter = (filters.RetiredFilter,)
    search_fields = ("name", "code")
    ordering = ("name", "id")
    list_verbs = (CreateAddOn(),)
    verbs = (EditAddOn(), RetireAddOn())
    panels = "catalog.addon"
    empty_text = "What you sell by the piece: seats, set-up, support."

    @theme.display(description="Add-on", ordering="name")
    def named(self, add_on: AddOn) -> str:
        """Name and code."""
        return cells.stack(add_on.name, add_on.code)

    @theme.display(description="Price of one", ordering="amount")
    def price(self, add_on: AddOn) -> str:
        """What one costs."""
        return cells.money(add_on.amount)

    @theme.display(description="Description")
    def about(self, add_on: AddOn) -> str:
        """What staff noted."""
        return add_on.description

    @theme.display(description="State")
    def state(self, add_on: AddOn) -> str:
        """Whether it can be sold anew."""
        return state(add_on)

    def page(self, request: HttpRequest, instance: AddOn) -> Page:
        """The add-on, the plans that sell it, and its history."""
        facts = Facts(
            "Add-on",
            (
                Fact("Name", instance.name),
                Fact("Code", cells.code(instance.code)),
                Fact("Price of one", cells.money_text(instance.amount)),
                Fact("Tax", "in the price" if instance.tax_inclusive else "added to the price"),
                Fact("State", state(instance)),
                Fact("Name on invoices", instance.invoice_display_name or instance.name),
                Fact("Taxes", ", ".join(str(tax) for tax in instance.taxes.all()) or "the customer's"),
                Fact("Description", instance.description or cells.EMPTY),
                Fact("Made", cells.instant(instance.created_at)),
            ),
        )
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(facts, sold_in(instance), recent))


def sold_in(add_on: AddOn) -> Table:
    """The current plans that sell the add-on."""
    return Table(
        "Sold with",
        columns("Plan", "Fixed charge", "Units and price"),
        tuple(
            Row(
                (
                    cells.to(charge.plan_version.plan),
                    cells.to(charge, charge.code),
                    prices.of_fixed_charge(charge, charge.plan_version.currency),
                )
            )
            for charge in known.sold_in(add_on)[:100]
        ),
        empty="No plan sells it.",
    )
