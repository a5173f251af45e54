"""Prepaid credit that pays invoices. Owns drawing it when an invoice is issued; what is issued keeps what it drew.

Drawn after taxes and after the credits of credit notes, by invoices of the same customer, seller and currency. The rows
of the credits stay locked until the transaction ends, so that nothing is drawn twice. Drafts draw nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from moneyed import Money

from config.kernel import dates, db, money
from invoicing.domain import ledger, prepaid
from invoicing.domain.prepaid import Owed
from invoicing.models import Invoice, InvoiceLine, PrepaidCredit, PrepaidCreditUse, PrepaidCreditUseReversal
from invoicing.services import ledger as books

PAYABLE = {Invoice.Kind.SUBSCRIPTION, Invoice.Kind.PROGRESSIVE_BILLING}
"""What prepaid credit pays: never the purchase of more of it, nor what was paid before it was invoiced."""

_KEY = tuple[int, int, str]


@dataclass(frozen=True)
class Drawn:
    """What the issuing of some invoices does to prepaid credit: the uses, and the rows touched."""

    uses: tuple[PrepaidCreditUse, ...] = ()
    credits: tuple[PrepaidCredit, ...] = ()


def take(*, invoices: Sequence[Invoice], at: datetime) -> Drawn:
    """Lower the totals of invoices that are about to be issued by what their customers prepaid, in their order.

    Changes the given rows and saves nothing: save the invoices, then call `write`. What their own credit notes take off
    what is due is respected. Two queries, or one where nobody has credit. Needs a transaction.
    """
    wanted = [invoice for invoice in invoices if invoice.kind in PAYABLE and invoice.total_amount.amount > 0]
    if not wanted:
        return Drawn()
    rows = db.lock(
        PrepaidCredit.objects.filter(
            status=PrepaidCredit.Status.ACTIVE, customer_id__in={invoice.customer_id for invoice in wanted}
        )
    )
    pool = _pool(rows)
    payable = [invoice for invoice in wanted if pool.get(_key(invoice))]
    if not payable:
        return Drawn()
    lines: dict[int, list[InvoiceLine]] = defaultdict(list)
    for line in InvoiceLine.objects.filter(invoice__in=[one.pk for one in payable]).order_by("position"):
        if line.invoice_id is not None:
            lines[line.invoice_id].append(line)
    uses: list[PrepaidCreditUse] = []
    for invoice in payable:
        uses += _pay(invoice, owed(invoice, lines[invoice.pk]), pool[_key(invoice)], at)
    touched = {use.credit.pk: use.credit for use in uses}
    return Drawn(uses=tuple(uses), credits=tuple(touched.values()))


def write(*, drawn: Drawn, invoices: Sequence[Invoice], at: datetime) -> None:
    """Save what `take` did: write and book the uses. The invoices are saved before."""
    if not drawn.uses:
        return
    uses = PrepaidCreditUse.objects.bulk_create(drawn.uses)
    PrepaidCredit.objects.bulk_update(drawn.credits, ["used_amount", "status", "updated_at"])
    by_id = {invoice.pk: invoice for invoice in invoices}
    books.post_many(sources=[_booking(use, by_id[use.invoice_id]) for use in uses], at=at)


def give_back(*, invoice: Invoice, amount: Money, at: datetime) -> list[PrepaidCreditUseReversal]:
    """Give back prepaid credit that a voided invoice drew, up to an amount: what it drew last comes first.

    It can be drawn again within its days. Booked by the local day of ``at``. The invoice is locked, the credits are
    still open; needs a transaction.
    """
    if not amount:
        return []
    uses = list(PrepaidCreditUse.objects.filter(invoice=invoice).order_by("-pk"))
    found = db.lock(PrepaidCredit.objects.filter(pk__in=[use.credit_id for use in uses]))
    by_id = {credit.pk: credit for credit in found}
    rows = []
    for use in uses:
        credit, part = by_id[use.credit_id], min(use.amount, amount)
        if not part:
            break
        amount -= part
        credit.used_amount -= part
        credit.status = PrepaidCredit.Status.ACTIVE
        credit.updated_at = at
        credit.save(update_fields=["used_amount", "status", "updated_at"])
        rows.append(PrepaidCreditUseReversal(created_at=at, use=use, currency=use.currency, amount=part))
    made = PrepaidCreditUseReversal.objects.bulk_create(rows)
    books.post_many(sources=[_given_back(row, by_id[row.use.credit_id], invoice, at) for row in made], at=at)
    return made


def would_draw(*, invoice: Invoice) -> list[tuple[PrepaidCredit, Money]]:
    """Return what a draft would draw if it were issued now, before credits of credit notes. Reads only."""
    if invoice.kind not in PAYABLE or invoice.status != Invoice.Status.DRAFT or not invoice.total_amount:
        return []
    rows = PrepaidCredit.objects.filter(status=PrepaidCredit.Status.ACTIVE, customer_id=invoice.customer_id)
    found = _pool(rows).get(_key(invoice), [])
    if not found:
        return []
    values = [_value(credit) for credit in found]
    lines = list(InvoiceLine.objects.filter(invoice=invoice).order_by("position"))
    amounts = prepaid.draw(due=invoice.total_amount, owed=owed(invoice, lines), pool=values)
    return [(credit, amount) for credit, amount in zip(found, amounts, strict=True) if amount]


def owed(invoice: Invoice, lines: Iterable[InvoiceLine]) -> list[Owed]:
    """Return what an invoice asks for its lines by group and first local day of service, in the order of the lines."""
    zone = dates.zone(invoice.timezone)
    sums: dict[tuple[str, date], Money] = {}
    for line in lines:
        key = line.group_key, _day(line, zone)
        sums[key] = sums.get(key, money.zero(invoice.currency)) + line.lowered_amount + line.taxes_amount
    rows = [Owed(group, day, money.rounded(gross)) for (group, day), gross in sums.items()]
    return prepaid.levelled(owed=rows, gross=invoice.gross_amount)


def _pool(rows: Iterable[PrepaidCredit]) -> dict[_KEY, list[PrepaidCredit]]:
    by_id = {row.pk: row for row in rows}
    found: dict[_KEY, list[PrepaidCredit]] = defaultdict(list)
    for value in prepaid.in_order([_value(row) for row in by_id.values()]):
        found[_key(by_id[value.id])].append(by_id[value.id])
    return found


def _pay(
    invoice: Invoice, asked: Sequence[Owed], pool: Sequence[PrepaidCredit], at: datetime
) -> list[PrepaidCreditUse]:
    open_ones = [credit for credit in pool if credit.left]
    amounts = prepaid.draw(
        due=invoice.total_amount - invoice.offset_amount, owed=asked, pool=[_value(credit) for credit in open_ones]
    )
    uses = []
    for credit, amount in zip(open_ones, amounts, strict=True):
        if not amount:
            continue
        credit.used_amount += amount
        credit.updated_at = at
        if not credit.left:
            credit.status = PrepaidCredit.Status.USED_UP
        invoice.prepaid_credit_amount += amount
        invoice.total_amount -= amount
        uses.append(
            PrepaidCreditUse(created_at=at, credit=credit, invoice=invoice, currency=invoice.currency, amount=amount)
        )
    return uses


def _value(row: PrepaidCredit) -> prepaid.Credit:
    return prepaid.Credit(
        id=row.pk,
        left=row.left,
        first=row.valid_from,
        last=row.valid_until,
        groups=frozenset(row.group_keys),
        priority=row.priority,
    )


def _key(row: PrepaidCredit | Invoice) -> _KEY:
    return row.customer_id, row.billing_entity_id, row.currency


def _day(line: InvoiceLine, zone: ZoneInfo) -> date:
    return dates.local_date(line.from_at, zone)


def _booking(use: PrepaidCreditUse, invoice: Invoice) -> books.Source:
    return books.Source(
        booking=ledger.prepaid_used(use.amount),
        instance=use,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=invoice.issuing_date,
        description=f"Prepaid credit {use.credit} for {invoice.number}",
    )


def _given_back(row: PrepaidCreditUseReversal, credit: PrepaidCredit, invoice: Invoice, at: datetime) -> books.Source:
    return books.Source(
        booking=ledger.prepaid_given_back(row.amount),
        instance=row,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=dates.local_date(at, dates.zone(invoice.timezone)),
        description=f"Prepaid credit {credit} given back by {invoice.number}",
        invoice_id=invoice.pk,
    )
