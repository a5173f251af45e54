"""What an upper app asks to be invoiced: plain values that know no table and no subscription."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from moneyed import Money


@dataclass(frozen=True)
class LineSpec:
    """One line. ``amount`` is rounded to the currency, ``precise_amount`` and ``unit_amount`` are not (major units).

    ``tax_ids`` are the taxes of the price itself; where there are none, the customer's or the seller's apply.
    ``from_at`` and ``to_at`` are the half-open service period. ``total_units``, ``pricing_unit`` and ``breakdowns`` are
    told as the line tells them, and so is the one event that it bills. ``progressive_credit`` is the part of ``amount``
    that a progressive invoice billed before. ``item_uuid`` is the public id of an add-on that is sold by itself,
    ``plan_code`` the plan of the contract that is billed.
    The amounts of one that ``is_tax_inclusive`` are gross: an agreed price with its taxes in it.
    """

    kind: str
    item_code: str
    item_name: str
    label: str
    units: Decimal
    unit_amount: Decimal
    precise_amount: Decimal
    amount: Money
    from_at: datetime
    to_at: datetime
    events_count: int | None = None
    charge_model: str = ""
    description: str = ""
    group_key: str = ""
    group_label: str = ""
    amount_details: Mapping[str, Any] = field(default_factory=dict)
    tax_ids: tuple[int, ...] = ()
    total_units: Decimal | None = None
    pricing_unit: Mapping[str, str] | None = None
    breakdowns: Sequence[Mapping[str, Any]] = ()
    event_transaction_id: str | None = None
    progressive_credit: Money | None = None
    is_tax_inclusive: bool = False
    item_uuid: UUID | None = None
    plan_code: str = ""

    @property
    def net(self) -> Money:
        """Return what this line bills: its amount without what was billed progressively before."""
        return self.amount if self.progressive_credit is None else self.amount - self.progressive_credit


@dataclass(frozen=True)
class ProgressiveCreditSpec:
    """What earlier progressive invoices billed of an invoice's lines, net; ``source_id`` is the newest of them.

    ``amount`` is the sum of the lines' parts; ``excess`` is what they billed beyond it, to be given back.
    """

    source_id: int
    amount: Money
    excess: Money


@dataclass(frozen=True)
class InvoiceSpec:
    """One invoice to be drafted for a customer of a billing entity in one currency.

    ``billed_at`` is the instant of billing; its local date in ``timezone`` is the billing day. ``kind`` is one of the
    kinds of invoices. ``progressive_credits`` say what the lines take off in all. ``net_payment_term`` (days) and
    ``custom_section_ids`` are this invoice's own; None leaves them to customer and seller. ``is_periodic`` is one for
    the end of a period. ``uuid`` is its public id, where that is decided before.
    """

    customer_id: int
    billing_entity_id: int
    currency: str
    timezone: str
    billed_at: datetime
    lines: tuple[LineSpec, ...]
    purchase_order_number: str = ""
    kind: str = "subscription"
    progressive_credits: tuple[ProgressiveCreditSpec, ...] = ()
    net_payment_term: int | None = None
    is_periodic: bool = False
    skip_automatic_payment: bool = False
    custom_section_ids: tuple[int, ...] | None = None
    uuid: UUID | None = None
