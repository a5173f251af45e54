"""What the page of a contract is made of: the phases on a time line, commitments with how far they are, amendments, and
what a verb would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from moneyed import Money

from billing.domain import renewals
from billing.domain.contract_terms import Span
from billing.models import Contract, ContractAmendment, ContractCommitment, ContractPhase
from billing.queries import prepaid_commitments, sold_contracts
from billing.queries.prepaid_commitments import Drawdown
from billing.services import contract_commitments
from billing.services.contract_commitments import Progress
from billing.services.contract_endings import Preview
from config.kernel import money
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Custom, Fact, Facts, Note, Row, Table, columns
from config.platform.admin.cells import Tone

STATE = {
    Contract.State.DRAFT: Tone.INFO,
    Contract.State.ACTIVE: Tone.GOOD,
    Contract.State.ENDED: Tone.NEUTRAL,
    Contract.State.CANCELED: Tone.NEUTRAL,
}
_WIDTH, _ROW, _TOP = 1000, 58, 22
_LEAST_TEXT = 90
_MOST_MARKS = 13


def state(contract: Contract) -> object:
    """The state of a contract."""
    return cells.badge(contract.get_state_display(), STATE[Contract.State(contract.state)])


def renewal_text(contract: Contract) -> str:
    """What happens at the end, and by when somebody has to say something."""
    notice = sold_contracts.notice(contract)
    if contract.renewal != Contract.Renewal.AUTOMATIC:
        return "ends with its term"
    if notice is not None:
        return f"notice given on {cells.day_text(notice.given_on)}"
    deadline = renewals.notice_deadline(ends_on=contract.ends_on, notice_days=contract.notice_days)
    return f"renews; notice by {cells.day_text(deadline)}"


def timeline(contract: Contract, *, today: date) -> Custom:
    """The phases of all products as bars over the terms of the contract."""
    items = list(contract.items.all())
    whole = Span(contract.starts_on, max([contract.ends_on, *(item.ends_on for item in items)]))
    height = _TOP + _ROW * max(len(items), 1)
    rows = []
    for number, item in enumerate(items):
        top = _TOP + number * _ROW
        bars = [_bar(phase, place, whole, today) for place, phase in enumerate(item.phases.all())]
        rows.append({"name": str(item), "label_y": top + 16, "bar_y": top + 22, "text_y": top + 41, "bars": bars})
    is_inside = whole.contains(today) and contract.state == Contract.State.ACTIVE
    context = {
        "height": height,
        "label": f"Phases of {contract.number}",
        "rows": rows,
        "marks": _marks(contract, whole),
        "today": _x(today, whole) if is_inside else "",
    }
    return Custom("Terms", "admin/billing/contract_timeline.html", context)


def phases(contract: Contract) -> Table:
    """The phases of all products as rows."""
    rows: list[Row] = []
    for item in contract.items.all():
        serving = sold_contracts.living(item)
        head = cells.to(serving, str(item)) if serving is not None else str(item)
        rows.append(Row((head, "", "", "", ""), is_group=True))
        rows += [_phase_row(phase) for phase in item.phases.all()]
    return Table("Products and phases", columns("Days", "Plan", "Fee#", "Agreed otherwise", ""), tuple(rows))


def commitments(contract: Contract) -> Custom:
    """What was committed to, what was billed towards it, and what is to be expected."""
    every = list(contract.commitments.all())
    terms = _of_kind(every, ContractCommitment.Kind.TERM)
    towards = contract_commitments.progress(contract=contract, commitments=terms)
    drawdowns = prepaid_commitments.drawdowns(_of_kind(every, ContractCommitment.Kind.PREPAID))
    rows = [_commitment(row, towards.get(row.pk), drawdowns.get(row.pk)) for row in every]
    return Custom("Commitments", "admin/billing/contract_commitments.html", {"rows": rows})


def _of_kind(rows: Sequence[ContractCommitment], kind: str) -> list[ContractCommitment]:
    return [row for row in rows if row.kind == kind]


def amendments(contract: Contract) -> Table:
    """What was changed, from when, by whom and why; the newest first."""
    rows = tuple(
        Row(
            (
                f"No. {one.number}",
                one.get_kind_display(),
                cells.day(one.effective_on),
                cells.stack(one.made_by, one.reason),
                cells.instant(one.created_at),
            ),
            details=(_before_after(one),),
        )
        for one in sorted(contract.amendments.all(), key=lambda one: -one.number)
    )
    heads = columns("Amendment", "What", "From", "By whom and why", "Made")
    return Table("Amendments", heads, rows, empty="It is as it was signed.")


def terms(contract: Contract) -> Table:
    """The terms so far: the first one and the renewals."""
    rows = tuple(
        Row(
            (
                "First term" if one.number == 1 else f"Renewal {one.number - 1}",
                days(one.starts_on, one.ends_on),
                cells.percent(one.uplift_rate) if one.number > 1 else cells.EMPTY,
            )
        )
        for one in contract.terms.all()
    )
    return Table("Terms", columns("Term", "Days", "Uplift#"), rows)


def would_be(found: Preview) -> tuple[Block, ...]:
    """What a verb would make: the phases then, and what would be billed by its day."""
    rows = tuple(
        Row((one.product, days(one.starts_on, one.ends_on), one.plan, cells.money(one.fee)))  # type: ignore[arg-type]
        for one in found.phases
    )
    blocks: list[Block] = [Table("Phases then", columns("Product", "Days", "Plan", "Fee#"), rows)]
    committed = tuple(_committed(row) for row in found.contract.commitments.all())
    if committed:
        blocks.append(Table("Commitments then", columns("Commitment", "Days", "Kind", "Amount#"), committed))
    billed: list[Row] = []
    for invoice in found.invoices:
        billed.append(Row((f"Invoice of {cells.day_text(invoice.issuing_date)}", "", ""), is_group=True))
        billed += [
            Row((line.label, cells.period_text(line.from_at, line.to_at, invoice.timezone), cells.money(line.amount)))
            for line in invoice.lines.all()
        ]
        billed.append(Row(("Total with tax, less credits", "", cells.money(invoice.total_amount)), is_total=True))
    heads = columns("Line", "For", "Amount#")
    blocks.append(Table("Billed by that day", heads, tuple(billed), empty="Nothing is billed by that day."))
    if found.credit_notes:
        total = sum((note.total_amount for note in found.credit_notes), Money(0, found.contract.currency))
        blocks.append(Note(f"Credited: {cells.money_text(total)} with tax."))
    return tuple(blocks)


def _committed(row: ContractCommitment) -> Row:
    span = days(row.starts_on, row.cut_on or row.ends_on)
    due = row.amount
    if row.kind == ContractCommitment.Kind.TERM:
        due = money.rounded(Money(contract_commitments.committed(row).due, row.currency))
    return Row((row.invoice_name or "Commitment", span, row.get_kind_display(), cells.money(due)))


def days(first: date, last: date) -> str:
    """Days from the first to the last one."""
    return f"{cells.day_text(first)} – {cells.day_text(last)}"


def summary(contract: Contract) -> Facts:
    """What a confirmation page shows of a contract."""
    return Facts(
        str(contract),
        (
            Fact("Customer", contract.customer.display_name),
            Fact("Term", days(contract.starts_on, contract.ends_on)),
            Fact("At its end", renewal_text(contract)),
            Fact("Products", ", ".join(str(item) for item in contract.items.all())),
        ),
    )


def _x(day: date, whole: Span) -> str:
    offset = Span(whole.first, day).days - 1 if day >= whole.first else 0
    return _text(Decimal(_WIDTH * offset) / whole.days)


def _bar(phase: ContractPhase, place: int, whole: Span, today: date) -> Mapping[str, Any]:
    span = Span(phase.starts_on, phase.ends_on)
    start = Decimal(_x(span.first, whole))
    width = Decimal(_WIDTH * span.days) / whole.days - 3
    text = f"{phase.plan_version.plan.name} {_fee(phase)}"
    return {
        "x": _text(start),
        "width": _text(max(width, Decimal(2))),
        "tone": "accent" if span.contains(today) else "info" if place % 2 else "good",
        "opacity": "0.55" if span.contains(today) else "0.3",
        "text": text if width > _LEAST_TEXT and len(text) * 7 < width else "",
        "text_x": _text(start + 8),
        "title": f"{days(span.first, span.last)}: {text}",
    }


def _marks(contract: Contract, whole: Span) -> list[Mapping[str, object]]:
    firsts = {term.starts_on for term in contract.terms.all()}
    firsts |= {phase.starts_on for item in contract.items.all() for phase in item.phases.all()}
    marks: list[Mapping[str, object]] = [
        {"x": _x(day, whole), "text_x": _x(day, whole), "anchor": "start", "text": cells.day_text(day)}
        for day in sorted(firsts)[:_MOST_MARKS]
    ]
    marks.append({"x": _WIDTH, "text_x": _WIDTH, "anchor": "end", "text": cells.day_text(whole.last)})
    return marks


def _text(value: Decimal) -> str:
    return f"{value:.1f}"


def _fee(phase: ContractPhase) -> str:
    version = phase.own_version or phase.plan_version
    cents = phase.overrides.get("amount_cents")
    amount = version.amount
    if phase.own_version is None and cents is not None:
        amount = money.from_minor(cents, version.currency)
    return cells.money_text(amount)


def _phase_row(phase: ContractPhase) -> Row:
    version = phase.plan_version
    units = {row.get("code", ""): row["units"] for row in phase.overrides.get("fixed_charges", ()) if "units" in row}
    said = [f"{number} × {code}" for code, number in units.items()]
    priced = [name for name in phase.overrides if name not in ("amount_cents", "fixed_charges")]
    said += [name.replace("_", " ") for name in priced]
    badge = cells.badge("scheduled or served", Tone.GOOD) if phase.scheduled_at is not None else ""
    return Row((days(phase.starts_on, phase.ends_on), str(version), _fee(phase), ", ".join(said), badge))


def drawn(contract: Contract) -> tuple[Table, ...]:
    """The invoices that drew on prepaid commitments, where there are any."""
    prepaid = _of_kind(list(contract.commitments.all()), ContractCommitment.Kind.PREPAID)
    if not prepaid:
        return ()
    rows = tuple(
        Row((cells.to(use.invoice), cells.day(use.invoice.issuing_date), use.credit.source, cells.money(use.amount)))
        for use in prepaid_commitments.uses(prepaid)
    )
    heads = columns("Invoice", "Issued", "Of", "Used#")
    return (Table("Drawn of what is prepaid", heads, rows, empty="Nothing was drawn yet."),)


def _prepaid(row: ContractCommitment, found: Drawdown, note: str) -> Mapping[str, Any]:
    percent = int(found.used.amount * 100 / found.granted.amount) if found.granted else 0
    badge = cells.badge("open", Tone.GOOD) if found.left else cells.badge("nothing left", Tone.NEUTRAL)
    if not found.granted:
        badge = cells.badge("waits for its payment", Tone.WARN)
    names = (
        ("Committed", found.committed),
        ("Invoiced", found.invoiced),
        ("Granted", found.granted),
        ("Used", found.used),
        ("Expired or rolled over", found.closed),
        ("Left", found.left),
    )
    rest = "what is left rolls over into a renewed term" if row.rolls_over else "what is left expires"
    return {
        "title": row.invoice_name or "Prepaid",
        "badge": badge,
        "percent": percent,
        "figures": [(label, cells.money_text(amount)) for label, amount in names],
        "note": f"{note}; invoiced {row.get_instalments_display()}, granted {row.get_grant_on_display()}; {rest}.",
    }


def _commitment(row: ContractCommitment, found: Progress | None, drawdown: Drawdown | None) -> Mapping[str, Any]:
    title = row.invoice_name or ("For each period of " + str(row.item) if row.item is not None else "Over the term")
    note = days(row.starts_on, row.cut_on or row.ends_on)
    if drawdown is not None:
        return _prepaid(row, drawdown, note)
    if found is None:
        figures = [("Committed for each period", cells.money_text(row.amount))]
        return {"title": title, "badge": "", "percent": None, "figures": figures, "note": note}
    percent = 100 if not found.due else min(100, int(found.billed * 100 / found.due))
    is_reached = found.missing == 0
    badge = cells.badge("reached", Tone.GOOD) if is_reached else cells.badge("open", Tone.WARN)
    if row.settled_at is not None:
        badge = cells.badge("settled", Tone.NEUTRAL)
    names = (
        ("Committed", found.due),
        ("Billed", found.billed),
        ("Forecast", found.forecast),
        ("Missing", found.missing),
    )
    figures = [(label, cells.money_text(Money(figure, row.currency))) for label, figure in names]
    return {"title": title, "badge": badge, "percent": percent, "figures": figures, "note": note}


def _before_after(amendment: ContractAmendment) -> Block:
    return Facts(
        "",
        (
            Fact("Before", _told(amendment.before)),
            Fact("After", _told(amendment.after)),
        ),
    )


def _told(noted: Mapping[str, Any]) -> str:
    if not noted:
        return "nothing"
    parts: list[str] = []
    for name, value in noted.items():
        if name == "phases":
            parts += [_told_phase(row) for row in value]
        elif name == "items":
            parts += [_told(row) for row in value]
        elif value is not None:
            parts.append(f"{name.replace('_', ' ')} {value}")
    return "; ".join(parts)


def _told_phase(row: Mapping[str, Any]) -> str:
    own: Sequence[str] = [f"{name} {value}" for name, value in row["overrides"].items() if not isinstance(value, list)]
    tail = f" ({', '.join(own)})" if own else ""
    return f"{row['starts_on']} – {row['ends_on']} {row['plan']}{tail}"
