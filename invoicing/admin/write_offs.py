"""Write-offs in the admin: the list of all, to be read. Writing off and undoing are done on the page of the invoice."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Fact, Facts, Page, Tab
from invoicing.admin import write_off_verbs
from invoicing.admin.filters import CurrencyFilter
from invoicing.models import WriteOff


class StateFilter(filters.ChoiceFilter):
    """Those that stand, or were undone."""

    title = "state"
    parameter_name = "state"
    options = (
        ("stands", "Stands", lambda rows: rows.filter(reversal__isnull=True)),
        ("undone", "Undone", lambda rows: rows.filter(reversal__isnull=False)),
    )


@pages.register(WriteOff)
class WriteOffAdmin(pages.PageAdmin):
    """What was given up."""

    list_display = ("moment", "of", "customer", "why", "state", "amount_shown")
    list_filter = (StateFilter, CurrencyFilter, ("created_at", filters.DayRangeFilter))
    list_select_related = ("invoice__customer", "reversal")
    search_fields = ("invoice__number", "reason", "invoice__customer__name")
    search_help_text = "Invoice, customer or reason"
    ordering = ("-created_at", "-id")
    rows_name = "write-offs"
    empty_title = "Nothing was written off"
    empty_text = "Write off what nobody expects to be paid any more on the page of its invoice."

    def get_queryset(self, request: HttpRequest) -> QuerySet[WriteOff]:
        """Write-offs with what their pages name."""
        return super().get_queryset(request).select_related("invoice__customer", "reversal")

    @theme.display(description="Written off", ordering="created_at")
    def moment(self, row: WriteOff) -> str:
        """When."""
        return cells.instant(row.created_at)

    @theme.display(description="Invoice")
    def of(self, row: WriteOff) -> str:
        """Of which invoice."""
        return cells.to(row.invoice)

    @theme.display(description="Customer")
    def customer(self, row: WriteOff) -> str:
        """Whose it is."""
        return row.invoice.customer.display_name

    @theme.display(description="Why")
    def why(self, row: WriteOff) -> str:
        """The reason."""
        return row.reason

    @theme.display(description="State")
    def state(self, row: WriteOff) -> str:
        """Whether it stands."""
        return write_off_verbs.state(row)

    @theme.display(description="Amount")
    def amount_shown(self, row: WriteOff) -> str:
        """How much, with tax."""
        return cells.money(row.amount)

    def page(self, request: HttpRequest, instance: WriteOff) -> Page:
        """One write-off, with what was done to its invoice."""
        invoice = instance.invoice
        facts = Facts(
            "Write-off",
            (
                Fact("Invoice", cells.to(invoice)),
                Fact("Customer", cells.to(invoice.customer, invoice.customer.display_name)),
                Fact("Amount, with tax", cells.money_text(instance.amount)),
                Fact("Written off", cells.instant(instance.created_at)),
                Fact("Why", instance.reason),
                Fact("State", write_off_verbs.state(instance)),
            ),
        )
        recent = history.recent(invoice, reverse("admin:invoicing_invoice_history", args=[invoice.pk]))
        return Page(top=(facts,), tabs=(Tab("Write-off", (recent,)),))
