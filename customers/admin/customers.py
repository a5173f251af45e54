"""Customers in the admin: the list, the page, and making, changing and retiring them.

What a customer bought, used and owes is shown by the apps above, which register panels for the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalog.models import PlanVersion
from config.kernel import dates, errors
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Beside, Block, Fact, Facts, Note, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from customers.admin import choices, customer_forms, customer_glance, customer_taxes
from customers.admin.addresses import lines
from customers.admin.applied_coupons import ApplyCoupon
from customers.admin.billing_entities import issuing_text
from customers.admin.customer_forms import CustomerForm, customer_values
from customers.admin.customer_taxes import EndExemption, Exempt
from customers.admin.portal_verbs import PortalLink, RevokePortalLinks
from customers.domain import tax_ids
from customers.models import BillingEntity, Customer
from customers.queries import custom_sections
from customers.services import customers


class CreateCustomer(ListVerb):
    """Make a customer."""

    name = "create"
    label = "New customer"
    icon = "person_add"
    variant = theme.ActionVariant.PRIMARY
    permission = "customers.add_customer"
    explanation = (
        "Then begin a subscription for it under Subscriptions, or through the API by the external id given here."
    )
    confirm = "Save"
    form_class = CustomerForm

    def initial(self, *, at: datetime) -> Mapping[str, Any]:
        """The usual seller."""
        return {"billing_entity": BillingEntity.objects.filter(is_default=True).first()}

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it, unless the external id is taken: then saving would change somebody else's customer."""
        if Customer.objects.filter(external_id=values["external_id"], deleted_at__isnull=True).exists():
            raise errors.Invalid("validation_errors", "", {"external_id": ["value_already_exist"]})
        customer = customers.upsert(values=customer_values(values), actor=actor, at=at)
        return Outcome(f"The customer {customer} was made.", cells.page_url(customer))


class EditCustomer(ObjectVerb):
    """Change a customer."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "customers.change_customer"
    explanation = "A change reaches drafts and what is billed from now on. Issued documents keep what they say."
    confirm = "Save"
    form_class = CustomerForm

    def check(self, *, instance: Customer, at: datetime) -> None:
        """A retired customer stays as it was."""
        require_existing(instance)

    def form(self, *, data: Any, instance: Customer, at: datetime) -> CustomerForm:
        """The customer as it is; the external id is what others know it by, and stays."""
        form = CustomerForm(data, initial=customer_forms.initial(instance))
        form.fields["external_id"].disabled = True
        return form

    def perform(self, *, instance: Customer, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        customers.upsert(values=customer_values(values), actor=actor, at=at)
        return Outcome("The customer was saved.")


class RetireCustomer(ObjectVerb):
    """Retire a customer."""

    name = "delete"
    label = "Retire"
    icon = "person_remove"
    variant = theme.ActionVariant.DANGER
    permission = "customers.delete_customer"
    explanation = "Its subscriptions end now, with their last invoices. Documents, payments and the ledger stay."
    confirm = "Retire the customer"

    def check(self, *, instance: Customer, at: datetime) -> None:
        """A customer is retired once."""
        require_existing(instance)

    def preview(self, *, instance: Customer, at: datetime) -> Sequence[Block]:
        """Who it is."""
        return (identity(instance),)

    def perform(self, *, instance: Customer, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Retire it."""
        customers.delete(external_id=instance.external_id, actor=actor, at=at)
        return Outcome(f"The customer {instance} was retired.")


class CountryFilter(theme.DropdownFilter):
    """The country of the address. All countries are offered: asking the table for its own would read all of it."""

    title = "country"
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The countries of the world."""
        return [pair for pair in choices.countries() if pair[0]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        """Narrow to it."""
        return queryset.filter(country=self.value()) if self.value() else queryset


class CurrencyFilter(theme.DropdownFilter):
    """The currency that the customer is billed in."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The currencies that plans are sold in."""
        sold = PlanVersion.objects.order_by("currency").values_list("currency", flat=True).distinct()
        return [(currency, currency) for currency in sold]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        """Narrow to it."""
        return queryset.filter(currency=self.value()) if self.value() else queryset


@pages.register(Customer)
class CustomerAdmin(pages.PageAdmin):
    """Customers."""

    list_display = ("named", "contact", "place", "entity", "currency", "since", "standing")
    list_filter = (
        ("billing_entity", theme.RelatedDropdownFilter),
        CountryFilter,
        CurrencyFilter,
        ("created_at", filters.DayRangeFilter),
        filters.RetiredFilter,
    )
    list_select_related = ("billing_entity",)
    search_fields = ("name", "legal_name", "external_id", "email", "firstname", "lastname", "slug")
    search_help_text = "Name, e-mail or external id"
    ordering = ("-created_at", "-id")
    list_verbs = (CreateCustomer(),)
    verbs = (
        EditCustomer(),
        ApplyCoupon(),
        Exempt(),
        EndExemption(),
        PortalLink(),
        RevokePortalLinks(),
        RetireCustomer(),
    )
    prominent = ("quote", "subscription", "pay", "invoice")
    menu = (
        ("Sell", ("contract", "wallet", "apply_coupon")),
        ("Money", ("ask", "statement")),
        ("Account", ("edit", "park", "exempt", "end_exemption")),
        ("Portal", ("portal_link",)),
    )
    panels = "customers.customer"
    empty_text = "Add one here, or let your systems add them through the API."

    @theme.display(description="Customer", ordering="name")
    def named(self, customer: Customer) -> str:
        """Name and external id."""
        return cells.stack(customer.display_name, customer.external_id)

    @theme.display(description="E-mail")
    def contact(self, customer: Customer) -> str:
        """Where invoices go."""
        return customer.email or cells.EMPTY

    @theme.display(description="Place")
    def place(self, customer: Customer) -> str:
        """City and country."""
        return ", ".join(part for part in (customer.city, customer.country) if part) or cells.EMPTY

    @theme.display(description="Billed by", ordering="billing_entity")
    def entity(self, customer: Customer) -> str:
        """The seller."""
        return customer.billing_entity.name

    @theme.display(description="Since", ordering="created_at")
    def since(self, customer: Customer) -> str:
        """When it was made."""
        return cells.nowrap(cells.day_of(customer.created_at))

    @theme.display(description="State")
    def standing(self, customer: Customer) -> str:
        """Whether it is a customer still."""
        return state(customer)

    def page(self, request: HttpRequest, instance: Customer) -> Page:
        """All that matters at a glance and the other apps' panels; then who it is, its taxes, notes and history."""
        notes = Table(
            "Metadata",
            columns("Key", "Value", "On invoices"),
            tuple(
                Row((cells.code(note.key), note.value, "yes" if note.display_in_invoice else cells.muted("no")))
                for note in instance.metadata.all()
            ),
            empty="No metadata. Engineers set it through the API.",
        )
        today = dates.local_date(timezone.now(), dates.zone(instance.applicable_timezone))
        doubt = tax_ids.warning(number=instance.tax_identification_number, country=instance.country)
        warnings: tuple[Block, ...] = (Note(f"VAT id: {doubt}", Tone.WARN),) if doubt else ()
        return Page(
            top=warnings,
            tabs=(
                Tab("Account", (customer_glance.of(instance, today=today),)),
                Tab("Details", (Beside((identity(instance), terms(instance))), addresses(instance))),
                Tab("Taxes", customer_taxes.blocks(instance)),
                Tab("Metadata", (notes,), len(instance.metadata.all())),
                Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
            ),
            is_wide=True,
        )


def identity(customer: Customer) -> Facts:
    """Who the customer is."""
    person = f"{customer.firstname} {customer.lastname}".strip()
    return Facts(
        "Customer",
        (
            Fact("Name", customer.display_name),
            Fact("External id", cells.code(customer.external_id)),
            Fact("Number", customer.slug),
            Fact("State", state(customer)),
            Fact("Person", person or cells.EMPTY),
            Fact("E-mail", customer.email or cells.EMPTY),
            Fact("Phone", customer.phone or cells.EMPTY),
            Fact("Website", customer.url or cells.EMPTY),
            Fact("Legal name", customer.legal_name or cells.EMPTY),
            Fact("Register number", customer.legal_number or cells.EMPTY),
            Fact("VAT id", customer.tax_identification_number or cells.EMPTY),
        ),
    )


def terms(customer: Customer) -> Facts:
    """On which terms it is billed; what comes from the seller says so."""
    own_taxes = ", ".join(str(tax) for tax in customer.taxes.all())
    return Facts(
        "Terms",
        (
            Fact("Billed by", cells.to(customer.billing_entity)),
            Fact("Currency", customer.currency or cells.muted("as the first plan")),
            Fact("Taxes", own_taxes or cells.muted("those of the billing entity")),
            Fact("Time zone", _own(customer.timezone, customer.applicable_timezone)),
            Fact("Language of documents", _own(customer.document_locale, customer.applicable_locale)),
            Fact("Payment term", _own(customer.net_payment_term, f"{customer.applicable_net_payment_term} days")),
            Fact("Grace period", _own(customer.invoice_grace_period, f"{customer.applicable_grace_period} days")),
            Fact(
                "Periodic invoices",
                _own(customer.issuing_date_anchor or customer.issuing_date_adjustment, _issuing(customer)),
            ),
            Fact("Custom sections", _sections(customer)),
            Fact("Invoices of nothing", customer.get_finalize_zero_amount_invoice_display()),
        ),
    )


def _issuing(customer: Customer) -> str:
    entity = customer.billing_entity
    return issuing_text(
        customer.issuing_date_anchor or entity.issuing_date_anchor,
        customer.issuing_date_adjustment or entity.issuing_date_adjustment,
    )


def _sections(customer: Customer) -> str:
    if customer.skip_invoice_custom_sections:
        return "none at all"
    return ", ".join(str(row) for row in custom_sections.of_customer(customer)) or "none"


def addresses(customer: Customer) -> Facts:
    """Where it is, and where it wants things sent."""
    return Facts(
        "Addresses",
        (
            Fact("Address", lines(customer)),
            Fact("Shipping address", lines(customer.shipping_address)),
        ),
    )


def state(customer: Customer) -> str:
    """Whether it is a customer still."""
    return cells.badge("active", Tone.GOOD) if customer.deleted_at is None else cells.badge("retired")


def require_existing(customer: Customer) -> None:
    """Refuse to change a retired customer. Raises NotAllowed."""
    if customer.deleted_at is not None:
        raise errors.NotAllowed("retired", f"{customer} is retired.")


def _own(own: object, applied: str) -> object:
    return applied if own not in (None, "") else cells.stack(applied, "as the billing entity")
