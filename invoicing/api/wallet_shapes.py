"""The shapes of wallets and their transactions. Credits are decimals as text, money is minor units, and amounts of
transactions are decimals in major units, as clients know them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from moneyed import Money
from rest_framework import serializers

from config.kernel import money
from config.platform.api import rendering
from config.platform.api.serializers import DecimalString, Instant, MinorUnits, TextOrNull, decimal_text
from invoicing.api import section_shapes
from invoicing.models import RecurringTransactionRule, Wallet, WalletConsumption, WalletTransaction

_METHOD = {"payment_method_id": None, "payment_method_type": "manual"}


@extend_schema_field(section_shapes.WalletSection(many=True))
class ChosenSections(serializers.Field):  # type: ignore[type-arg]
    """The custom sections that a wallet, a rule or a transaction has of its own."""

    def to_representation(self, value: Wallet | RecurringTransactionRule | WalletTransaction) -> list[dict[str, Any]]:
        """Return them; which ones there are was read for the whole answer."""
        found: dict[int, dict[str, Any]] = self.context.get("sections", {})
        return section_shapes.chosen(
            owner=value.uuid, ids=value.custom_section_ids, at=value.created_at, sections=found
        )


class MethodShape(serializers.Serializer):  # type: ignore[type-arg]
    """How it is paid."""

    payment_method_id = serializers.UUIDField(allow_null=True)
    payment_method_type = serializers.CharField()


class NoteShape(serializers.Serializer):  # type: ignore[type-arg]
    """A note on a transaction."""

    key = serializers.CharField()
    value = serializers.CharField()


class LimitsShape(serializers.Serializer):  # type: ignore[type-arg]
    """What a wallet pays; nothing said means all."""

    fee_types = serializers.ListField(child=serializers.CharField())
    billable_metric_codes = serializers.ListField(child=serializers.CharField())


class RuleShape(serializers.Serializer):  # type: ignore[type-arg]
    """A rule that tops up a wallet by itself."""

    lago_id = serializers.UUIDField(source="uuid")
    status = serializers.CharField()
    trigger = serializers.CharField()
    method = serializers.CharField()
    interval = TextOrNull()
    paid_credits = DecimalString()
    granted_credits = DecimalString()
    grants_target_top_up = serializers.BooleanField()
    threshold_credits = DecimalString()
    target_ongoing_balance = DecimalString(allow_null=True)
    started_at = Instant(allow_null=True)
    expiration_at = Instant(allow_null=True)
    created_at = Instant()
    invoice_requires_successful_payment = serializers.BooleanField()
    ignore_paid_top_up_limits = serializers.BooleanField()
    purchase_order_number = TextOrNull()
    transaction_name = TextOrNull()
    transaction_metadata = NoteShape(many=True)
    applied_invoice_custom_sections = ChosenSections(source="*")
    payment_method = serializers.SerializerMethodField()

    @extend_schema_field(MethodShape)
    def get_payment_method(self, rule: RecurringTransactionRule) -> dict[str, str | None]:
        """Return how it is paid: by hand."""
        return dict(_METHOD)


class WalletShape(serializers.Serializer):  # type: ignore[type-arg]
    """A wallet."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    external_customer_id = serializers.CharField(source="customer.external_id")
    billing_entity_code = serializers.CharField(source="billing_entity.code")
    status = serializers.CharField()
    currency = serializers.CharField()
    name = TextOrNull()
    code = serializers.CharField()
    purchase_order_number = TextOrNull()
    priority = serializers.IntegerField()
    rate_amount = DecimalString()
    credits_balance = DecimalString()
    credits_ongoing_balance = DecimalString()
    credits_ongoing_usage_balance = DecimalString(source="credits_ongoing_usage")
    balance_cents = MinorUnits(source="balance_amount")
    ongoing_balance_cents = MinorUnits(source="ongoing_balance_amount")
    ongoing_usage_balance_cents = MinorUnits(source="ongoing_usage_amount")
    consumed_credits = DecimalString()
    consumed_amount_cents = MinorUnits(source="consumed_amount")
    created_at = Instant()
    expiration_at = Instant(allow_null=True)
    last_balance_sync_at = Instant(allow_null=True)
    last_consumed_credit_at = Instant(allow_null=True)
    terminated_at = Instant(allow_null=True)
    invoice_requires_successful_payment = serializers.BooleanField()
    paid_top_up_min_amount_cents = MinorUnits(source="paid_top_up_min_amount", allow_null=True)
    paid_top_up_max_amount_cents = MinorUnits(source="paid_top_up_max_amount", allow_null=True)
    recurring_transaction_rules = serializers.SerializerMethodField()
    applies_to = serializers.SerializerMethodField()
    applied_invoice_custom_sections = ChosenSections(source="*")
    payment_method = serializers.SerializerMethodField()
    metadata = serializers.SerializerMethodField()

    @extend_schema_field(RuleShape(many=True))
    def get_recurring_transaction_rules(self, wallet: Wallet) -> list[dict[str, Any]]:
        """Return the rules that are active."""
        rules = wallet.recurring_transaction_rules.all()
        active = [rule for rule in rules if rule.status == RecurringTransactionRule.Status.ACTIVE]
        return [dict(content) for content in RuleShape(active, many=True, context=self.context).data]

    @extend_schema_field(LimitsShape)
    def get_applies_to(self, wallet: Wallet) -> dict[str, list[str]]:
        """Return what it pays."""
        return {
            "fee_types": list(wallet.fee_types),
            "billable_metric_codes": [metric.code for metric in wallet.billable_metrics.all()],
        }

    @extend_schema_field(MethodShape)
    def get_payment_method(self, wallet: Wallet) -> dict[str, str | None]:
        """Return how it is paid: by hand."""
        return dict(_METHOD)

    @extend_schema_field(serializers.DictField(child=serializers.CharField(), allow_null=True))
    def get_metadata(self, wallet: Wallet) -> dict[str, str] | None:
        """Return the notes, or null where there are none."""
        return dict(wallet.metadata) or None


@extend_schema_field(serializers.CharField())
class Major(serializers.Field):  # type: ignore[type-arg]
    """Money as a decimal in major units."""

    def to_representation(self, value: Money) -> str:
        """Return plain digits."""
        return decimal_text(Decimal(value.amount))


class TransactionShape(serializers.Serializer):  # type: ignore[type-arg]
    """Credits that came in or went out."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_wallet_id = serializers.UUIDField(source="wallet.uuid")
    lago_invoice_id = serializers.UUIDField(source="invoice.uuid", default=None, allow_null=True)
    lago_credit_note_id = serializers.UUIDField(source="credit_note.uuid", default=None, allow_null=True)
    lago_voided_invoice_id = serializers.UUIDField(source="voided_invoice.uuid", default=None, allow_null=True)
    billing_entity_code = serializers.CharField(source="wallet.billing_entity.code")
    status = serializers.CharField()
    source = serializers.CharField()
    transaction_status = serializers.CharField()
    transaction_type = serializers.CharField()
    amount = Major()
    credit_amount = DecimalString()
    remaining_amount_cents = serializers.SerializerMethodField()
    remaining_credit_amount = serializers.SerializerMethodField()
    priority = serializers.IntegerField()
    purchase_order_number = TextOrNull()
    settled_at = Instant(allow_null=True)
    failed_at = Instant(allow_null=True)
    created_at = Instant()
    invoice_requires_successful_payment = serializers.BooleanField()
    metadata = NoteShape(many=True)
    name = TextOrNull()
    payment_method = serializers.SerializerMethodField()
    applied_invoice_custom_sections = ChosenSections(source="*")

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_remaining_amount_cents(self, row: WalletTransaction) -> int | None:
        """Return what is left of credits that came in."""
        return money.to_minor(row.remaining_amount) if _remains(row) else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_remaining_credit_amount(self, row: WalletTransaction) -> str | None:
        """Return how many credits are left of those that came in."""
        return decimal_text(row.remaining_credit_amount) if _remains(row) else None

    @extend_schema_field(MethodShape)
    def get_payment_method(self, row: WalletTransaction) -> dict[str, str | None]:
        """Return how it is paid: by hand."""
        return dict(_METHOD)


class PartShape(serializers.Serializer):  # type: ignore[type-arg]
    """The part of one transaction that went into another."""

    lago_id = serializers.UUIDField(source="uuid")
    amount_cents = MinorUnits(source="amount")
    credit_amount = DecimalString()
    created_at = Instant()


class ConsumptionShape(PartShape):
    """What credits that came in were used for."""

    wallet_transaction = TransactionShape(source="outbound")


class FundingShape(PartShape):
    """Which credits went out with a transaction."""

    wallet_transaction = TransactionShape(source="inbound")


class PaymentLink(serializers.Serializer):  # type: ignore[type-arg]
    """Where a purchase is paid."""

    lago_customer_id = serializers.UUIDField()
    external_customer_id = serializers.CharField()
    lago_wallet_transaction_id = serializers.UUIDField()
    payment_provider = serializers.CharField(allow_null=True)
    payment_url = serializers.CharField()


def wallets(rows: Sequence[Wallet]) -> list[dict[str, Any]]:
    """Return wallets as in a list."""
    rules = [rule for row in rows for rule in row.recurring_transaction_rules.all()]
    context = _sections([*rows, *rules])
    return rendering.render(WalletShape, rows, context=context)


def transactions(rows: Sequence[WalletTransaction]) -> list[dict[str, Any]]:
    """Return transactions as in a list."""
    return rendering.render(TransactionShape, rows, context=_sections(rows))


def consumptions(rows: Sequence[WalletConsumption]) -> list[dict[str, Any]]:
    """Return what credits were used for."""
    context = _sections([row.outbound for row in rows])
    return [dict(content) for content in ConsumptionShape(rows, many=True, context=context).data]


def fundings(rows: Sequence[WalletConsumption]) -> list[dict[str, Any]]:
    """Return which credits were used."""
    context = _sections([row.inbound for row in rows])
    return [dict(content) for content in FundingShape(rows, many=True, context=context).data]


def _sections(rows: Sequence[Wallet | RecurringTransactionRule | WalletTransaction]) -> dict[str, Any]:
    return {"sections": section_shapes.known(row.custom_section_ids for row in rows)}


def _remains(row: WalletTransaction) -> bool:
    is_in = row.transaction_type == WalletTransaction.Type.INBOUND
    return is_in and row.status == WalletTransaction.Status.SETTLED
