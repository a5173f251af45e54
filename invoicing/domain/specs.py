"""What an upper app asks to be invoiced: plain values that know no table and no subscription."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from moneyed import Money


@dataclass(frozen=True)
class LineSpec:
    """One line. ``amount`` is rounded to the currency, ``precise_amount`` and ``unit_amount`` are not (major units).

    ``tax_ids`` are the taxes of the price itself; where there are none, the customer's or the seller's apply.
    ``from_at`` and ``to_at`` are the half-open service period. ``total_units``, ``pricing_unit`` and ``breakdowns`` are
    told as the line tells them, and so is the one event that it bills.
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


@dataclass(frozen=True)
class InvoiceSpec:
    """One invoice to be drafted for a customer of a billing entity in one currency.

    ``billed_at`` is the instant of billing; its local date in ``timezone`` is the billing day.
    """

    customer_id: int
    billing_entity_id: int
    currency: str
    timezone: str
    billed_at: datetime
    lines: tuple[LineSpec, ...]
    purchase_order_number: str = ""
