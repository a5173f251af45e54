"""Taxes in the admin: the list, the page, and making, changing and retiring them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.db import transaction
from django.http import HttpRequest

from catalog.models import Tax
from catalog.services import taxes
from catalog.services.taxes import TaxValues
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, offers, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Page
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome

HUNDRED = Decimal(100)
OFFERS = "catalog.tax"


class TaxForm(VerbForm):
    """What a tax is made of; the rate is asked in percent."""

    name = forms.CharField(max_length=255, help_text="As documents name it, for example “VAT 19 %”.")
    code = forms.CharField(max_length=255, help_text="By which the API knows it.")
    rate = forms.DecimalField(label="Rate in percent", min_value=0, max_value=100, max_digits=9, decimal_places=6)
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    legal_note = forms.CharField(
        label="Text on documents",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Printed where the tax stands, for example why it is nothing.",
    )


class NewTaxForm(TaxForm):
    """A new tax, with what it can be given to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offers.add_fields(OFFERS, self)


def tax_values(cleaned: Mapping[str, Any]) -> TaxValues:
    """The filled-in form as the service takes it: the rate is a fraction."""
    return TaxValues(
        code=cleaned["code"],
        name=cleaned["name"],
        description=cleaned["description"],
        legal_note=cleaned["legal_note"],
        rate=cleaned["rate"] / HUNDRED,
    )


class CreateTax(ListVerb):
    """Make a tax."""

    name = "create"
    label = "New tax"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "catalog.add_tax"
    explanation = "A tax applies to whatever names it: a price, a customer or a billing entity."
    confirm = "Save"
    form_class = NewTaxForm

    @transaction.atomic
    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it, and give it to what was chosen."""
        tax = taxes.create(values=tax_values(values), actor=actor, at=at)
        offers.apply(OFFERS, instance=tax, values=values, actor=actor, at=at)
        return Outcome(f"The tax {tax} was made.", cells.page_url(tax))


class EditTax(ObjectVerb):
    """Change a tax."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "catalog.change_tax"
    explanation = "A change reaches what is billed from now on. Issued documents keep the rate they were issued with."
    confirm = "Save"
    form_class = TaxForm

    def check(self, *, instance: Tax, at: datetime) -> None:
        """A retired tax stays as it was."""
        require_existing(instance)

    def initial(self, *, instance: Tax, at: datetime) -> Mapping[str, Any]:
        """The tax as it is."""
        rate = (instance.rate * HUNDRED).normalize()
        return {
            "code": instance.code,
            "name": instance.name,
            "rate": f"{rate:f}",
            "description": instance.description,
            "legal_note": instance.legal_note,
        }

    def perform(self, *, instance: Tax, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        taxes.update(code=instance.code, values=tax_values(values), actor=actor, at=at)
        return Outcome("The tax was saved.")


class RetireTax(ObjectVerb):
    """Retire a tax."""

    name = "delete"
    label = "Retire"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "catalog.delete_tax"
    explanation = "It is taken off every price and applies to nothing from now on. Issued documents keep it."
    confirm = "Retire the tax"

    def check(self, *, instance: Tax, at: datetime) -> None:
        """A tax is retired once."""
        require_existing(instance)

    def preview(self, *, instance: Tax, at: datetime) -> Sequence[Block]:
        """What names it today."""
        return (uses(instance),)

    def perform(self, *, instance: Tax, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Retire it."""
        taxes.delete(code=instance.code, actor=actor, at=at)
        return Outcome(f"The tax {instance} was retired.")


@pages.register(Tax)
class TaxAdmin(pages.PageAdmin):
    """Taxes."""

    list_display = ("named", "rate_amount", "about", "state")
    list_filter = (filters.RetiredFilter,)
    search_fields = ("name", "code")
    ordering = ("name", "id")
    list_verbs = (CreateTax(),)
    verbs = (EditTax(), RetireTax())
    panels = "catalog.tax"
    empty_text = "Make one for each rate that your documents show."

    @theme.display(description="Tax", ordering="name")
    def named(self, tax: Tax) -> str:
        """Name and code."""
        return cells.stack(tax.name, tax.code)

    @theme.display(description="Rate", ordering="rate")
    def rate_amount(self, tax: Tax) -> str:
        """The rate in percent."""
        return cells.percent(tax.rate)

    @theme.display(description="Description")
    def about(self, tax: Tax) -> str:
        """What staff noted."""
        return tax.description

    @theme.display(description="State")
    def state(self, tax: Tax) -> str:
        """Whether it applies to anything new."""
        return state(tax)

    def page(self, request: HttpRequest, instance: Tax) -> Page:
        """The tax, what names it, and its history."""
        facts = Facts(
            "Tax",
            (
                Fact("Name", instance.name),
                Fact("Code", cells.code(instance.code)),
                Fact("Rate", cells.percent_text(instance.rate)),
                Fact("State", state(instance)),
                Fact("Kept by", instance.get_origin_display()),
                Fact("Description", instance.description or cells.EMPTY),
                Fact("Text on documents", instance.legal_note or cells.EMPTY),
                Fact("Made", cells.instant(instance.created_at)),
            ),
        )
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(facts, uses(instance), recent), tabs=())


def uses(tax: Tax) -> Facts:
    """How many things of the catalogue and of customers name the tax."""
    versions = tax.plan_versions.filter(is_current=True).count()
    charges = tax.charges.filter(plan_version__is_current=True).count()
    fixed_charges = tax.fixed_charges.filter(plan_version__is_current=True).count()
    return Facts(
        "Named by",
        (
            Fact("Plan fees", cells.number_text(versions)),
            Fact("Usage prices", cells.number_text(charges)),
            Fact("Fixed charges", cells.number_text(fixed_charges)),
            Fact("Add-ons", cells.number_text(tax.add_ons.filter(deleted_at__isnull=True).count())),
            Fact("Customers", cells.number_text(tax.customers.count())),
            Fact("Billing entities", cells.number_text(tax.billing_entities.count())),
        ),
    )


def state(row: Any) -> str:
    """Whether a row of the catalogue can be used, or was retired. Whether anybody uses it is another question."""
    if row.deleted_at is None:
        return cells.badge("active", Tone.GOOD)
    return cells.badge("retired", Tone.NEUTRAL)


def require_existing(row: Any) -> None:
    """Refuse to change what was retired. Raises NotAllowed."""
    if row.deleted_at is not None:
        raise errors.NotAllowed("retired", f"{row} is retired.")
