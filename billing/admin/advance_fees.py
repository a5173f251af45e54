"""What of a subscription was billed in advance, and which of its events still wait, for the subscription's page."""

from __future__ import annotations

from billing.models import AdvanceEvent, RatedCharge, Subscription
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Note, Row, Table, columns
from config.platform.admin.cells import Tone

ROWS = 20


def blocks(subscription: Subscription) -> tuple[Block, ...]:
    """Return the newest fees in advance with their payment, and a warning where events could not be billed."""
    found = RatedCharge.objects.filter(subscription=subscription, charge__pay_in_advance=True)
    rows = list(found.select_related("line__invoice").defer("trace").order_by("-pk")[:ROWS])
    waiting = AdvanceEvent.objects.filter(external_subscription_id=subscription.external_id).exclude(problem="")
    stuck = waiting.count()
    notes = (Note(f"{stuck} events wait to be billed: {waiting[0].problem}", Tone.WARN),) if stuck else ()
    if not rows:
        return notes
    table = Table(
        "Usage billed in advance",
        columns("Fee", "Event", "Made on", "Payment", "Invoice", "Units#", "Amount#"),
        tuple(_row(row, subscription) for row in rows),
    )
    return (*notes, table)


def _row(row: RatedCharge, subscription: Subscription) -> Row:
    line = row.line
    alone = bool(line.payment_status)
    return Row(
        (
            cells.to(line, line.label) if alone else line.label,
            row.event_transaction_id or "renewal",
            cells.local_day(row.created_at, subscription.customer.applicable_timezone),
            line.get_payment_status_display() if alone or line.invoice is None else cells.EMPTY,
            cells.EMPTY if line.invoice is None else cells.to(line.invoice),
            cells.number(line.units),
            cells.money(line.amount),
        )
    )
