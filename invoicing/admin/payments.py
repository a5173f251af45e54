"""Payments in the admin: a list, a page with the receipt, and what can be done. They are recorded on invoices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from config.platform.admin import cells, filters, pages, theme, verbs
from config.platform.admin.blocks import Figure, Figures, Page, Row, Tab, Table, columns
from customers.queries import searching
from invoicing.admin import shown
from invoicing.admin.filters import AmountFilter, CurrencyFilter
from invoicing.admin.held_payment_verbs import AllocateHeld, RefundHeld
from invoicing.admin.payment_request_verbs import SendReceipt
from invoicing.models import Payment, PaymentAllocation, PaymentReceipt
from invoicing.queries import held_payments, ledger, receivables
from invoicing.services import receipt_documents


@pages.register(Payment)
class PaymentAdmin(searching.IndexedSearch, pages.PageAdmin):
    """Payments."""

    list_display = ("payment", "customer_named", "paid_on", "kind_shown", "invoices", "received_amount")
    list_filter = (
        ("paid_at", filters.DayRangeFilter),
        ("customer", theme.AutocompleteSelectFilter),
        CurrencyFilter,
        ("amount", AmountFilter),
    )
    list_select_related = ("customer__billing_entity",)
    search_fields = ("reference",)
    search_starts = search_ends = ("reference",)
    search_help_text = "Reference or customer"
    ordering = ("-created_at", "-id")
    verbs = (SendReceipt(), AllocateHeld(), RefundHeld())
    empty_text = "Record a payment on the page of an invoice, or through the API."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        """Payments with the invoices that they pay."""
        parts = PaymentAllocation.objects.select_related("invoice__customer")
        return super().get_queryset(request).prefetch_related(Prefetch("allocations", queryset=parts))

    @theme.display(description="Payment", ordering="reference")
    def payment(self, payment: Payment) -> str:
        """The reference."""
        return payment.reference or "without reference"

    @theme.display(description="Customer")
    def customer_named(self, payment: Payment) -> str:
        """Who paid."""
        return payment.customer.display_name

    @theme.display(description="Paid on", ordering="paid_at")
    def paid_on(self, payment: Payment) -> str:
        """When the money arrived."""
        return _paid_on(payment)

    @theme.display(description="Kind", ordering="kind")
    def kind_shown(self, payment: Payment) -> str:
        """How it came in."""
        return cells.badge(payment.get_kind_display())

    @theme.display(description="Pays")
    def invoices(self, payment: Payment) -> str:
        """The invoices."""
        return ", ".join(str(part.invoice) for part in payment.allocations.all())

    @theme.display(description="Amount", ordering="amount")
    def received_amount(self, payment: Payment) -> str:
        """How much."""
        return cells.money(payment.amount)

    def page(self, request: HttpRequest, instance: Payment) -> Page:
        """The payment, what it pays, and how it is booked."""
        figures = Figures(
            (
                Figure("Amount", cells.money_text(instance.amount), instance.get_kind_display()),
                *_held(instance),
                Figure("Customer", cells.to(instance.customer, instance.customer.display_name)),
                Figure("Paid on", _paid_on(instance), f"recorded {cells.day_of(instance.created_at)}"),
                Figure("Reference", instance.reference or cells.EMPTY, _asked(instance)),
                *_receipt(instance),
            )
        )
        allocation = Table(
            "Allocation",
            columns("Invoice", "Issued", "Total#", "Paid by this#", "Still open#"),
            tuple(
                Row(
                    (
                        cells.to(part.invoice),
                        cells.day(part.invoice.issuing_date),
                        cells.money(part.invoice.total_amount),
                        cells.money(part.amount),
                        cells.money(receivables.owed(part.invoice)),
                    )
                )
                for part in instance.allocations.all()
            ),
        )
        booked = shown.bookings(ledger.entries_of(instance), title="Ledger")
        sent = [] if _receipt_of(instance) is None else list(instance.receipt.deliveries.order_by("-number"))
        return Page(
            top=(figures,),
            tabs=(Tab("Payment", (allocation, booked)), Tab("E-mails", (shown.deliveries(sent),), len(sent))),
        )

    def links(self, request: HttpRequest, instance: Payment) -> Sequence[dict[str, Any]]:
        """The receipt as a file."""
        if _receipt_of(instance) is None:
            return ()
        return (verbs.link("Download receipt", f"{self.url('receipt', instance.pk)}?download=1", "receipt_long"),)

    def further_views(self) -> Sequence[tuple[str, Any, str]]:
        """The receipt."""
        return (("<int:object_id>/receipt/", self.receipt, "receipt"),)

    def receipt(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The document of a receipt: the stored one, else as it will be."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = PaymentReceipt.objects.filter(payment_id=object_id).first()
        if found is None:
            raise Http404
        disposition = "attachment" if "download" in request.GET else "inline"
        name = receipt_documents.file_name(receipt=found)
        return HttpResponse(
            receipt_documents.preview_pdf(receipt_id=found.pk),
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'{disposition}; filename="{name}"',
                "Cache-Control": "private, no-store",
            },
        )


def _receipt_of(payment: Payment) -> PaymentReceipt | None:
    return getattr(payment, "receipt", None)


def _receipt(payment: Payment) -> tuple[Figure, ...]:
    """Its receipt; none of a payment that was recorded before there were receipts."""
    found = _receipt_of(payment)
    return () if found is None else (Figure("Receipt", found.number, f"issued {cells.day_text(found.created_at)}"),)


def _asked(payment: Payment) -> object:
    """The payment request that it answers."""
    return "" if payment.payment_request is None else cells.to(payment.payment_request)


def _held(payment: Payment) -> tuple[Figure, ...]:
    """What of it is the customer's again, since an invoice that it paid was voided."""
    amount = held_payments.held(payment)
    return (Figure("Held", cells.money_text(amount), "for the customer, of a voided invoice"),) if amount else ()


def _paid_on(payment: Payment) -> str:
    """The customer's local day, which is that of the books."""
    return cells.local_day(payment.paid_at, payment.customer.applicable_timezone)
