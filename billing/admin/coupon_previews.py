"""What the next invoice would be with a coupon, on the page that gives it to a customer. Owns the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moneyed import Money

from billing.services import coupon_previews
from config.kernel import registry
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Note, Row, Table, columns
from config.platform.admin.cells import Tone
from customers.services.applied_coupons import Offer


def of_offer(offer: Offer) -> Mapping[str, Any]:
    """The next invoice without the coupon and with it. Raises DomainError where it cannot be given."""
    found = coupon_previews.of(
        external_customer_id=offer.external_customer_id,
        coupon_code=offer.coupon_code,
        terms=offer.terms,
        actor=offer.actor,
        at=offer.at,
    )
    if found is None:
        return blocks.panel(Note("Nothing is going to be billed, as far as is agreed: it waits.", Tone.NEUTRAL))
    before, after = found.without, found.with_it
    rows = tuple(
        Row((label, cells.money(one), cells.money(other)), is_total=label == "To be paid")
        for label, one, other in (
            ("Lines", before.fees, after.fees),
            ("Coupons", _less(before.coupons), _less(after.coupons)),
            ("Tax", before.taxes, after.taxes),
            ("To be paid", before.total, after.total),
        )
    )
    title = f"The next invoice, of {cells.day_text(after.issued_on)}"
    note = "Computed by the code that bills, with usage as known now. Nothing was written."
    return blocks.panel(Table(title, columns("", "Without it#", "With it#"), rows, note=note))


def _less(amount: Money) -> Money:
    return -amount if amount else amount


registry.register_panel("customers.coupon_offer", of_offer)
