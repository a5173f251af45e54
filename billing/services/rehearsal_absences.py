"""Invoices that are missing: subscriptions that were due and have nothing to bill, though they had last period.

Owns finding them and their rows: nothing beside what there was, flagged where the rules say so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from billing.domain import bill_differences, outliers, rehearsed_lines
from billing.domain.bill_differences import BilledSums
from billing.domain.outliers import Conspicuous, Rule
from billing.models import Rehearsal, RehearsedInvoice
from billing.queries import rehearsals
from billing.queries.made_bills import MadeBill
from billing.queries.previous_bills import BilledBefore, Chains, UsageOfPeriod
from billing.services import rehearsal_befores
from config.kernel import money


@dataclass
class Absent:
    """Subscriptions of a customer that were on one invoice the period before and are on none now."""

    customer_id: int
    day: date
    rows: list[BilledBefore]
    past: dict[str, list[BilledBefore]] = field(default_factory=dict)


def of(
    *,
    due: Mapping[tuple[int, str], date],
    bills: Sequence[MadeBill],
    compared: Mapping[int, Sequence[BilledBefore]],
    chains: Chains,
) -> list[Absent]:
    """Return what was due and is neither on an invoice nor compared with one, by the invoice that it was on before."""
    told = {(bill.invoice.customer_id, name) for bill in bills for name in bill.subscriptions}
    told |= {(row.customer_id, row.external_id) for rows in compared.values() for row in rows}
    found: dict[tuple[int, int, date], Absent] = {}
    for (customer_id, name), day in due.items():
        row = rehearsal_befores.last(chains.get((customer_id, name), ()), day=day)
        if (customer_id, name) in told or row is None or row.invoice_id is None:
            continue
        one = found.setdefault((customer_id, row.invoice_id, day), Absent(customer_id, day, []))
        one.rows.append(row)
    return list(found.values())


def rows(
    *,
    rehearsal: Rehearsal,
    absent: Sequence[Absent],
    known: Mapping[int, MadeBill],
    chains: Chains,
    usage: Mapping[int, Sequence[UsageOfPeriod]],
    rules: Sequence[Rule],
    at: datetime,
) -> list[RehearsedInvoice]:
    """Return the unsaved rows of nothing."""
    made = []
    for one in absent:
        last = known.get(one.rows[0].invoice_id or 0)
        if last is not None:
            made.append(_row(rehearsal, one, last, known, chains, usage, rules, at))
    return made


def _row(
    rehearsal: Rehearsal,
    one: Absent,
    last: MadeBill,
    known: Mapping[int, MadeBill],
    chains: Chains,
    usage: Mapping[int, Sequence[UsageOfPeriod]],
    rules: Sequence[Rule],
    at: datetime,
) -> RehearsedInvoice:
    invoice, code = last.invoice, last.invoice.currency
    before = rehearsal_befores.of(customer_id=one.customer_id, currency=code, rows=one.rows, known=known, chains=chains)
    names = frozenset(row.external_id for row in one.rows)
    compared = bill_differences.compare(
        now=(), before=before.lines, sums_now=BilledSums(), sums_before=before.sums, continuing=names
    )
    gross = sum(line.amount_minor for line in before.lines) - before.sums.discount
    previous = money.from_minor(gross - before.progressive, code)
    zero = money.zero(code)
    found = outliers.flags(
        rules=rules,
        found=Conspicuous(
            currency=code,
            subtotal=Decimal(0),
            total=Decimal(0),
            previous=previous.amount,
            usage=rehearsal_befores.usage_of(lines=(), names=names, past=one.past, usage=usage),
        ),
    )
    key = f"nothing:{one.customer_id}:{one.day}:{invoice.pk}"
    return RehearsedInvoice(
        created_at=at,
        rehearsal=rehearsal,
        customer_id=one.customer_id,
        billing_entity_id=invoice.billing_entity_id,
        billing_date=one.day,
        purchase_order_number=invoice.purchase_order_number,
        group_sha256=hashlib.sha256(key.encode()).hexdigest(),
        currency=code,
        subtotal_amount=zero,
        tax_amount=zero,
        total_amount=zero,
        due_amount=zero,
        previous=invoice,
        previous_subtotal_amount=previous,
        previous_amount=money.from_minor(gross + before.sums.tax - before.sums.credits, code),
        difference_amount=money.from_minor(compared.difference, code),
        causes={cause.value: amount for cause, amount in compared.causes.items()},
        flags=[{"rule": flag.rule, "kind": flag.kind.value, "says": flag.says} for flag in found],
        is_flagged=bool(found),
        previous_lines=[rehearsed_lines.written(line, is_continuing=True) for line in before.lines],
        error_code=rehearsals.NOTHING_TO_BILL,
        error="Nothing is to be billed, and no invoice would be made.",
    )
