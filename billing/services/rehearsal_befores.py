"""What a rehearsed invoice is compared with: the invoices of the period before, as far as they billed the same
subscriptions, and the usage of the last periods. Owns finding and cutting them; what it means is the domain's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from moneyed import Money

from billing.domain import outliers
from billing.domain.bill_differences import BilledLine, BilledSums
from billing.domain.outliers import ItemUsage
from billing.queries.made_bills import MadeBill
from billing.queries.previous_bills import BilledBefore, Chains, UsageOfPeriod
from config.kernel import money
from invoicing.models import InvoiceLine


@dataclass(frozen=True)
class Before:
    """What was billed of the same subscriptions the period before, in the same currency unless a line says otherwise.

    ``subscriptions`` are those that were there. Without ``bills`` there is nothing to compare with.
    """

    bills: tuple[MadeBill, ...] = ()
    lines: tuple[BilledLine, ...] = ()
    sums: BilledSums = field(default_factory=BilledSums)
    progressive: int = 0
    taxes: frozenset[str] = frozenset()
    subscriptions: frozenset[str] = frozenset()
    purchase_order: str = ""


def rows_of(*, bill: MadeBill, chains: Chains) -> list[BilledBefore]:
    """Return the billed periods that the invoice is compared with: the last ones of its own subscriptions, and of those
    that were on the same invoices and have nothing to bill any more, or not this time.
    """
    customer_id, day = bill.invoice.customer_id, bill.billing_date
    own = [row for name in sorted(bill.subscriptions) if (row := last(chains.get((customer_id, name), ()), day=day))]
    invoices = {row.invoice_id for row in own if row.invoice_id is not None}
    intervals = {period.plan_version.interval for period in bill.periods if period.plan_version is not None}
    found = list(own)
    for (owner, name), rows in chains.items():
        if owner != customer_id or name in bill.subscriptions:
            continue
        if any(row.billing_date >= day and row.invoice_id is not None for row in rows):
            continue
        # One that ended was billed for the last time on its own, after the invoice that is compared with.
        row = next((one for one in rows if one.is_terminated and one.invoice_id in invoices), last(rows, day=day))
        if row is not None and row.invoice_id in invoices and (row.is_terminated or row.interval in intervals):
            found.append(row)
    return found


def last(rows: Sequence[BilledBefore], *, day: date) -> BilledBefore | None:
    """Return the last of a subscription's billed periods that was billed before a day."""
    return next((row for row in rows if row.billing_date < day), None)


def of(
    *,
    customer_id: int,
    currency: str,
    rows: Sequence[BilledBefore],
    known: Mapping[int, MadeBill],
    chains: Chains,
) -> Before:
    """Return what these periods of a customer billed, of invoices that are ``known``, in a currency."""
    bills = [known[pk] for pk in dict.fromkeys(row.invoice_id for row in rows) if pk in known]
    if not bills:
        return Before(subscriptions=frozenset(row.external_id for row in rows))
    names = {row.external_id for row in rows}
    others = {name for owner, name in chains if owner == customer_id} - names
    lines: list[BilledLine] = []
    discount = tax = credited = progressive = 0
    taxes: set[str] = set()
    for one in bills:
        pairs = [(line, shown) for line, shown in one.billed_lines(currency=currency) if line.group_key not in others]
        lines += [shown for _, shown in pairs]
        if one.invoice.currency != currency:
            continue
        kept = {line.pk for line, _ in pairs}
        discount += _share(one, one.invoice.coupons_amount, kept, lambda line: line.precise_coupons_amount)
        tax += _share(one, one.invoice.taxes_amount, kept, lambda line: line.precise_taxes_amount)
        credited += _share(one, one.credits, kept, lambda line: line.amount.amount)
        of_progress = one.invoice.progressive_billing_credit_amount
        progressive += _share(one, of_progress, kept, lambda line: line.progressive_credit_amount.amount)
        taxes |= one.taxes
    return Before(
        bills=tuple(bills),
        lines=tuple(lines),
        sums=BilledSums(discount, tax, credited),
        progressive=progressive,
        taxes=frozenset(taxes),
        subscriptions=frozenset(names),
        purchase_order=next((row.purchase_order_number for row in rows if row.purchase_order_number), ""),
    )


def _share(bill: MadeBill, total: Money, kept: Collection[int], weigh: Callable[[InvoiceLine], Decimal]) -> int:
    """Return what of an amount of a whole invoice is of the lines that are compared, in minor units."""
    minor = money.to_minor(total)
    if minor == 0 or len(kept) == len(bill.lines):
        return minor
    weights = [weigh(line) for line in bill.lines]
    if not sum(weights):
        return 0
    parts = money.allocate(total, weights)
    return sum(money.to_minor(part) for line, part in zip(bill.lines, parts, strict=True) if line.pk in kept)


def past(*, customer_id: int, names: Collection[str], day: date, chains: Chains) -> dict[str, list[BilledBefore]]:
    """Return the periods before by subscription in which there could be usage, the last ones."""
    return {
        name: [row for row in chains.get((customer_id, name), ()) if row.billing_date < day and row.has_usage_time][
            : outliers.PERIODS
        ]
        for name in names
    }


def usage_of(
    *,
    lines: Sequence[InvoiceLine],
    names: Collection[str],
    past: Mapping[str, Sequence[BilledBefore]],
    usage: Mapping[int, Sequence[UsageOfPeriod]],
) -> tuple[ItemUsage, ...]:
    """Return the usage of lines beside that of the last periods, for the subscriptions whose usage is billed now."""
    now: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        if line.kind == InvoiceLine.Kind.CHARGE:
            key = (line.group_key, line.item_code)
            now[key] = now.get(key, Decimal(0)) + line.units
    found = []
    for name, rows in sorted(past.items()):
        if name not in names or len(rows) < outliers.PERIODS:
            continue
        units = [{one.item_code: one for one in usage.get(row.period_id, ())} for row in rows]
        for code, first in sorted(units[0].items()):
            before = tuple(one[code].units if code in one else Decimal(0) for one in units)
            found.append(ItemUsage(first.item_name, now.get((name, code), Decimal(0)), before))
    return tuple(found)
