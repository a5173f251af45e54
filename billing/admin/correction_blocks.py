"""Corrections on admin pages: what one would do, or did, in a few tables; those of an invoice; how a line of a
difference came about. All of it is shown from what a correction tells of itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from moneyed import Money

from billing.models import OwedLine
from config.kernel import money, registry
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Block, Note, Row, Sum, Table, columns
from config.platform.admin.cells import Tone
from invoicing.domain import ledger
from invoicing.domain.corrections import Kind
from invoicing.models import CorrectedLine, Correction, CorrectionDocument, Invoice, InvoiceLine
from invoicing.queries import corrections as known

_STEPS = {
    Kind.ADJUST: "The lines of the draft are adjusted. No document is needed.",
    Kind.REFRESH: "The draft is computed anew. No document is needed.",
    Kind.DROP: "What waits for the next invoice of an earlier correction is dropped.",
    Kind.CREDIT_NOTE: "A credit note gives back what was too much.",
    Kind.NEXT_INVOICE: "The next invoice bills what was too little.",
    Kind.OWN_INVOICE: "An invoice of its own, issued now, bills what was too little.",
    Kind.REPLACEMENT: "The invoice is voided, and another one is issued in its place. What was paid pays the new one.",
    Kind.USAGE: "The events are corrected, and what that comes to is settled.",
}
_DOCUMENTS = {
    "credit_note": "Credit note",
    "invoice": "Invoice",
    "draft": "Draft",
    "voided_invoice": "Voided invoice",
    "next_invoice_line": "On the next invoice, before tax",
}
_BALANCES = {
    "invoice_due": "Due of the invoice, or of the one in its place",
    "wallets": "In wallets",
    ledger.RECEIVABLE: "Owed by the customer",
    ledger.DISPUTED: "Owed, in dispute",
    ledger.REVENUE: "Revenue",
    ledger.TAX: "Tax payable",
    ledger.CUSTOMER_CREDIT: "Customer credit",
    ledger.REFUNDS: "Refunds to pay",
    ledger.PREPAID: "Prepaid by the customer",
    ledger.PROMOTION: "Given credits used",
    ledger.CASH: "Cash",
    ledger.WRITE_OFF: "Written off",
}


def of_told(*, plan: Sequence[Mapping[str, Any]], effect: Mapping[str, Any], currency: str) -> tuple[Block, ...]:
    """The steps of a correction and all that it does, from what it tells of itself."""
    return (
        *(Note(_STEPS[Kind(step["kind"])], Tone.INFO) for step in plan),
        *_lines(plan, currency),
        _documents(effect["documents"], currency),
        _taxes(effect["taxes"], currency),
        _balances(effect["balances"], currency),
        _accounts(effect["accounts"], currency),
    )


def of_invoice(invoice: Invoice) -> Mapping[str, Any] | None:
    """The corrections of an invoice, and those that made it; nothing where there are none."""
    own = list(known.of_invoice(invoice)[:25])
    notes = [
        Note(cells.stack(cells.to(one.invoice, f"It came of correcting {one.invoice}."), one.reason), Tone.INFO)
        for one in known.making(invoice)[:5]
    ]
    if not own:
        return blocks.panel(*notes) if notes else None
    waits = OwedLine.objects.filter(corrected__line__invoice=invoice, line__isnull=True, dropped_at__isnull=True)
    waiting = [cells.money_text(row.amount) for row in waits]
    if waiting:
        notes.append(Note(f"Waits for the next invoice: {', '.join(waiting)}, before tax.", Tone.INFO))
    table = Table(
        "Corrections",
        columns("When", "By", "Reason", "Steps"),
        tuple(_row(one, invoice) for one in own),
        note="Open one to see what it did.",
    )
    return blocks.panel(*notes, table)


def explain(lines: Sequence[InvoiceLine]) -> Mapping[int, Mapping[str, Any]]:
    """The worked sum of lines that bill the difference of a corrected line. Two queries."""
    rows = OwedLine.objects.filter(line__in=lines).select_related("corrected__line__invoice")
    found: dict[int, CorrectedLine] = {row.line_id: row.corrected for row in rows if row.line_id}
    documents = CorrectionDocument.objects.filter(invoice__in={line.invoice_id for line in lines})
    corrected = CorrectedLine.objects.filter(correction__documents__in=documents, step=Kind.OWN_INVOICE)
    by_name: dict[tuple[Any, ...], CorrectedLine] = {}
    for row in corrected.select_related("line__invoice"):
        by_name[row.line.item_code, row.line.from_at, row.line.to_at, row.after_amount - row.before_amount] = row
    for line in lines:
        own = by_name.get((line.item_code, line.from_at, line.to_at, line.agreed_amount))
        if own is not None and own.line.invoice_id != line.invoice_id:
            found.setdefault(line.pk, own)
    return {line.pk: {"blocks": (_sum(line, found[line.pk]),)} for line in lines if line.pk in found}


def _sum(line: InvoiceLine, row: CorrectedLine) -> Sum:
    difference = row.after_amount - row.before_amount
    worked = (
        (f"Right for {row.line.label}", "", cells.money_text(row.after_amount)),
        (f"Billed before, with {row.line.invoice}", "", cells.money_text(row.before_amount)),
        ("Difference", "", cells.money_text(difference)),
    )
    if difference == line.agreed_amount:
        return Sum(worked, "The difference is what this line bills.", Tone.GOOD)
    return Sum(worked, "The difference is not what this line bills.", Tone.BAD)


def _row(one: Correction, invoice: Invoice) -> Row:
    steps = [Kind(step["kind"]).value.replace("_", " ") for step in one.plan]
    return Row(
        (cells.instant(one.created_at), one.made_by, one.reason, ", ".join(steps)),
        details=of_told(plan=one.plan, effect=one.effect, currency=invoice.currency),
    )


def _lines(plan: Sequence[Mapping[str, Any]], currency: str) -> tuple[Block, ...]:
    rows = tuple(
        Row(
            (
                fee["invoice_display_name"],
                cells.number(Decimal(fee["units"])),
                _money(fee["before_amount_cents"], currency),
                _money(fee["after_amount_cents"], currency),
                _money(fee["difference_amount_cents"], currency),
            )
        )
        for step in plan
        for fee in step["fees"]
    )
    return (Table("Lines", columns("Line", "Units#", "Before#", "Right#", "Difference#"), rows),) if rows else ()


def _documents(documents: Sequence[Mapping[str, Any]], currency: str) -> Table:
    return Table(
        "Documents",
        columns("Document", "Net#", "Tax#", "Total#", "Paid by credits#", "Due#", "Credit#", "Refund#", "Taken off#"),
        tuple(
            Row(
                (
                    cells.stack(_DOCUMENTS[made["kind"]], made["number"] or ""),
                    *(
                        _money(made[f"{name}_amount_cents"], currency)
                        for name in ("net", "taxes", "total", "used_credit", "total_due", "credit", "refund", "offset")
                    ),
                )
            )
            for made in documents
        ),
        empty="No document is made.",
    )


def _taxes(taxes: Sequence[Mapping[str, Any]], currency: str) -> Table:
    return Table(
        "Tax by rate",
        columns("Tax", "Rate#", "Base#", "Amount#"),
        tuple(
            Row(
                (
                    tax["tax_name"],
                    cells.percent(Decimal(tax["tax_rate"]) / 100),
                    _money(tax["base_amount_cents"], currency),
                    _money(tax["amount_cents"], currency),
                )
            )
            for tax in taxes
        ),
        empty="The tax stays as it was.",
    )


def _balances(balances: Sequence[Mapping[str, Any]], currency: str) -> Table:
    return Table(
        "What the customer owes and has",
        columns("", "Before#", "After#"),
        tuple(
            Row(
                (
                    _BALANCES.get(balance["name"], balance["name"]),
                    _money(balance["before_cents"], currency),
                    _money(balance["after_cents"], currency),
                )
            )
            for balance in balances
        ),
    )


def _accounts(accounts: Sequence[Mapping[str, Any]], currency: str) -> Table:
    return Table(
        "In the books",
        columns("Account", "Debit#", "Credit#"),
        tuple(
            Row(
                (
                    f"{account['code']} {account['name']}",
                    _money(account["amount_cents"], currency) if account["amount_cents"] > 0 else "",
                    _money(-account["amount_cents"], currency) if account["amount_cents"] < 0 else "",
                )
            )
            for account in accounts
        ),
        empty="Nothing is booked.",
    )


def _money(cents: int, currency: str) -> object:
    amount: Money = money.from_minor(cents, currency)
    return cells.money(amount)


registry.register_panel("invoicing.invoice", of_invoice)
registry.register_part("invoicing.line_explained", explain)
