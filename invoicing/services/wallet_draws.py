"""Credits of wallets that pay invoices. Owns drawing them when an invoice is issued; what is issued keeps what it drew.

Drawn last: after taxes, the credits of credit notes and the prepaid credit of contracts, by invoices of the same
customer, seller and currency. The wallets stay locked until the transaction ends, so that nothing is drawn twice.
Drafts draw nothing.
"""

from __future__ import annotations

import decimal
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import models
from moneyed import Money

from config.kernel import dates, db, money
from invoicing.domain import ledger, prepaid, wallets
from invoicing.domain.wallets import Bucket, Purse
from invoicing.models import Invoice, InvoiceLine, PrepaidCreditUse, Wallet, WalletTransaction
from invoicing.queries import wallets as known
from invoicing.services import ledger as books
from invoicing.services import wallet_rows
from invoicing.services.wallet_rows import Outflow

PAYABLE = {Invoice.Kind.SUBSCRIPTION, Invoice.Kind.PROGRESSIVE_BILLING}
"""What credits pay: never the purchase of more of them, a one-off invoice, or what was paid before it was invoiced."""

_Key = tuple[int, int, str]
_Asked = dict[tuple[str, str, str], Decimal]


@dataclass(frozen=True)
class Drawn:
    """What the issuing of some invoices takes out of wallets, not saved yet."""

    flows: tuple[tuple[Outflow, Invoice], ...] = ()


def take(*, invoices: Sequence[Invoice], uses: Sequence[PrepaidCreditUse], at: datetime) -> Drawn:
    """Lower the totals of invoices that are about to be issued by what is in their customers' wallets, in their order.

    ``uses`` is what contracts' prepaid credit paid of them just before. What their own credit notes take off what is
    due is respected. Changes the given rows and saves nothing: save the invoices, then call `write`. One query where
    nobody has a wallet. Needs a transaction.
    """
    wanted = [one for one in invoices if one.kind in PAYABLE and _due(one).amount > 0]
    if not wanted:
        return Drawn()
    rows = db.lock(known.payable(customer_ids={one.customer_id for one in wanted}, at=at))
    if not rows:
        return Drawn()
    models.prefetch_related_objects(rows, "billable_metrics")
    pool: dict[_Key, list[Wallet]] = defaultdict(list)
    for row in rows:
        pool[_key(row)].append(row)
    payable = [one for one in wanted if pool.get(_key(one))]
    choosy = [one.pk for one in payable if any(purse(row).is_restricted for row in pool[_key(one)])]
    lines = _lines(choosy)
    grants = known.open_grants(wallet_ids=[row.pk for row in rows])
    flows: list[tuple[Outflow, Invoice]] = []
    for invoice in payable:
        own = [use for use in uses if use.invoice_id == invoice.pk]
        for wallet, amount in _shares(invoice, pool[_key(invoice)], lines.get(invoice.pk), own):
            parts = wallets.consume(
                amount, grants=[wallet_rows.grant(row) for row in grants[wallet.pk]], rate=wallet.rate_amount
            )
            flow = wallet_rows.outflow(
                wallet=wallet,
                parts=parts,
                grants=grants[wallet.pk],
                kind=WalletTransaction.Kind.INVOICED,
                at=at,
                invoice=invoice,
                priority=wallet.priority,
            )
            invoice.prepaid_credit_amount += amount
            invoice.total_amount -= amount
            flows.append((flow, invoice))
    return Drawn(flows=tuple(flows))


def write(*, drawn: Drawn, at: datetime) -> None:
    """Save what `take` did: write and book what wallets paid. The invoices are saved before."""
    if not drawn.flows:
        return
    wallet_rows.write(outflows=[flow for flow, _ in drawn.flows])
    sources = [
        wallet_rows.used_source(
            booking=ledger.credits_used(
                purchased=flow.transaction.purchased_amount, granted=wallet_rows.granted(flow.transaction)
            ),
            row=flow.transaction,
            invoice=invoice,
        )
        for flow, invoice in drawn.flows
    ]
    books.post_many(sources=sources, at=at)


def would_draw(*, invoice: Invoice, due: Money, at: datetime) -> list[tuple[Wallet, Money]]:
    """Return what a draft of which ``due`` is left would draw if it were issued at ``at``. Reads only."""
    if invoice.kind not in PAYABLE or due.amount <= 0:
        return []
    rows = known.payable(customer_ids=[invoice.customer_id], at=at).prefetch_related("billable_metrics")
    found = [row for row in rows if _key(row) == _key(invoice)]
    purses = wallets.in_order([purse(row) for row in found])
    asked = _asked(invoice, _lines([invoice.pk]).get(invoice.pk, []), [])
    amounts = wallets.allocate(due=due, asked=wallets.buckets(asked, due=due), purses=purses)
    by_id = {row.pk: row for row in found}
    return [(by_id[purse.id], amount) for purse, amount in zip(purses, amounts, strict=True) if amount]


def _shares(
    invoice: Invoice,
    rows: Sequence[Wallet],
    lines: Sequence[InvoiceLine] | None,
    uses: Sequence[PrepaidCreditUse],
) -> list[tuple[Wallet, Money]]:
    due = _due(invoice)
    purses = wallets.in_order([purse(row) for row in rows if row.balance_amount])
    if lines is None:
        asked = [Bucket(kind="", metric="", asked=due)]
    else:
        asked = wallets.buckets(_asked(invoice, lines, uses), due=due)
    amounts = wallets.allocate(due=due, asked=asked, purses=purses)
    by_id = {row.pk: row for row in rows}
    return [(by_id[purse.id], amount) for purse, amount in zip(purses, amounts, strict=True) if amount]


def _asked(invoice: Invoice, lines: Sequence[InvoiceLine], uses: Sequence[PrepaidCreditUse]) -> _Asked:
    """Return what the lines of an invoice ask exactly, with tax: without coupons and without what paid of them before.

    Credits of credit notes and offsets pay all lines alike; a contract's credit pays alike those that it may pay.
    """
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        exact = [max(line.lowered_amount.amount + line.precise_taxes_amount, Decimal(0)) for line in lines]
        every = range(len(lines))
        _lower(exact, every, (invoice.credit_notes_amount + invoice.offset_amount).amount)
        for use in uses:
            _lower(exact, _paid_by(use, invoice, lines), use.amount.amount)
        asked: _Asked = defaultdict(Decimal)
        for line, amount in zip(lines, exact, strict=True):
            metric = line.item_code if line.kind == InvoiceLine.Kind.CHARGE else ""
            asked[str(line.kind), metric, ""] += amount
    return asked


def _lower(exact: list[Decimal], places: Iterable[int], amount: Decimal) -> None:
    """Take an amount off figures, in proportion to them; never below nothing."""
    held = [place for place in places if exact[place]]
    whole = sum((exact[place] for place in held), Decimal(0))
    if not whole or not amount:
        return
    rest = max(1 - amount / whole, Decimal(0))
    for place in held:
        exact[place] *= rest


def _paid_by(use: PrepaidCreditUse, invoice: Invoice, lines: Sequence[InvoiceLine]) -> list[int]:
    zone = dates.zone(invoice.timezone)
    credit = prepaid.Credit(
        id=use.credit.pk,
        left=use.amount,
        first=use.credit.valid_from,
        last=use.credit.valid_until,
        groups=frozenset(use.credit.group_keys),
    )
    return [
        place
        for place, line in enumerate(lines)
        if credit.pays(prepaid.Owed(line.group_key, dates.local_date(line.from_at, zone), use.amount))
    ]


def _lines(invoice_ids: Sequence[int]) -> dict[int, list[InvoiceLine]]:
    found: dict[int, list[InvoiceLine]] = {pk: [] for pk in invoice_ids}
    if invoice_ids:
        for line in InvoiceLine.objects.filter(invoice__in=invoice_ids).order_by("position"):
            if line.invoice_id is not None:
                found[line.invoice_id].append(line)
    return found


def purse(row: Wallet) -> Purse:
    """Return a wallet as the domain sees it; have its metrics at hand."""
    return Purse(
        id=row.pk,
        left=row.balance_amount,
        priority=row.priority,
        created_at=row.created_at,
        code=row.code,
        fee_types=frozenset(row.fee_types),
        metrics=frozenset(metric.code for metric in row.billable_metrics.all()),
    )


def _due(invoice: Invoice) -> Money:
    return invoice.total_amount - invoice.offset_amount


def _key(row: Wallet | Invoice) -> _Key:
    return row.customer_id, row.billing_entity_id, row.currency
