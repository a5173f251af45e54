"""E-mails of documents in the admin: what was sent to whom, what failed and why, and trying again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Tab
from config.platform.admin.bulk import BulkVerb
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ObjectVerb, Outcome
from config.platform.queries import matching
from customers.models import Customer
from invoicing.admin import shown
from invoicing.models import CreditNote, Delivery, Invoice
from invoicing.services import delivery_repeats


class Repeat(ObjectVerb):
    """Try an e-mail again."""

    name = "repeat"
    label = "Send again"
    icon = "forward_to_inbox"
    permission = "invoicing.send_invoice"
    explanation = (
        "It goes to the same addresses. Where an address was wrong, correct it on the customer's page and send the "
        "document from its own page."
    )
    confirm = "Send again"

    def check(self, *, instance: Delivery, at: datetime) -> None:
        """Only what was given up."""
        delivery_repeats.check(delivery=instance)

    def preview(self, *, instance: Delivery, at: datetime) -> Sequence[Block]:
        """What goes where, and why it did not get there."""
        return (_facts(instance), *_problem(instance))

    def perform(self, *, instance: Delivery, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Hand it to a worker."""
        delivery_repeats.repeat(delivery_id=instance.pk, actor=actor, at=at)
        return Outcome("The e-mail is on its way. Its page says what becomes of it.")


class DocumentFilter(filters.ChoiceFilter):
    """What is in it."""

    title = "document"
    parameter_name = "document"
    options = (
        ("invoice", "Invoice", lambda rows: rows.filter(invoice__isnull=False)),
        ("credit_note", "Credit note", lambda rows: rows.filter(credit_note__isnull=False)),
        ("receipt", "Receipt", lambda rows: rows.filter(payment_receipt__isnull=False)),
        ("request", "Payment request", lambda rows: rows.filter(payment_request__isnull=False)),
    )


@pages.register(Delivery)
class DeliveryAdmin(pages.PageAdmin):
    """E-mails."""

    list_display = ("document", "customer_named", "to", "state_shown", "attempts_count", "when", "remark")
    list_filter = (
        ("state", theme.ChoicesDropdownFilter),
        DocumentFilter,
        ("created_at", filters.DayRangeFilter),
    )
    list_select_related = (
        "invoice__customer", "credit_note__customer", "payment_receipt__payment__customer", "payment_request__customer",
    )  # fmt: skip
    search_fields = ("invoice__number", "credit_note__number")
    search_help_text = "Number of an invoice or a credit note"
    ordering = ("-id",)
    verbs = (Repeat(),)
    bulk_verbs = (BulkVerb(Repeat(), "Send again"),)
    rows_name = "e-mails"
    empty_title = "No e-mail yet"
    empty_text = (
        "Issued documents are sent where the billing entity wants it: switch that on among its e-mail settings, or "
        "send an invoice from its page."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """E-mails with their documents."""
        return super().get_queryset(request).select_related(*self.list_select_related)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Find by the number of the document, in whatever case. Two queries more, for the documents."""
        term = search_term.strip()
        if not term:
            return queryset, False
        invoices = matching.equal(Invoice.objects.order_by(), "number", term).values_list("pk", flat=True)
        notes = matching.equal(CreditNote.objects.order_by(), "number", term).values_list("pk", flat=True)
        return queryset.filter(Q(invoice__in=list(invoices)) | Q(credit_note__in=list(notes))), False

    @theme.display(description="Document", ordering="id")
    def document(self, row: Delivery) -> str:
        """What is in it, and which sending of it this is."""
        again = f"sending no. {row.number}" if row.number > 1 else ""
        return cells.stack(cells.nowrap(str(_document(row))), again)

    @theme.display(description="Customer")
    def customer_named(self, row: Delivery) -> str:
        """Who gets it."""
        return _customer(row).display_name

    @theme.display(description="To")
    def to(self, row: Delivery) -> str:
        """The addresses."""
        return ", ".join(row.recipients)

    @theme.display(description="State", ordering="state")
    def state_shown(self, row: Delivery) -> str:
        """Whether it got out."""
        return shown.delivery(row)

    @theme.display(description="Attempts", ordering="attempts")
    def attempts_count(self, row: Delivery) -> str:
        """How often it was tried."""
        return cells.number(row.attempts)

    @theme.display(description="Sent, or next attempt")
    def when(self, row: Delivery) -> str:
        """When it got out, or is tried next."""
        if row.state == Delivery.State.PENDING:
            return cells.stack(cells.instant(row.next_attempt_at), "next attempt")
        return cells.instant(row.sent_at)

    @theme.display(description="Remark")
    def remark(self, row: Delivery) -> str:
        """Why it did not get out."""
        return cells.hinted(row.error[:80], row.error) if row.error else cells.EMPTY

    def page(self, request: HttpRequest, instance: Delivery) -> Page:
        """The e-mail, its document, and why it failed."""
        shown_history = history.recent(instance, self.url("history", instance.pk))
        return Page(top=_problem(instance), tabs=(Tab("E-mail", (_facts(instance), shown_history)),))


def _document(row: Delivery) -> Any:
    if row.payment_receipt is not None:
        return row.payment_receipt
    return row.invoice or row.credit_note or row.payment_request


def _customer(row: Delivery) -> Customer:
    owner = row.invoice or row.credit_note or row.payment_request
    customer: Customer = row.payment_receipt.payment.customer if owner is None else owner.customer  # type: ignore[union-attr]
    return customer


def _facts(row: Delivery) -> Facts:
    document = _document(row)
    page = row.payment_receipt.payment if row.payment_receipt is not None else document
    return Facts(
        "E-mail",
        (
            Fact("Document", cells.to(page, str(document))),
            Fact("Customer", cells.to(_customer(row))),
            Fact("To", ", ".join(row.recipients)),
            Fact("Copies", ", ".join([*row.cc, *row.bcc]) or cells.EMPTY),
            Fact("Subject", row.subject or cells.EMPTY),
            Fact("State", shown.delivery(row)),
            Fact("Attempts", cells.number_text(row.attempts)),
            Fact("Asked for", cells.instant(row.created_at)),
            Fact("Sent", cells.instant(row.sent_at)),
        ),
    )


def _problem(row: Delivery) -> tuple[Block, ...]:
    return (Note(f"It did not get out: {row.error}", Tone.BAD),) if row.error else ()
