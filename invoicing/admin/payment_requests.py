"""Payment requests in the admin: a list and a page. They are made on the page of an overdue invoice."""

from __future__ import annotations

from django.http import HttpRequest

from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Figure, Figures, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from customers.queries import searching
from invoicing.admin import shown
from invoicing.admin.filters import AmountFilter, CurrencyFilter
from invoicing.admin.payment_request_verbs import RecordRequestPayment, SendRequest
from invoicing.models import PaymentRequest
from invoicing.queries import receivables

_TONES = {
    PaymentRequest.PaymentStatus.PENDING: Tone.WARN,
    PaymentRequest.PaymentStatus.SUCCEEDED: Tone.GOOD,
    PaymentRequest.PaymentStatus.FAILED: Tone.BAD,
}


@pages.register(PaymentRequest)
class PaymentRequestAdmin(searching.IndexedSearch, pages.PageAdmin):
    """Payment requests."""

    list_display = ("asked_of", "status_shown", "asked_on", "email", "asked_amount")
    list_filter = (
        ("payment_status", theme.ChoicesDropdownFilter),
        ("customer", theme.AutocompleteSelectFilter),
        CurrencyFilter,
        ("amount", AmountFilter),
    )
    list_select_related = ("customer__billing_entity", "billing_entity")
    search_fields = ("email",)
    search_starts = ("email",)
    search_help_text = "E-mail address or customer"
    ordering = ("-created_at", "-id")
    verbs = (RecordRequestPayment(), SendRequest())
    prominent = ("pay", "send")
    empty_text = "Ask for overdue invoices on the page of one of them, or through the API."

    @theme.display(description="Customer")
    def asked_of(self, request: PaymentRequest) -> str:
        """Who was asked, and by whom."""
        return cells.stack(request.customer.display_name, request.billing_entity.name)

    @theme.display(description="Payment", ordering="payment_status")
    def status_shown(self, request: PaymentRequest) -> str:
        """The state of its payment."""
        return _status(request)

    @theme.display(description="Asked on", ordering="created_at")
    def asked_on(self, request: PaymentRequest) -> str:
        """When."""
        return cells.day(request.created_at)

    @theme.display(description="Amount", ordering="amount")
    def asked_amount(self, request: PaymentRequest) -> str:
        """What was asked for."""
        return cells.money(request.amount)

    def page(self, request: HttpRequest, instance: PaymentRequest) -> Page:
        """What was asked for, what is open of it, its payments and e-mails."""
        parts = list(instance.parts.select_related("invoice").order_by("pk"))
        paid = list(instance.payments.order_by("pk"))
        sent = list(instance.deliveries.order_by("-number"))
        figures = Figures(
            (
                Figure("Asked for", cells.money_text(instance.amount), _status(instance)),
                Figure("Customer", cells.to(instance.customer, instance.customer.display_name)),
                Figure("Asked on", cells.day_text(instance.created_at), instance.email or "not e-mailed"),
            )
        )
        invoices = Table(
            "Invoices",
            columns("Invoice", "Due", "Payment", "Asked for#", "Still open#"),
            tuple(
                Row(
                    (
                        cells.to(part.invoice),
                        cells.day(part.invoice.payment_due_date),
                        shown.payment(part.invoice),
                        cells.money(part.amount),
                        cells.money(receivables.owed(part.invoice)),
                    )
                )
                for part in parts
            ),
        )
        payments = Table(
            "Payments",
            columns("Payment", "Paid on", "Amount#"),
            tuple(Row((cells.to(row), cells.day(row.paid_at), cells.money(row.amount))) for row in paid),
            empty="No payment was recorded for the request. Invoices may have been paid one by one.",
        )
        return Page(
            top=(figures,),
            tabs=(
                Tab("Invoices", (invoices, payments), len(parts)),
                Tab("E-mails", (shown.deliveries(sent),), len(sent)),
                Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
            ),
        )


def _status(request: PaymentRequest) -> str:
    status = PaymentRequest.PaymentStatus(request.payment_status)
    return cells.badge("open" if status == PaymentRequest.PaymentStatus.PENDING else status.label, _TONES[status])
