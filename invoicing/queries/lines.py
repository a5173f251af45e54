"""Invoice lines, the API's fees, by the filters of their list. Never writes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Exists, OuterRef, Q

from config.kernel import db, errors
from invoicing.models import Invoice, InvoiceLine

_FEW = 10_000
"""Invoices that a condition may name."""


class LineNotFound(errors.NotFound):
    """No fee has this id."""


@dataclass(frozen=True)
class LineFilter:
    """What a list of fees is narrowed to. A line's payment is its invoice's, unless it stands alone; ``group_key``
    names its contract.
    """

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
    failed_from: datetime | None = None
    failed_to: datetime | None = None
    refunded_from: datetime | None = None
    refunded_to: datetime | None = None
    event_transaction_id: str | None = None


def visible() -> models.QuerySet[InvoiceLine]:
    """Return the lines that the outside sees, of invoices or alone, oldest first, with what the API shows of each."""
    hidden = Invoice.objects.filter(
        Q(status__in=[Invoice.Status.CLOSED, Invoice.Status.OPEN])
        | Q(status=Invoice.Status.VOIDED, number__isnull=True),
        pk=OuterRef("invoice"),
    )
    return (
        InvoiceLine.objects.filter(~Exists(hidden.order_by()), deleted_at__isnull=True)
        .select_related("invoice", "customer")
        .prefetch_related("applied_taxes__tax")
        .order_by("created_at", "pk")
    )


def alone() -> models.QuerySet[InvoiceLine]:
    """Return the visible lines that have, or had, no invoice of their own from the start: newest first."""
    return visible().exclude(payment_status=InvoiceLine.PaymentStatus.NONE).order_by("-created_at", "-pk")


def locked(line_id: int) -> InvoiceLine:
    """Lock a line until the transaction ends and read it anew. Raises LineNotFound."""
    try:
        rows = InvoiceLine.objects.filter(pk=line_id, deleted_at__isnull=True)
        return db.lock_one(rows.select_related("customer__billing_entity"))
    except InvoiceLine.DoesNotExist:
        raise LineNotFound("fee_not_found", "There is no such fee.") from None


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
        "currency": wanted.currency,
        "created_at__gte": wanted.created_from,
        "created_at__lte": wanted.created_to,
        "failed_at__gte": wanted.failed_from,
        "failed_at__lte": wanted.failed_to,
        "refunded_at__gte": wanted.refunded_from,
        "refunded_at__lte": wanted.refunded_to,
        "event_transaction_id": wanted.event_transaction_id,
    }
    rows = visible().filter(**{lookup: value for lookup, value in plain.items() if value is not None})
    if wanted.payment_statuses:
        condition = Q(payment_status__in=wanted.payment_statuses)
        of_invoices = [status for status in wanted.payment_statuses if status in Invoice.PaymentStatus.values]
        if of_invoices:
            condition |= Q(payment_status="", invoice__payment_status__in=of_invoices)
        rows = rows.filter(condition)
    if wanted.succeeded_from is not None or wanted.succeeded_to is not None:
        rows = rows.filter(_succeeded(since=wanted.succeeded_from, until=wanted.succeeded_to))
    if wanted.usage_item_code is not None:
        rows = rows.filter(kind=InvoiceLine.Kind.CHARGE, item_code=wanted.usage_item_code)
    return rows


def _succeeded(*, since: datetime | None, until: datetime | None) -> Q:
    """Return the condition that a line was paid in a time, both ends included; its invoice says so, unless it does.

    Few invoices are named, as no index serves an OR over two tables.
    """
    bounds = {name: at for name, at in (("gte", since), ("lte", until)) if at is not None}
    own = Q(~Q(payment_status=""), **{f"succeeded_at__{name}": at for name, at in bounds.items()})
    paid = Invoice.objects.order_by().filter(**{f"paid_at__{name}": at for name, at in bounds.items()})
    found = list(paid.values_list("pk", flat=True)[: _FEW + 1])
    if len(found) <= _FEW:
        return Q(payment_status="", invoice__in=found) | own
    return Q(payment_status="", **{f"invoice__paid_at__{name}": at for name, at in bounds.items()}) | own
