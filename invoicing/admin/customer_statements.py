"""The statement of a customer in the admin: movements and open items, on the page and as files for the customer."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import urlencode

from config.platform.admin import cells
from config.platform.admin.blocks import Block, Figure, Figures, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from customers.models import Customer
from invoicing.admin import ledger_forms
from invoicing.admin.ledger_forms import ReportForm
from invoicing.domain import ageing
from invoicing.models import Invoice
from invoicing.queries import customer_statements
from invoicing.queries.customer_statements import CustomerStatement
from invoicing.services import statement_files

_KINDS = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


class StatementForm(ReportForm):
    """Days and a moment; the seller is a choice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["billing_entity"].empty_label = "all"
        self.fields["until"].help_text = "Empty: today."


def view(model_admin: Any, request: HttpRequest, customer_id: int) -> HttpResponse:
    """Show a customer's accounts, or send them as the file that ``as`` names."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    customer = Customer.objects.select_related("billing_entity").filter(pk=customer_id).first()
    if customer is None:
        raise Http404
    form = StatementForm(request.GET)
    kind = request.GET.get("as", "")
    if kind in _KINDS and form.is_valid():
        write = statement_files.as_pdf if kind == "pdf" else statement_files.as_csv
        response = HttpResponse(write(statements=_found(customer, form)), content_type=_KINDS[kind])
        response["Content-Disposition"] = f'attachment; filename="statement-{customer.pk}.{kind}"'
        return response
    asked = {name: value for name, value in request.GET.items() if name in form.fields}
    return ledger_forms.report(
        model_admin,
        request,
        form=form,
        title=f"Statement of {customer.display_name}",
        icon="receipt",
        about="What changed what the customer owes, what is open, and what the customer has.",
        blocks=lambda valid: _blocks(customer, valid),
        downloads=tuple({"title": one.upper(), "path": f"?{urlencode({**asked, 'as': one})}"} for one in _KINDS),
    )


def _found(customer: Customer, form: ReportForm) -> list[CustomerStatement]:
    values = form.cleaned_data
    chosen = values["billing_entity"]
    return customer_statements.statements(
        customer=customer,
        since=values["since"],
        until=values["until"] or timezone.now().astimezone(UTC).date(),
        billing_entity_id=None if chosen is None else chosen.pk,
        currency=values["currency"],
        known_on=form.known_on,
    )


def _blocks(customer: Customer, form: ReportForm) -> list[Block]:
    found = [block for one in _found(customer, form) for block in _account(one)]
    return found or [Note("Nothing is booked for this customer in these days.", Tone.INFO)]


def _account(one: CustomerStatement) -> list[Block]:
    late = [amount for name, amount in one.ages.items() if name not in (ageing.NOT_DUE, ageing.DISPUTED)]
    overdue = sum(late[1:], late[0])
    head = f"{one.billing_entity.name}, {one.currency}"
    figures = Figures(
        (
            Figure(f"Owed, {one.currency}", cells.money_text(one.closing), one.billing_entity.name),
            Figure("Late", cells.money_text(overdue), "", Tone.BAD if overdue else Tone.NEUTRAL),
            Figure("Disputed", cells.money_text(one.disputed)),
            Figure("Has in credit", cells.money_text(one.credit), f"and {cells.money_text(one.prepaid)} prepaid"),
        )
    )
    rows = [Row(("", "Brought forward", "", cells.money(one.opening)))]
    rows += [
        Row(
            (
                cells.day(movement.entry.accounting_date),
                cells.to(movement.entry, movement.entry.description),
                cells.money(movement.amount),
                cells.money(movement.balance),
            )
        )
        for movement in one.movements
    ]
    rows.append(Row(("", "Balance", "", cells.money(one.closing)), is_total=True))
    invoices = Invoice.objects.in_bulk([item.invoice_id for item in one.items if item.invoice_id])
    items = tuple(
        Row(
            (
                cells.to(invoices[item.invoice_id]) if item.invoice_id else item.description,
                cells.day(item.issued_on),
                cells.day(item.due_on),
                cells.money(item.disputed) if item.disputed else "",
                cells.money(item.amount),
            )
        )
        for item in one.items
    )
    return [
        figures,
        Table(f"Movements, {head}", columns("Day", "Booking", "Amount#", "Balance#"), tuple(rows)),
        Table(
            f"Open items, {head}",
            columns("Item", "Date", "Due", "Disputed#", "Open#"),
            items,
            empty="Nothing is open.",
        ),
    ]
