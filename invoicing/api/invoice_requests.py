"""What requests about invoices may hold, and how the filters of their list are read."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request

from config.platform.api import params
from config.platform.api.serializers import RequestSerializer, Text
from invoicing.models import Invoice
from invoicing.queries.invoices import SETTLEMENTS, InvoiceFilter

FILTERS = (
    "external_customer_id",
    "currency",
    "invoice_type",
    "amount_from",
    "amount_to",
    "issuing_date_from",
    "issuing_date_to",
    "payment_overdue",
    "partially_paid",
    "payment_dispute_lost",
    "purchase_order_number",
    "self_billed",
    "search_term",
    "metadata[key]",
)
LIST_FILTERS = ("status", "statuses", "payment_status", "payment_statuses", "billing_entity_codes", "settlements")
_KINDS = ("subscription", "add_on", "credit", "one_off", "advance_charges", "progressive_billing")
_STATUSES = ("draft", "finalized", "voided", "failed", "pending", "open")


class MetadataRequest(RequestSerializer):
    """One note: a new one, or with ``id`` one that is there."""

    id = serializers.UUIDField(required=False)
    key = Text(required=True)
    value = Text(required=True)


class InvoiceUpdate(RequestSerializer):
    """What of an invoice may be set."""

    payment_status = serializers.ChoiceField(choices=Invoice.PaymentStatus.choices, required=False)
    metadata = MetadataRequest(many=True, required=False)


def invoice_filter(request: Request, *, customer_id: int | None = None) -> InvoiceFilter:
    """Read the filters of a list. Raises Invalid for one that cannot be read."""
    kind = params.texts(request, "invoice_type", allowed=_KINDS)
    return InvoiceFilter(
        customer_id=customer_id,
        external_customer_id=None if customer_id else params.text(request, "external_customer_id"),
        statuses=_either(request, "status", "statuses", _STATUSES),
        payment_statuses=_either(request, "payment_status", "payment_statuses", Invoice.PaymentStatus.values),
        kinds=kind,
        currency=params.text(request, "currency"),
        billing_entity_codes=params.texts(request, "billing_entity_codes"),
        issuing_date_from=params.day(request, "issuing_date_from"),
        issuing_date_to=params.day(request, "issuing_date_to"),
        amount_from=params.whole(request, "amount_from"),
        amount_to=params.whole(request, "amount_to"),
        payment_overdue=params.flag(request, "payment_overdue"),
        partially_paid=params.flag(request, "partially_paid"),
        payment_dispute_lost=params.flag(request, "payment_dispute_lost"),
        settlements=params.texts(request, "settlements", allowed=SETTLEMENTS),
        purchase_order_number=params.text(request, "purchase_order_number"),
        search_term=params.text(request, "search_term"),
        metadata=params.pairs(request, "metadata"),
    )


def names_nothing(request: Request) -> bool:
    """Say whether the filters ask for what this installation never has: self-billed invoices."""
    return bool(params.flag(request, "self_billed"))


def _either(request: Request, name: str, plural: str, allowed: list[str] | tuple[str, ...]) -> list[str]:
    return params.texts(request, name, allowed=allowed) or params.texts(request, plural, allowed=allowed)
