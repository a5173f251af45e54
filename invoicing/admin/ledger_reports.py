"""Reports of the ledger in the admin: trial balance, what is open by age, revenue by month. Only to be read, on the
page or as a file.
"""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from moneyed import Money

from config.platform.admin import cells
from config.platform.admin.blocks import Block, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from customers.models import Customer
from invoicing.admin import ledger_forms, ledger_sheets
from invoicing.admin.ledger_forms import ReportForm
from invoicing.domain import ageing
from invoicing.models import Invoice, LedgerAccount
from invoicing.queries import earned, open_items, trial_balance
from invoicing.queries.earned import EarnedMonth
from invoicing.queries.open_items import OpenItem

_MOST_ITEMS = 200


def balance_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The trial balance of a seller over days."""
    _demand(model_admin, request)
    form = ledger_forms.asked(request)
    file = ledger_sheets.answer(request, form, lambda valid: ledger_sheets.trial_balance(_balances(valid)))
    return file or ledger_forms.report(
        model_admin,
        request,
        form=form,
        downloads=ledger_sheets.links(form),
        title="Trial balance",
        icon="balance",
        about="Opening, debits, credits and closing of every account by accounting day. Balances sum to zero.",
        blocks=_trial_balance,
    )


def ageing_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """What customers owe a seller on a day, by age."""
    _demand(model_admin, request)
    form = ledger_forms.asked(request, AgeingForm)
    file = ledger_sheets.answer(request, form, lambda valid: ledger_sheets.open_items(_open(valid)))
    return file or ledger_forms.report(
        model_admin,
        request,
        form=form,
        downloads=ledger_sheets.links(form),
        title="Open items by age",
        icon="hourglass_bottom",
        about="What the books have as owed on a day, by days since it was due. What is only marked as paid is open "
        "here until the money is booked.",
        blocks=_ages,
    )


def revenue_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Revenue, tax and money received by month."""
    _demand(model_admin, request)
    form = ledger_forms.asked(request)
    file = ledger_sheets.answer(request, form, lambda valid: ledger_sheets.revenue(_months(valid)))
    return file or ledger_forms.report(
        model_admin,
        request,
        form=form,
        downloads=ledger_sheets.links(form),
        title="Revenue by month",
        icon="monitoring",
        about="Net revenue less credit notes and given credits, tax that became payable, and money received.",
        blocks=_revenue,
    )


class AgeingForm(ReportForm):
    """A seller, one day and a moment."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["since"]
        self.fields["until"].label = "On"
        self.fields["until"].help_text = "What was open on this day. Empty: today."


def _balances(form: ReportForm) -> list[trial_balance.Row]:
    entity, values = form.entity, form.cleaned_data
    if entity is None:
        return []
    return trial_balance.rows(
        billing_entity_id=entity.pk,
        since=values["since"],
        until=values["until"],
        currency=values["currency"],
        known_on=form.known_on,
    )


def _trial_balance(form: ReportForm) -> list[Block]:
    found = _balances(form)
    if form.entity is None:
        return []
    accounts = LedgerAccount.objects.in_bulk([row.account_id for row in found])
    blocks: list[Block] = []
    for currency, total in trial_balance.totals(found).items():
        rows = [
            Row(
                (
                    cells.to(accounts[row.account_id]),
                    accounts[row.account_id].get_type_display(),
                    *_figures(row.opening, row.debits, row.credits, row.closing),
                )
            )
            for row in found
            if row.currency == currency
        ]
        sums = _figures(total.opening, total.debits, total.credits, total.closing)
        rows.append(Row(("Sum", "", *sums), is_total=True))
        labels = columns("Account", "Type", "Opening#", "Debits#", "Credits#", "Closing#")
        blocks.append(Table(f"Trial balance, {currency}", labels, tuple(rows)))
    return blocks or [Note("Nothing is booked in these days.", Tone.INFO)]


def _open(form: ReportForm) -> list[OpenItem]:
    if form.entity is None:
        return []
    found = open_items.items(billing_entity_id=form.entity.pk, until=_on(form), known_on=form.known_on)
    currency = form.cleaned_data["currency"]
    return [item for item in found if item.amount.currency.code == currency] if currency else found


def _on(form: ReportForm) -> date:
    return form.cleaned_data["until"] or timezone.now().astimezone(UTC).date()


def _ages(form: ReportForm) -> list[Block]:
    if form.entity is None:
        return []
    found = _open(form)
    labels = columns("Currency", *(f"{_bucket(name)}#" for name in ageing.BUCKETS), "Sum#")
    sums = [
        Row((currency, *_figures(*buckets.values()), cells.money(_sum(list(buckets.values())))))
        for currency, buckets in sorted(open_items.ages(found=found, today=_on(form)).items())
    ]
    customers = Customer.objects.in_bulk({item.customer_id for item in found[:_MOST_ITEMS] if item.customer_id})
    invoices = Invoice.objects.in_bulk({item.invoice_id for item in found[:_MOST_ITEMS] if item.invoice_id})
    rows = tuple(
        Row(
            (
                cells.to(invoices[item.invoice_id]) if item.invoice_id else item.description,
                cells.to(customers[item.customer_id], customers[item.customer_id].display_name)
                if item.customer_id
                else cells.EMPTY,
                cells.day(item.issued_on),
                cells.day(item.due_on),
                cells.money(item.disputed) if item.disputed else "",
                cells.money(item.amount),
            )
        )
        for item in found[:_MOST_ITEMS]
    )
    note = f"The {_MOST_ITEMS} longest due of {len(found)}; a file has all." if len(found) > _MOST_ITEMS else ""
    return [
        Table("Open by age", labels, tuple(sums), empty="Nothing is open."),
        Table(
            "Open items",
            columns("Item", "Customer", "Date", "Due", "Disputed#", "Open#"),
            rows,
            empty="Nothing is open.",
            note=note,
        ),
    ]


def _months(form: ReportForm) -> list[EarnedMonth]:
    entity, values = form.entity, form.cleaned_data
    return earned.by_month(
        since=values["since"],
        until=values["until"],
        billing_entity_id=None if entity is None else entity.pk,
        currency=values["currency"],
        known_on=form.known_on,
    )


def _revenue(form: ReportForm) -> list[Block]:
    rows = tuple(
        Row(
            (
                f"{row.month:%B %Y}",
                row.currency,
                *_figures(row.revenue, row.promotion, row.tax, row.received),
            )
        )
        for row in _months(form)
    )
    labels = columns("Month", "Currency", "Net revenue#", "Given credits in it#", "Tax#", "Received#")
    return [Table("Revenue by month", labels, rows, empty="Nothing is booked in these days.")]


def _figures(*amounts: Money) -> tuple[object, ...]:
    return tuple(cells.money(amount) for amount in amounts)


def _sum(amounts: list[Money]) -> Money:
    return sum(amounts[1:], amounts[0])


def _bucket(name: str) -> str:
    return "Not due" if name == ageing.NOT_DUE else name.capitalize()


def _demand(model_admin: Any, request: HttpRequest) -> None:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
