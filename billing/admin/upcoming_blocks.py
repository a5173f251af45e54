"""The next invoices of a subscription on its page, as they would be made: a fragment with an address of its own, so
that the page does not wait for it. Owns its table and its words.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone
from moneyed import Money

from billing.models import Subscription
from billing.queries import forecast_usage, timelines
from billing.queries.forecast_usage import UsageFigures
from billing.services import forecasts
from billing.services.forecasts import BillingDay, Forecast, UsageState
from config.kernel import errors
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from invoicing.models import InvoiceLine

TEMPLATE = "admin/platform/blocks.html"
_USAGE_KINDS = (InvoiceLine.Kind.CHARGE, InvoiceLine.Kind.COMMITMENT)
_WAITS = {
    "payment": "It waits for its first payment: nothing more is billed until that comes.",
    "resume": "It is paused, and no day is agreed on which it resumes: nothing is billed until then.",
}


def view(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the fragment. Looking changes nothing: what is played is undone."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET"])
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    instance = model_admin.get_object(request, object_id)
    if instance is None:
        raise Http404
    found = blocks(instance, at=timezone.now())
    return TemplateResponse(request, TEMPLATE, {"blocks": found}, headers={"Cache-Control": "no-store"})


def blocks(subscription: Subscription, *, at: datetime) -> tuple[Block, ...]:
    """Return the table of the next billing days, or why there is none."""
    try:
        found = forecasts.of(subscription=subscription, at=at)
    except errors.DomainError as refusal:
        return (Note(f"The next invoices cannot be computed: {refusal.message}", Tone.WARN),)
    figures = forecast_usage.read(rows=timelines.chain(subscription), at=at)
    rows = tuple(_row(day, found, figures) for day in found.days)
    table = Table(
        "The next invoices",
        columns("Billed on", "Lines", "Usage", "Net#", "Invoice with tax#"),
        rows,
        empty=_WAITS.get(found.waits_for, "Nothing more will be billed."),
        note="Computed by the code that bills, with all that is agreed. Fees are exact; usage is as known now.",
    )
    waits = _WAITS.get(found.waits_for, "") if rows else ""
    ends = "" if found.ends_on is None else f"It ends on {cells.day_text(found.ends_on)}: nothing is billed after that."
    alone = "Its lines alone; the invoices have more of this customer's." if found.is_alone else ""
    said = " ".join(text for text in (waits, ends if rows else "", alone) if text)
    return (table, Note(said, Tone.NEUTRAL)) if said else (table,)


def _row(day: BillingDay, found: Forecast, figures: UsageFigures) -> Row:
    first = day.invoices[0] if day.invoices else None
    net = sum((line.amount for line in day.lines[1:]), day.lines[0].amount) if day.lines else None
    count = len([line for line in day.lines if line.amount.amount])
    lines = f"{count} line{'' if count == 1 else 's'}" if day.lines else "nothing to bill"
    others = f"and {day.others_count} of other subscriptions" if day.others_count else ""
    credited = "".join(f", {cells.money_text(note.total_amount)} credited" for note in day.credit_notes)
    totals = [invoice.total_amount for invoice in day.invoices]
    return Row(
        (
            cells.stack(cells.day(day.day), "" if first is None else f"due {cells.day_text(first.payment_due_date)}"),
            cells.stack(f"{lines}{credited}", "; ".join(text for text in (others, _taken_off(day)) if text)),
            _usage(day, found, figures),
            cells.money(net),
            cells.money(sum(totals[1:], totals[0]) if totals else None),
        ),
        details=(_lines(day, found),) if day.lines or day.credit_notes else (),
    )


def _taken_off(day: BillingDay) -> str:
    found: dict[str, Money] = {}
    for invoice in day.invoices:
        for amount, what in (
            (invoice.progressive_billing_credit_amount, "billed at thresholds, before tax"),
            (invoice.coupons_amount, "of coupons, before tax"),
            (invoice.credit_notes_amount, "of credit notes"),
            (invoice.prepaid_credit_amount, "of prepaid credit"),
        ):
            if amount.amount:
                found[what] = found[what] + amount if what in found else amount
    return ", ".join(f"less {cells.money_text(amount)} {what}" for what, amount in found.items())


def _usage(day: BillingDay, found: Forecast, figures: UsageFigures) -> object:
    state = day.usage_state(at=found.at)
    if state is UsageState.NONE:
        return cells.EMPTY
    if state is UsageState.COUNTED:
        return "counted"
    if state is UsageState.TO_COME:
        return cells.stack("as it comes", _compared(figures.last))
    is_whole = day.usage is not None and day.usage[1] == figures.ends_at
    estimate = figures.projected if is_whole else None
    text = "" if estimate is None else f"estimate of the whole period: {cells.money_text(estimate)}"
    return cells.stack("counted so far", text)


def _compared(last: Money | None) -> str:
    return "" if last is None else f"last period: {cells.money_text(last)}"


def _lines(day: BillingDay, found: Forecast) -> Table:
    rows = [
        Row(
            (
                line.label,
                cells.period_text(line.from_at, line.to_at, found.timezone),
                _marked(line, found),
                cells.money(line.amount),
            )
        )
        for line in day.lines
    ]
    rows += [
        Row((f"Credit: {note.get_reason_display()}", "", "", cells.money(-note.total_amount)))
        for note in day.credit_notes
    ]
    return Table("", columns("Line", "For", "", "Amount#"), tuple(rows))


def _marked(line: InvoiceLine, found: Forecast) -> object:
    if line.kind not in _USAGE_KINDS or line.to_at <= found.at:
        return ""
    if line.kind == InvoiceLine.Kind.COMMITMENT:
        return cells.badge("less as usage comes", Tone.INFO)
    return cells.badge("so far" if line.from_at <= found.at else "as known now", Tone.INFO)
