"""Billing entities in the admin: the list, the page, and making and changing the companies that sell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from config.kernel.actors import Actor
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Beside, Fact, Facts, Page, Tab
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from customers.admin import entity_forms
from customers.admin.addresses import lines
from customers.admin.entity_forms import EntityForm, NewEntityForm, entity_values
from customers.models import BillingEntity
from customers.queries import custom_sections
from customers.services import billing_entities


class CreateEntity(ListVerb):
    """Make another seller."""

    name = "create"
    label = "New billing entity"
    icon = "add_business"
    variant = theme.ActionVariant.PRIMARY
    permission = "customers.add_billingentity"
    explanation = "A company that sells: letterhead, bank details, numbering, terms and taxes of its documents."
    confirm = "Save"
    form_class = NewEntityForm

    def initial(self, *, at: datetime) -> Mapping[str, Any]:
        """The usual settings."""
        return entity_forms.usual()

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        entity = billing_entities.create(values=entity_values(values), actor=actor, at=at)
        return Outcome(f"{entity} was made.", cells.page_url(entity))


class EditEntity(ObjectVerb):
    """Change a seller."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "customers.change_billingentity"
    explanation = "A change reaches drafts and what is billed from now on. Issued documents keep what they say."
    confirm = "Save"
    form_class = EntityForm

    def initial(self, *, instance: BillingEntity, at: datetime) -> Mapping[str, Any]:
        """The seller as it is."""
        return entity_forms.initial(instance)

    def perform(self, *, instance: BillingEntity, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        billing_entities.update(code=instance.code, values=entity_values(values), actor=actor, at=at)
        return Outcome(f"{instance} was saved.")


@pages.register(BillingEntity)
class BillingEntityAdmin(pages.PageAdmin):
    """Billing entities."""

    list_display = ("named", "place", "default_currency", "numbering", "term_count", "customers_count", "standing")
    search_fields = ("name", "code", "legal_name")
    ordering = ("-is_default", "name")
    list_verbs = (CreateEntity(),)
    verbs = (EditEntity(),)
    panels = "customers.billingentity"
    empty_text = "Every customer is billed by one of your companies. Make the first one."

    def get_queryset(self, request: HttpRequest) -> QuerySet[BillingEntity]:
        """Sellers with the number of their customers."""
        return super().get_queryset(request).annotate(customers_total=Count("customers"))

    @theme.display(description="Billing entity", ordering="name")
    def named(self, entity: BillingEntity) -> str:
        """Name and code."""
        return cells.stack(entity.name, entity.code)

    @theme.display(description="Place")
    def place(self, entity: BillingEntity) -> str:
        """City and country."""
        return ", ".join(part for part in (entity.city, entity.country) if part) or cells.EMPTY

    @theme.display(description="Numbers")
    def numbering(self, entity: BillingEntity) -> str:
        """How its documents are numbered."""
        return cells.stack(entity.document_number_prefix, entity.get_document_numbering_display())

    @theme.display(description="Term (days)", ordering="net_payment_term")
    def term_count(self, entity: BillingEntity) -> str:
        """When its invoices are due."""
        return cells.number(entity.net_payment_term)

    @theme.display(description="Customers", ordering="customers_total")
    def customers_count(self, entity: Any) -> str:
        """How many it bills."""
        return cells.number(entity.customers_total)

    @theme.display(description="")
    def standing(self, entity: BillingEntity) -> str:
        """Whether it bills whoever names no seller."""
        return cells.badge("default", Tone.ACCENT) if entity.is_default else ""

    def page(self, request: HttpRequest, instance: BillingEntity) -> Page:
        """The company, its documents' look and terms, its history."""
        return Page(
            tabs=(
                Tab("Company", (Beside((_company(instance), _bank(instance))), _documents(instance))),
                Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
            )
        )


def issuing_text(anchor: str, adjustment: str) -> str:
    """Say how invoices for the end of a period are dated."""
    if adjustment == BillingEntity.Adjustment.KEEP_ANCHOR:
        return f"dated by the {BillingEntity.Anchor(anchor).label}"
    if anchor == BillingEntity.Anchor.CURRENT_PERIOD_END:
        return "dated by their finalization; without grace by the last day of the period"
    return "dated by their finalization"


def _company(entity: BillingEntity) -> Facts:
    return Facts(
        "Company",
        (
            Fact("Name", entity.name),
            Fact("Code", cells.code(entity.code)),
            Fact("Legal name", entity.legal_name or cells.EMPTY),
            Fact("Register number", entity.legal_number or cells.EMPTY),
            Fact("VAT id", entity.tax_identification_number or cells.EMPTY),
            Fact("Address", lines(entity)),
            Fact("E-mail", entity.email or cells.EMPTY),
            Fact("Phone", entity.phone or cells.EMPTY),
            Fact("Website", entity.url or cells.EMPTY),
        ),
    )


def _bank(entity: BillingEntity) -> Facts:
    return Facts(
        "Bank details and taxes",
        (
            Fact("Bank", entity.bank_name or cells.EMPTY),
            Fact("IBAN or account", entity.iban or cells.EMPTY),
            Fact("BIC or routing number", entity.bic or cells.EMPTY),
            Fact("Taxes", ", ".join(str(tax) for tax in entity.taxes.all()) or "none"),
            Fact("VAT of the EU", "decided for each customer" if entity.eu_tax_management else "not decided"),
            Fact("Currency", entity.default_currency),
            Fact("Default", "yes" if entity.is_default else "no"),
        ),
    )


def _documents(entity: BillingEntity) -> Facts:
    swatch = format_html('<span class="q-swatch" style="background: {}"></span> {}', *[entity.accent_color] * 2)
    return Facts(
        "Documents",
        (
            Fact("Numbers", f"{entity.document_number_prefix}, {entity.get_document_numbering_display()}"),
            Fact("Language", entity.document_locale),
            Fact("Time zone", entity.timezone),
            Fact("Payment term", f"{entity.net_payment_term} days"),
            Fact("Grace period", f"{entity.invoice_grace_period} days"),
            Fact("Periodic invoices", issuing_text(entity.issuing_date_anchor, entity.issuing_date_adjustment)),
            Fact("Custom sections", ", ".join(str(row) for row in custom_sections.of_seller(entity)) or "none"),
            Fact("Invoices of nothing", "finalized" if entity.finalize_zero_amount_invoice else "skipped"),
            Fact("E-mails", ", ".join(entity.email_settings) or "none"),
            Fact("Accent colour", swatch),
            Fact("Logo", "set" if entity.logo else "none (optional)"),
            Fact("Footer", entity.invoice_footer or cells.EMPTY),
        ),
    )
