"""Corrections of invoices in the API: what a request may say is right, and how a correction looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rest_framework import serializers

from billing.domain import event_corrections
from billing.domain.event_corrections import CorrectionIn
from billing.services.invoice_corrections import Asked
from catalog.queries import taxes
from config.kernel import errors, money
from config.platform.api.serializers import DecimalString, Flag, MinorUnits, RequestSerializer, Rows, Text
from config.platform.api.serializers import Instant as InstantField
from customers.services.customers import CustomerValues
from invoicing.domain import corrections as rules
from invoicing.domain.corrections import Fix
from invoicing.models import Invoice, InvoiceLine

MOST_EVENTS = 100
PARTICULARS = (
    "name", "firstname", "lastname", "legal_name", "legal_number", "tax_identification_number", "email",
    "address_line1", "address_line2", "zipcode", "city", "state", "country",
)  # fmt: skip


class FeeFix(RequestSerializer):
    """What is right about a fee: units and unit price, or its amount, or that it is not owed; and its taxes."""

    lago_fee_id = serializers.UUIDField()
    units = DecimalString(required=False, allow_null=True)
    unit_precise_amount = DecimalString(required=False, allow_null=True)
    amount_cents = MinorUnits(required=False, allow_null=True)
    not_owed = Flag()
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)


class ParticularsRequest(RequestSerializer):
    """What is right about the customer; it is corrected with the invoice. Keys that are absent stay."""

    name = Text()
    firstname = Text()
    lastname = Text()
    legal_name = Text()
    legal_number = Text()
    tax_identification_number = Text(max_length=64)
    email = Text(max_length=1024)
    address_line1 = Text()
    address_line2 = Text()
    zipcode = Text(max_length=32)
    city = Text()
    state = Text()
    country = Text(max_length=2)
    tax_codes = serializers.ListField(child=Text(required=True), required=False, max_length=100)


class EventFix(serializers.Serializer):  # type: ignore[type-arg]
    """A correction of an event, as `/events/corrections` takes it. Read by a decoder of its own; this describes it."""

    transaction_id = serializers.CharField(max_length=255)
    corrects = serializers.CharField(max_length=255)
    external_subscription_id = serializers.CharField(max_length=255)
    action = serializers.ChoiceField(["withdraw", "amend"])
    reason = serializers.CharField(max_length=event_corrections.MAX_REASON)
    code = serializers.CharField(required=False)
    timestamp = serializers.CharField(required=False)
    properties = serializers.DictField(required=False)


class InvoiceCorrectionRequest(RequestSerializer):
    """What is right about an invoice. With ``preview`` nothing is done; its ``fingerprint`` may be sent back."""

    reason = Text(required=True, max_length=1000)
    fees = Rows(FeeFix, max_length=1000)
    customer = ParticularsRequest(required=False, allow_null=True)
    document_is_wrong = Flag()
    events = serializers.ListField(
        child=serializers.DictField(), required=False, allow_null=True, max_length=MOST_EVENTS
    )
    owed_by = serializers.ChoiceField(choices=rules.OWED_BY, required=False, allow_null=True, allow_blank=True)
    given_back_by = serializers.ChoiceField(
        choices=rules.GIVEN_BACK_BY, required=False, allow_null=True, allow_blank=True
    )
    fingerprint = Text(max_length=64)
    preview = Flag()


class CorrectionShape(serializers.Serializer):  # type: ignore[type-arg]
    """A correction, or the preview of one, which has no id. ``plan`` are its steps, ``effect`` what it does.

    Amounts in minor units; those of accounts are positive for debits.
    """

    lago_id = serializers.UUIDField(allow_null=True)
    lago_invoice_id = serializers.UUIDField()
    reason = serializers.CharField()
    made_by = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    fingerprint = serializers.CharField()
    plan = serializers.ListField(child=serializers.DictField())
    effect = serializers.DictField()
    created_at = InstantField(allow_null=True)


def asked(content: Mapping[str, Any], invoice: Invoice, *, at: datetime) -> Asked:
    """Return what a request asks for. Raises Invalid for a fee of another invoice, or an event that is not valid."""
    return Asked(
        reason=content["reason"],
        fixes=_fixes(content.get("fees") or (), invoice),
        particulars=_particulars(content.get("customer") or {}),
        document_is_wrong=content.get("document_is_wrong", False),
        events=_events(content.get("events") or (), at),
        owed_by=content.get("owed_by") or "",
        given_back_by=content.get("given_back_by") or "",
    )


def _fixes(rows: Sequence[Mapping[str, Any]], invoice: Invoice) -> tuple[Fix, ...]:
    wanted = {row["lago_fee_id"] for row in rows}
    known = dict(InvoiceLine.objects.filter(invoice=invoice, uuid__in=wanted).values_list("uuid", "pk"))
    if len(known) != len(rows):
        raise errors.Invalid(
            "fee_not_found", "A fee is not on this invoice, or there twice.", {"fees": ["fee_not_found"]}
        )
    codes = list(dict.fromkeys(code for row in rows for code in row.get("tax_codes") or ()))
    tax_ids = {tax.code: tax.pk for tax in taxes.by_codes(codes=codes)} if codes else {}
    return tuple(
        Fix(
            line_id=known[row["lago_fee_id"]],
            units=row.get("units"),
            unit_amount=row.get("unit_precise_amount"),
            amount=_money(row.get("amount_cents"), invoice),
            not_owed=row.get("not_owed", False),
            tax_ids=tuple(tax_ids[code] for code in dict.fromkeys(row["tax_codes"])) if row.get("tax_codes") else None,
        )
        for row in rows
    )


def _particulars(content: Mapping[str, Any]) -> CustomerValues:
    values: Any = {name: value for name, value in content.items() if name in (*PARTICULARS, "tax_codes")}
    found: CustomerValues = values
    return found


def _events(rows: Sequence[Mapping[str, Any]], at: datetime) -> tuple[CorrectionIn, ...]:
    found: list[CorrectionIn] = []
    refused: dict[str, list[str]] = {}
    for position, row in enumerate(rows):
        one = event_corrections.examine(msgspec.Raw(msgspec.json.encode(row)), received_at=at)
        if isinstance(one, CorrectionIn):
            found.append(one)
        else:
            refused |= {f"events.{position}.{name}": list(codes) for name, codes in one.items()}
    if refused:
        raise errors.Invalid("validation_errors", "Some corrections of events are not valid.", refused)
    return tuple(found)


def _money(cents: int | None, invoice: Invoice) -> Any:
    return None if cents is None else money.from_minor(cents, invoice.currency)
