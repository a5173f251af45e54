"""What requests about credit notes may hold, and how the filters of their list are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moneyed import Money
from rest_framework import serializers
from rest_framework.request import Request

from config.kernel import errors, money
from config.platform.api import params
from config.platform.api.serializers import MinorUnits, RequestSerializer, Text
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.queries.credit_notes import CreditNoteFilter

FILTERS = (
    "external_customer_id",
    "amount_from",
    "amount_to",
    "credit_status",
    "currency",
    "invoice_number",
    "issuing_date_from",
    "issuing_date_to",
    "purchase_order_number",
    "reason",
    "refund_status",
    "search_term",
    "self_billed",
)
LIST_FILTERS = ("types", "billing_entity_codes")
_CREDIT_STATUSES = ("available", "consumed", "voided")
_REFUND_STATUSES = ("pending", "succeeded", "failed")
_KINDS = ("subscription", "add_on", "credit", "one_off", "advance_charges", "progressive_billing")


class ItemRequest(RequestSerializer):
    """What to give back of one fee, net."""

    fee_id = serializers.CharField(max_length=255)
    amount_cents = MinorUnits()


class CreditNoteEstimate(RequestSerializer):
    """The items of a credit note."""

    invoice_id = serializers.CharField(max_length=255)
    items = serializers.ListField(child=ItemRequest(), allow_empty=False)


class CreditNoteRequest(CreditNoteEstimate):
    """A credit note: its items, why, and where its gross total goes."""

    reason = serializers.ChoiceField(choices=CreditNote.Reason.values, required=False, allow_null=True)
    description = Text()
    credit_amount_cents = MinorUnits(required=False, allow_null=True)
    refund_amount_cents = MinorUnits(required=False, allow_null=True)
    offset_amount_cents = MinorUnits(required=False, allow_null=True)
    metadata = serializers.DictField(child=Text(), required=False, allow_null=True)


class CreditNoteUpdate(RequestSerializer):
    """What of a credit note may be set; metadata is merged."""

    refund_status = serializers.ChoiceField(choices=_REFUND_STATUSES, required=False)
    metadata = serializers.DictField(child=Text(), required=False, allow_null=True)


class CreditNoteMetadataRequest(RequestSerializer):
    """Notes by key."""

    metadata = serializers.DictField(child=Text())


def amounts(content: Sequence[dict[str, Any]], invoice: Invoice) -> dict[int, Money]:
    """Return net amounts by line of an invoice. Raises Invalid for a fee that is not on it or is named twice."""
    lines = {
        str(public_id): pk for public_id, pk in InvoiceLine.objects.filter(invoice=invoice).values_list("uuid", "pk")
    }
    found: dict[int, Money] = {}
    for item in content:
        public_id = params.uuid(item["fee_id"])
        pk = lines.get(str(public_id)) if public_id else None
        if pk is None:
            raise _refused("fee_not_found")
        if pk in found:
            raise _refused("value_is_duplicated")
        found[pk] = money.from_minor(item["amount_cents"], invoice.currency)
    return found


def part(content: dict[str, Any], name: str, currency: str) -> Money | None:
    """Return one of the ways that the total goes, or None where nothing is said of it."""
    minor = content.get(f"{name}_amount_cents")
    return None if minor is None else money.from_minor(minor, currency)


def credit_note_filter(request: Request, *, customer_id: int | None = None) -> CreditNoteFilter:
    """Read the filters of a list. Raises Invalid for one that cannot be read."""
    return CreditNoteFilter(
        customer_id=customer_id,
        external_customer_id=None if customer_id else params.text(request, "external_customer_id"),
        currency=params.text(request, "currency"),
        reasons=params.texts(request, "reason", allowed=CreditNote.Reason.values),
        credit_statuses=params.texts(request, "credit_status", allowed=_CREDIT_STATUSES),
        refund_statuses=params.texts(request, "refund_status", allowed=_REFUND_STATUSES),
        invoice_number=params.text(request, "invoice_number"),
        purchase_order_number=params.text(request, "purchase_order_number"),
        billing_entity_codes=params.texts(request, "billing_entity_codes"),
        kinds=params.texts(request, "types", allowed=_KINDS),
        issuing_date_from=params.day(request, "issuing_date_from"),
        issuing_date_to=params.day(request, "issuing_date_to"),
        amount_from=params.whole(request, "amount_from"),
        amount_to=params.whole(request, "amount_to"),
        search_term=params.text(request, "search_term"),
    )


def _refused(code: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", "An item is not valid.", {"items": [code]})
