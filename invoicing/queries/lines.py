"""Invoice lines, the API's fees, by the filters of their list. Never writes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Q

from config.kernel import errors
from invoicing.models import Invoice, InvoiceLine


class LineNotFound(errors.NotFound):
    """No fee has this id."""


@dataclass(frozen=True)
class LineFilter:
    """What a list of fees is narrowed to. A line's payment is its invoice's; ``group_key`` names its contract."""

    external_customer_id: str | None = None
    group_key: str | None = None
    kinds: Sequence[str] = ()
    payment_statuses: Sequence[str] = ()
    usage_item_code: str | None = None
    currency: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    succeeded_from: datetime | None = None
    succeeded_to: datetime | None = None


def visible() -> models.QuerySet[InvoiceLine]:
    """Return the lines of invoices that the outside sees, oldest first, with what the API shows of each."""
    hidden = Q(invoice__status=Invoice.Status.CLOSED) | Q(invoice__status=Invoice.Status.VOIDED, invoice__number=None)
    return (
        InvoiceLine.objects.exclude(hidden)
        .select_related("invoice", "customer")
        .prefetch_related("applied_taxes__tax")
        .order_by("created_at", "pk")
    )


def find(public_id: uuid.UUID | None) -> InvoiceLine:
    """Return a visible line by its public id. Raises LineNotFound."""
    found = visible().filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise LineNotFound("fee_not_found", "There is no such fee.")
    return found


def search(wanted: LineFilter) -> models.QuerySet[InvoiceLine]:
    """Return visible lines, oldest first."""
    plain = {
        "customer__external_id": wanted.external_customer_id,
        "group_key": wanted.group_key,
        "kind__in": wanted.kinds or None,
        "invoice__payment_status__in": wanted.payment_statuses or None,
        "currency": wanted.currency,
        "created_at__gte": wanted.created_from,
        "created_at__lte": wanted.created_to,
        "invoice__paid_at__gte": wanted.succeeded_from,
        "invoice__paid_at__lte": wanted.succeeded_to,
    }
    rows = visible().filter(**{lookup: value for lookup, value in plain.items() if value is not None})
    if wanted.usage_item_code is not None:
        rows = rows.filter(kind=InvoiceLine.Kind.CHARGE, item_code=wanted.usage_item_code)
    return rows
