"""What a change of plan or an end would make, as blocks of a page: invoices and credit notes that are not there yet."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import datetime

from billing.models import Subscription
from billing.services import subscription_plans, terminations, unused_time
from billing.services.change_previews import Played
from billing.services.subscription_plans import Preview
from config.kernel import actors
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Row, Table, columns
from invoicing.models import CreditNote, Invoice

UnusedTime = Subscription.UnusedTime
GIVEN_BACK = (UnusedTime.CREDIT, UnusedTime.REFUND, UnusedTime.OFFSET)


def made(preview: Preview) -> tuple[Block, ...]:
    """The invoices with their lines, and the credit notes, that a verb would make."""
    blocks: list[Block] = [_invoices(preview.invoices)]
    if preview.credit_notes:
        blocks.append(_credit_notes(preview.credit_notes))
    return tuple(blocks)


def played(found: Played) -> tuple[Block, ...]:
    """What a change or an end at a chosen time would make then, and what the next billing day after it would."""
    when = f"Would be billed on {cells.day_text(found.takes_effect_on)}"
    blocks: list[Block] = [_invoices(found.invoices, title=when, empty="Nothing is billed then.")]
    if found.credit_notes:
        blocks.append(
            _credit_notes(found.credit_notes, f"Would be credited on {cells.day_text(found.takes_effect_on)}")
        )
    if found.billed_next_on is not None:
        title = f"The next invoice, of {cells.day_text(found.billed_next_on)}, with the usage known now"
        blocks.append(_invoices(found.next_invoices, title=title, empty="Nothing would be billed yet."))
    return tuple(blocks)


def ends(subscription: Subscription, *, at: datetime) -> tuple[Block, ...]:
    """What the end of an active subscription would make now, as it is agreed, and each choice for its unused time."""
    if subscription.status != Subscription.Status.ACTIVE:
        return ()
    previews = {option: _end(subscription, option, at) for option in _options(subscription, at)}
    agreed = subscription.on_termination_credit_note or UnusedTime.CREDIT.value
    first = previews.get(agreed) or _end(subscription, agreed, at)
    blocks: list[Block] = [_invoices(first.invoices)]
    rows = tuple(
        Row((option.label, *_amounts(previews[option].credit_notes)))
        for option in GIVEN_BACK
        if option in previews and previews[option].credit_notes
    )
    if rows:
        heads = columns("Unused time", "Credit note#", "Credit#", "Refund#", "Off the invoice#")
        note = "With tax. Or it is kept, and there is no credit note."
        blocks.append(Table("What becomes of time that was paid in advance", heads, rows, note=note))
    return tuple(blocks)


def _options(subscription: Subscription, at: datetime) -> Sequence[UnusedTime]:
    found = unused_time.find(subscription=subscription, ended_at=at)
    return GIVEN_BACK if found is not None or subscription.plan_version.pay_in_advance else ()


def _end(subscription: Subscription, option: str, at: datetime) -> Preview:
    verb = functools.partial(
        terminations.terminate,
        subscription_id=subscription.pk,
        on_termination_credit_note=option,
        actor=actors.SYSTEM,
        at=at,
    )
    return subscription_plans.preview(subscription=subscription, verb=verb)


def _invoices(
    found: Iterable[Invoice], *, title: str = "Would be billed now", empty: str = "Nothing is billed now."
) -> Table:
    rows: list[Row] = []
    for invoice in found:
        zone = invoice.timezone
        head = f"Invoice of {cells.day_text(invoice.issuing_date)}, {invoice.get_status_display()}"
        if invoice.purchase_order_number:
            head += f", purchase order {invoice.purchase_order_number}"
        rows.append(Row((head, "", ""), is_group=True))
        rows += [
            Row((line.label, cells.period_text(line.from_at, line.to_at, zone), cells.money(line.amount)))
            for line in invoice.lines.all()
        ]
        rows.append(Row(("Total with tax, less credits", "", cells.money(invoice.total_amount)), is_total=True))
    return Table(title, columns("Line", "For", "Amount#"), tuple(rows), empty=empty)


def _credit_notes(found: Iterable[CreditNote], title: str = "Would be credited now") -> Table:
    rows = tuple(
        Row((note.get_reason_display(), cells.money(note.sub_total_amount), *_amounts([note])[:1])) for note in found
    )
    return Table(title, columns("Why", "Net#", "With tax#"), rows)


def _amounts(found: Sequence[CreditNote]) -> tuple[object, ...]:
    note = found[0]
    return (
        cells.money(note.total_amount),
        cells.money(note.credit_amount),
        cells.money(note.refund_amount),
        cells.money(note.offset_amount),
    )
