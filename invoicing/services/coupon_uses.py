"""Coupons that lower invoices. Owns taking them when an invoice is issued, giving them back when it is voided, and
telling what a draft would take.

Coupons are taken after progressive credits and before taxes, which are worked out anew on what is left of each line.
Drafts take nothing. The customers' coupons stay locked until the transaction ends, so that none is used twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.kernel import db
from config.kernel.actors import Actor
from customers.models import AppliedCoupon
from customers.services import applied_coupons
from invoicing.domain import coupon_trace, coupons
from invoicing.domain.coupons import Coupon, Use
from invoicing.domain.totals import Reduction
from invoicing.models import Invoice, InvoiceCoupon, InvoiceLine
from invoicing.queries import coupon_uses as known
from invoicing.services import coupon_taxes

PAYABLE = {Invoice.Kind.SUBSCRIPTION, Invoice.Kind.PROGRESSIVE_BILLING}
"""What coupons lower: never what is prepaid, what was paid before it was invoiced, nor what is sold once."""


@dataclass(frozen=True)
class Taken:
    """What the issuing of some invoices does to coupons: the uses, and the coupons of customers that were touched."""

    uses: tuple[InvoiceCoupon, ...] = ()
    applied: tuple[AppliedCoupon, ...] = ()


@dataclass(frozen=True)
class Lowered:
    """What a draft would take: the coupons with their amounts, and the invoice's tax and total with them."""

    uses: tuple[tuple[AppliedCoupon, Use], ...]
    taxes: coupon_taxes.Retaxed


def take(*, invoices: Sequence[Invoice], at: datetime) -> Taken:
    """Lower invoices that are about to be issued by the coupons of their customers, in their order.

    Changes the given rows and saves none of them, but lines and taxes are written at once: the database lets only
    drafts be written. Save the invoices, then call `write`. One query where nobody has a coupon, else a fixed number
    for any number of invoices. Needs a transaction.
    """
    wanted = [invoice for invoice in invoices if _is_payable(invoice)]
    if not wanted:
        return Taken()
    pool = _pool(applied_coupons.locked_active(customer_ids={invoice.customer_id for invoice in wanted}, at=at))
    payable = [invoice for invoice in wanted if any(_fits(row, invoice) for row in pool[invoice.customer_id])]
    if not payable:
        return Taken()
    lines = coupon_taxes.lines_of(payable)
    uses: list[InvoiceCoupon] = []
    touched: dict[int, AppliedCoupon] = {}
    changed: list[tuple[Invoice, Sequence[InvoiceLine], Reduction]] = []
    for invoice in payable:
        found = _weighed(invoice, lines[invoice.pk], pool[invoice.customer_id])
        for position, (applied, coupon, use) in enumerate(found, start=1):
            applied_coupons.use(applied=applied, amount=use.amount, at=at)
            touched[applied.pk] = applied
            uses.append(_row(invoice, lines[invoice.pk], position, applied, coupon, use, at))
        if found:
            changed.append((invoice, lines[invoice.pk], _reduction(invoice, found)))
    coupon_taxes.lower(wanted=changed)
    return Taken(uses=tuple(uses), applied=tuple(touched.values()))


def write(*, taken: Taken, actor: Actor, at: datetime) -> None:
    """Save what `take` did to coupons. The invoices are saved before."""
    if taken.uses:
        InvoiceCoupon.objects.bulk_create(taken.uses)
        applied_coupons.save_used(applied=taken.applied, actor=actor, at=at)


def give_back(*, invoice: Invoice, actor: Actor, at: datetime) -> list[InvoiceCoupon]:
    """Give back the coupons that an invoice used, because it is voided: they may be used as if it had not been.

    The invoice keeps what it says. An amount has more left again, a recurring coupon another invoice; what had ended by
    its use is there again. Idempotent. Needs a transaction, and the invoice locked.
    """
    rows = list(InvoiceCoupon.objects.filter(invoice=invoice, given_back_at__isnull=True).order_by("position"))
    if not rows:
        return []
    held = db.lock(AppliedCoupon.objects.filter(uses__in=rows).select_related("coupon"))
    by_id = {applied.pk: applied for applied in held}
    for row in rows:
        applied_coupons.give_back(applied=by_id[row.applied_coupon_id], amount=row.amount, at=at)
        row.given_back_at = at
    InvoiceCoupon.objects.bulk_update(rows, ["given_back_at"])
    applied_coupons.save_used(applied=held, actor=actor, at=at)
    return rows


def would_take(*, invoice: Invoice, at: datetime, extra: Sequence[AppliedCoupon] = ()) -> Lowered | None:
    """Return what a draft would take if it were issued now, or None where that is nothing. Reads only.

    ``extra`` are coupons that the customer does not have yet, as they would be applied.
    """
    if not _is_payable(invoice) or invoice.status != Invoice.Status.DRAFT:
        return None
    pool = [*applied_coupons.active(customer_ids=[invoice.customer_id], at=at), *extra]
    if not any(_fits(row, invoice) for row in pool):
        return None
    lines = coupon_taxes.lines_of([invoice])[invoice.pk]
    found = _weighed(invoice, lines, pool)
    if not found:
        return None
    taxes = coupon_taxes.retaxed(invoice=invoice, lines=lines, reduction=_reduction(invoice, found))
    return Lowered(uses=tuple((applied, use) for applied, _, use in found), taxes=taxes)


def _is_payable(invoice: Invoice) -> bool:
    return invoice.kind in PAYABLE and invoice.net_amount.amount > 0


def _pool(rows: Iterable[AppliedCoupon]) -> dict[int, list[AppliedCoupon]]:
    found: dict[int, list[AppliedCoupon]] = defaultdict(list)
    for row in rows:
        found[row.customer_id].append(row)
    return found


def _fits(applied: AppliedCoupon, invoice: Invoice) -> bool:
    if applied.status != AppliedCoupon.Status.ACTIVE:
        return False
    return applied.amount is None or applied.currency == invoice.currency


def _weighed(
    invoice: Invoice, lines: Sequence[InvoiceLine], pool: Sequence[AppliedCoupon]
) -> list[tuple[AppliedCoupon, Coupon, Use]]:
    """Return the coupons that an invoice uses with what they take, in the order of their use."""
    usable = [row for row in pool if _fits(row, invoice)]
    values = {number: _value(number, row) for number, row in enumerate(usable)}
    uses = coupons.take(
        lines=[known.billed(line) for line in lines], coupons=list(values.values()), currency=invoice.currency
    )
    return [(usable[use.coupon_id], values[use.coupon_id], use) for use in uses]


def _value(number: int, applied: AppliedCoupon) -> Coupon:
    """Return a coupon as the domain takes it, numbered in the order of its key, which one not saved lacks."""
    return Coupon(
        id=number,
        applied_at=applied.created_at,
        amount=applied_coupons.available(applied),
        rate=applied.rate,
        plans=frozenset(plan.code for plan in applied.coupon.plans.all()),
        metrics=frozenset(metric.code for metric in applied.coupon.metrics.all()),
    )


def _reduction(invoice: Invoice, found: Sequence[tuple[AppliedCoupon, Coupon, Use]]) -> Reduction:
    uses = [use for _, _, use in found]
    amount = sum((use.amount for use in uses), invoice.coupons_amount * 0)
    return Reduction(amount=amount, shares=tuple(coupons.shares(uses=uses, lines=len(uses[0].shares))))


def _row(
    invoice: Invoice,
    lines: Sequence[InvoiceLine],
    position: int,
    applied: AppliedCoupon,
    coupon: Coupon,
    use: Use,
    at: datetime,
) -> InvoiceCoupon:
    return InvoiceCoupon(
        created_at=at,
        invoice=invoice,
        applied_coupon=applied,
        position=position,
        currency=invoice.currency,
        amount=use.amount,
        base_amount=use.base,
        trace=coupon_trace.written(
            coupon=coupon,
            code=applied.coupon.code,
            name=applied.coupon.name,
            use=use,
            positions=[line.position for line in lines],
        ),
    )
