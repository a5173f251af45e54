"""What requests about wallets and their transactions may hold, and what they mean to the services."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from rest_framework import serializers

from config.kernel import errors
from config.platform.api import params, sections
from config.platform.api.sections import SectionsRequest
from config.platform.api.serializers import (
    DecimalString,
    Flag,
    Instant,
    MinorUnits,
    RequestSerializer,
    Rows,
    Text,
    Unsupported,
    Whole,
)
from customers.queries import billing_entities
from invoicing.api.credit_fields import Credits, PairRequest
from invoicing.api.wallet_rule_requests import RuleRequest
from invoicing.services.wallet_top_ups import TopUp
from invoicing.services.wallets import WalletValues

_METHODS = ({}, {"payment_method_type": "provider"}, {"payment_method_type": "manual"})
_PLAIN = (
    "external_customer_id",
    "billing_entity_code",
    "code",
    "name",
    "currency",
    "rate_amount",
    "expiration_at",
    "purchase_order_number",
    "paid_top_up_min_amount_cents",
    "paid_top_up_max_amount_cents",
)
_NOT_NULL = ("priority", "invoice_requires_successful_payment", "metadata")


class LimitsRequest(RequestSerializer):
    """What a wallet pays; nothing said means all."""

    fee_types = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=20)
    billable_metric_codes = serializers.ListField(
        child=Text(required=True), required=False, allow_null=True, max_length=1000
    )


class WalletUpdate(RequestSerializer):
    """What of a wallet may be set. Metadata is merged."""

    name = Text()
    code = Text()
    billing_entity_code = Text()
    billing_entity_id = Text(help_text="Instead of the code.")
    priority = Whole(allow_null=True)
    expiration_at = Instant(required=False, allow_null=True)
    invoice_requires_successful_payment = Flag(allow_null=True)
    paid_top_up_min_amount_cents = MinorUnits(required=False, allow_null=True)
    paid_top_up_max_amount_cents = MinorUnits(required=False, allow_null=True)
    purchase_order_number = Text()
    applies_to = LimitsRequest(required=False, allow_null=True)
    metadata = serializers.DictField(child=Text(max_length=None), required=False, allow_null=True)
    recurring_transaction_rules = Rows(RuleRequest, max_length=20)
    invoice_custom_section = SectionsRequest(required=False, allow_null=True)
    payment_method = Unsupported(neutral=_METHODS)


class CustomerWalletRequest(WalletUpdate):
    """A new wallet of a customer who is named elsewhere, with its first credits."""

    currency = Text(max_length=3)
    rate_amount = DecimalString(required=True)
    paid_credits = Credits("invalid_paid_credits")
    granted_credits = Credits("invalid_granted_credits")
    ignore_paid_top_up_limits_on_creation = Flag(allow_null=True)
    transaction_name = Text()
    transaction_priority = Whole(allow_null=True)
    transaction_metadata = Rows(PairRequest)


class WalletRequest(CustomerWalletRequest):
    """A new wallet with its first credits."""

    external_customer_id = Text(required=True)


class TransactionRequest(RequestSerializer):
    """Credits to be bought, given or voided."""

    wallet_id = Text(required=True)
    paid_credits = Credits("invalid_paid_credits")
    granted_credits = Credits("invalid_granted_credits")
    voided_credits = Credits("invalid_voided_credits")
    voided_transaction_id = Text()
    invoice_requires_successful_payment = Flag(allow_null=True)
    name = Text()
    priority = Whole(allow_null=True)
    ignore_paid_top_up_limits = Flag(allow_null=True)
    purchase_order_number = Text()
    metadata = Rows(PairRequest)
    invoice_custom_section = SectionsRequest(required=False, allow_null=True)
    payment_method = Unsupported(neutral=_METHODS)


class WalletMetadataRequest(RequestSerializer):
    """Notes by key."""

    metadata = serializers.DictField(child=Text(max_length=None))


def values(content: Mapping[str, Any]) -> WalletValues:
    """Return what a checked request says of a wallet. Raises NotFound for a seller that is none."""
    found: dict[str, Any] = {name: content[name] for name in _PLAIN if name in content}
    found |= {name: content[name] for name in _NOT_NULL if content.get(name) is not None}
    if "applies_to" in content:
        limits = content["applies_to"] or {"fee_types": [], "billable_metric_codes": []}
        found |= {name: limits[name] or [] for name in ("fee_types", "billable_metric_codes") if name in limits}
    if content.get("billing_entity_id") and not content.get("billing_entity_code"):
        seller = billing_entities.by_uuid(uuid=params.uuid(content["billing_entity_id"]))
        found["billing_entity_code"] = seller.code
    if "invoice_custom_section" in content:
        found["custom_section_codes"] = sections.codes(content["invoice_custom_section"])
    return cast(WalletValues, found)


def first_credits(content: Mapping[str, Any]) -> TopUp:
    """Return the first credits of a wallet that a checked request makes."""
    return TopUp(
        paid_credits=content.get("paid_credits") or Decimal(0),
        granted_credits=content.get("granted_credits") or Decimal(0),
        ignore_paid_top_up_limits=bool(content.get("ignore_paid_top_up_limits_on_creation")),
        name=content.get("transaction_name") or "",
        metadata=content.get("transaction_metadata") or (),
        **_priority(content.get("transaction_priority")),
    )


def top_up(content: Mapping[str, Any]) -> TopUp:
    """Return what a checked request for transactions asks for. Raises NotFound for an id that is none."""
    voided = content.get("voided_transaction_id")
    public_id = params.uuid(voided) if voided else None
    if voided and public_id is None:
        raise errors.NotFound("wallet_transaction_not_found", "There are no such credits.")
    return TopUp(
        paid_credits=content.get("paid_credits") or Decimal(0),
        granted_credits=content.get("granted_credits") or Decimal(0),
        voided_credits=content.get("voided_credits") or Decimal(0),
        voided_transaction_uuid=public_id,
        invoice_requires_successful_payment=content.get("invoice_requires_successful_payment"),
        ignore_paid_top_up_limits=bool(content.get("ignore_paid_top_up_limits")),
        name=content.get("name") or "",
        purchase_order_number=content.get("purchase_order_number") or "",
        custom_section_codes=sections.codes(content.get("invoice_custom_section")),
        metadata=content.get("metadata") or (),
        **_priority(content.get("priority")),
    )


def _priority(given: int | None) -> dict[str, Any]:
    return {} if given is None else {"priority": given}
