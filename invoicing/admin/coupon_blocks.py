"""Coupons on admin pages: what they took off an invoice, what a draft would take, and which invoices used a coupon.

Panels on the pages of coupons, and of coupons of customers, are registered here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from catalog.models import Coupon
from config.kernel import registry
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Block, Figure, Figures, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from customers.models import AppliedCoupon
from invoicing.models import Invoice, InvoiceCoupon, InvoiceLine
from invoicing.queries import coupon_uses as known
from invoicing.services import coupon_uses

ROWS = 25


def rows(invoice: Invoice) -> list[Row]:
    """What coupons took off, as rows of the invoice's totals."""
    if not invoice.coupons_amount:
        return []
    uses = invoice.coupons.select_related("applied_coupon__coupon").order_by("position")
    return [
        Row(
            (
                cells.to(use.applied_coupon, f"Coupon {use.trace['name']}"),
                "" if use.trace["rate"] is None else cells.percent(use.applied_coupon.rate),
                cells.unit_price(use.base_amount, use.currency),
                cells.money(-use.amount),
            )
        )
        for use in uses
    ]


def verdict(invoice: Invoice) -> tuple[Block, ...]:
    """Whether what coupons took off comes out the same when it is computed again."""
    if not invoice.coupons_amount:
        return ()
    if known.agrees(invoice=invoice):
        return (Note("Computed again from what is stored, coupons and their shares come out the same.", Tone.GOOD),)
    return (Note("Computed again from what is stored, coupons come to something else.", Tone.BAD),)


def of_draft(invoice: Invoice) -> tuple[Block, ...]:
    """What a draft would take if it were issued now; drafts themselves take nothing."""
    found = coupon_uses.would_take(invoice=invoice, at=timezone.now())
    if found is None:
        return ()
    told = ", ".join(f"{applied.coupon} (−{cells.money_text(use.amount)})" for applied, use in found.uses)
    total = cells.money_text(found.taxes.whole.amount.gross)
    return (Note(f"Issued now it would use coupons: {told}. With tax it would come to {total}.", Tone.INFO),)


def share(line: InvoiceLine) -> tuple[Block, ...]:
    """A line's share of coupons, and what of it is taxed."""
    if not line.precise_coupons_amount:
        return ()
    figures = (
        ("Share of coupons", -line.precise_coupons_amount),
        ("Taxed", line.lowered_amount.amount),
    )
    found = tuple(Row((label, cells.unit_price(value, line.currency))) for label, value in figures)
    return (Table("", columns("Coupons", "Unrounded#"), found),)


def of_coupon(coupon: Coupon) -> Mapping[str, Any] | None:
    """What a coupon gave in all, by currency, and the newest invoices that used it."""
    given = known.given(coupon=coupon)
    figures = tuple(
        Figure(
            f"Given, {one.amount.currency.code}",
            cells.money_text(one.amount),
            f"on {one.invoices} invoice{'' if one.invoices == 1 else 's'}",
        )
        for one in given
    )
    uses = list(known.of_coupon(coupon=coupon)[:ROWS])
    found = (Figures(figures),) if figures else ()
    return blocks.panel(*found, _table(uses))


def of_applied(applied: AppliedCoupon) -> Mapping[str, Any] | None:
    """The invoices that used a coupon of a customer, newest first; what was given back says so."""
    uses = InvoiceCoupon.objects.filter(applied_coupon=applied).select_related("invoice__customer").order_by("-pk")
    return blocks.panel(_table(list(uses[:ROWS])))


def _table(uses: Sequence[InvoiceCoupon]) -> Table:
    return Table(
        "Invoices that used it",
        columns("Invoice", "Customer", "Issued", "Taken off#", ""),
        tuple(
            Row(
                (
                    cells.to(use.invoice),
                    cells.to(use.invoice.customer, use.invoice.customer.display_name),
                    cells.day(use.invoice.issuing_date),
                    cells.money(use.amount),
                    _given_back(use.given_back_at),
                )
            )
            for use in uses
        ),
        empty="No invoice yet: it is used when the next one is issued.",
    )


def _given_back(at: datetime | None) -> object:
    return "" if at is None else cells.badge("given back", Tone.WARN)


registry.register_panel("catalog.coupon", of_coupon)
registry.register_panel("customers.appliedcoupon", of_applied)
