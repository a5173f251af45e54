"""What requests to void or regenerate an invoice may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from config.kernel import errors, money
from config.platform.api import params
from config.platform.api.serializers import DecimalString, Flag, MinorUnits, RequestSerializer, Rows, Text
from invoicing.models import Invoice, InvoiceLine
from invoicing.services.regenerating import LineEdit
from invoicing.services.voiding import CreditNoteParts


class VoidRequest(RequestSerializer):
    """How an invoice is voided; without a root key. Amounts are gross, in minor units.

    With ``generate_credit_note`` a credit note gives back the two amounts, and another one, voided at once, the rest.
    """

    generate_credit_note = Flag()
    credit_amount = MinorUnits(required=False, allow_null=True)
    refund_amount = MinorUnits(required=False, allow_null=True)
    reason = Text(max_length=1000)


class FeeEdit(RequestSerializer):
    """What is changed of a fee. ``unit_precise_amount`` is the price of a unit in major units."""

    lago_fee_id = serializers.UUIDField()
    units = DecimalString(required=False, allow_null=True)
    unit_precise_amount = DecimalString(required=False, allow_null=True)
    invoice_display_name = Text(max_length=512)


class RegenerateRequest(RequestSerializer):
    """The fees that are changed in the invoice that takes the place of a voided one; the others are as they were."""

    fees = Rows(FeeEdit)


def parts(content: Mapping[str, Any], invoice: Invoice) -> CreditNoteParts | None:
    """Return what a credit note is to give back, or None where none is wanted.

    Raises Invalid for amounts without a credit note: nothing would be done with them.
    """
    amounts = {name: content.get(name) or 0 for name in ("credit_amount", "refund_amount")}
    if not content.get("generate_credit_note"):
        given = {name: ["value_is_invalid"] for name, amount in amounts.items() if amount}
        if given:
            raise errors.Invalid("validation_errors", "Amounts are for a credit note: generate one.", given)
        return None
    credit, refund = (money.from_minor(amount, invoice.currency) for amount in amounts.values())
    return CreditNoteParts(credit=credit, refund=refund)


def edits(content: Mapping[str, Any], invoice: Invoice) -> dict[int, LineEdit]:
    """Return the edits of an invoice's lines by their keys. Raises Invalid for a fee of another one, or one twice."""
    rows = content.get("fees") or []
    wanted = {row["lago_fee_id"] for row in rows}
    known = dict(InvoiceLine.objects.filter(invoice=invoice, uuid__in=wanted).values_list("uuid", "pk"))
    if len(known) != len(rows):
        raise errors.Invalid(
            "fee_not_found", "A fee is not on this invoice, or there twice.", {"fees": ["fee_not_found"]}
        )
    return {
        known[row["lago_fee_id"]]: LineEdit(
            units=row.get("units"),
            unit_amount=row.get("unit_precise_amount"),
            label=row.get("invoice_display_name") or None,
        )
        for row in rows
    }


def line_of(value: str | None, invoice: Invoice) -> int | None:
    """Return the key of an invoice's line by its public id; None for none. Raises Invalid for another invoice's."""
    if not value:
        return None
    found = params.uuid(value)
    key = (
        InvoiceLine.objects.filter(invoice=invoice, uuid=found).values_list("pk", flat=True).first() if found else None
    )
    if key is None:
        raise errors.Invalid("fee_not_found", "The fee is not on this invoice.", {"lago_fee_id": ["fee_not_found"]})
    return key
