"""Custom sections in the admin: the list, the page with who uses one, and making, changing and retiring them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Fact, Facts, Page, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from customers.models import InvoiceCustomSection
from customers.services import custom_sections
from customers.services.custom_sections import SectionValues

FIELDS = ("name", "code", "description", "display_name", "details")
ROWS = 20


class SectionForm(VerbForm):
    """What a custom section is made of."""

    name = forms.CharField(max_length=255, help_text="For staff.")
    code = forms.CharField(max_length=255, help_text="By which the API knows it.")
    description = forms.CharField(required=False, max_length=10_000, help_text="For staff.")
    display_name = forms.CharField(label="Heading on documents", max_length=255, required=False)
    details = forms.CharField(
        label="Text on documents", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 4})
    )


def section_values(cleaned: Mapping[str, Any]) -> SectionValues:
    """The filled-in form as the service takes it."""
    return SectionValues(**{field: cleaned[field] for field in FIELDS})


class CreateSection(ListVerb):
    """Make a custom section."""

    name = "create"
    label = "New custom section"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "customers.add_invoicecustomsection"
    explanation = "A text for documents. Billing entities, customers and one-off invoices choose which they carry."
    confirm = "Save"
    form_class = SectionForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        section = custom_sections.create(values=section_values(values), actor=actor, at=at)
        return Outcome(f"The custom section {section} was made.", cells.page_url(section))


class EditSection(ObjectVerb):
    """Change a custom section."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "customers.change_invoicecustomsection"
    explanation = "Drafts and later documents say the new text. Issued ones keep theirs."
    confirm = "Save"
    form_class = SectionForm

    def check(self, *, instance: InvoiceCustomSection, at: datetime) -> None:
        """A retired one stays as it was."""
        require_existing(instance)

    def initial(self, *, instance: InvoiceCustomSection, at: datetime) -> Mapping[str, Any]:
        """The custom section as it is."""
        return {field: getattr(instance, field) for field in FIELDS}

    def perform(
        self, *, instance: InvoiceCustomSection, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Outcome:
        """Change it."""
        custom_sections.update(code=instance.code, values=section_values(values), actor=actor, at=at)
        return Outcome("The custom section was saved.")


class RetireSection(ObjectVerb):
    """Retire a custom section."""

    name = "delete"
    label = "Retire"
    icon = "delete"
    variant = theme.ActionVariant.DANGER
    permission = "customers.delete_invoicecustomsection"
    explanation = "It is taken off every customer and billing entity. Issued documents keep its text."
    confirm = "Retire the custom section"

    def check(self, *, instance: InvoiceCustomSection, at: datetime) -> None:
        """One is retired once."""
        require_existing(instance)

    def perform(
        self, *, instance: InvoiceCustomSection, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Outcome:
        """Retire it."""
        custom_sections.delete(code=instance.code, actor=actor, at=at)
        return Outcome("The custom section was retired.")


def require_existing(section: InvoiceCustomSection) -> None:
    """Refuse to change a retired custom section. Raises NotAllowed."""
    if section.deleted_at is not None:
        raise errors.NotAllowed("retired", f"{section} is retired.")


@pages.register(InvoiceCustomSection)
class InvoiceCustomSectionAdmin(pages.PageAdmin):
    """Custom sections."""

    list_display = ("named", "display_name", "standing")
    list_filter = (filters.RetiredFilter,)
    search_fields = ("name", "code", "display_name")
    ordering = ("name", "id")
    list_verbs = (CreateSection(),)
    verbs = (EditSection(), RetireSection())
    panels = "customers.invoicecustomsection"
    empty_text = "A custom section is a text below the totals of documents, such as terms or where to send questions."

    @theme.display(description="Custom section", ordering="name")
    def named(self, section: InvoiceCustomSection) -> str:
        """Name and code."""
        return cells.stack(section.name, section.code)

    @theme.display(description="State")
    def standing(self, section: InvoiceCustomSection) -> str:
        """Whether it is still there."""
        return cells.badge("active", Tone.GOOD) if section.deleted_at is None else cells.badge("retired")

    def page(self, request: HttpRequest, instance: InvoiceCustomSection) -> Page:
        """What it says, and who uses it."""
        users = [*instance.billing_entities.order_by("pk")[:ROWS], *instance.customers.order_by("pk")[:ROWS]]
        return Page(
            top=(
                Facts(
                    "Custom section",
                    (
                        Fact("Name", instance.name),
                        Fact("Code", cells.code(instance.code)),
                        Fact("Description", instance.description or cells.EMPTY),
                        Fact("Heading on documents", instance.display_name or cells.EMPTY),
                        Fact("Text on documents", instance.details or cells.EMPTY),
                    ),
                ),
                Table(
                    "Used by",
                    columns("Billing entity or customer"),
                    tuple(Row((cells.to(user),)) for user in users),
                    empty="Nobody yet.",
                    note=f"At most {ROWS} of each.",
                ),
                history.recent(instance, self.url("history", instance.pk)),
            )
        )
