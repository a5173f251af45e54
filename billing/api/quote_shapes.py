"""How quotes, their versions, order forms and orders go out through the API, in the wire names of the reference.

Its states are told in ``status``, the product's own, which are finer, in ``state``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.models import Order, OrderForm, Quote, QuoteVersion
from config.platform.api.serializers import Instant, MinorUnits, TextOrNull
from config.platform.queries import installation

_ORDER_TYPES = {
    "new": "subscription_creation",
    "amendment": "subscription_amendment",
    "renewal": "subscription_amendment",
    "one_off": "one_off",
}
_STATUSES = {"draft": "draft", "in_approval": "draft", "voided": "voided"}
_FORM_STATUSES = {"declined": "voided"}


class _Answer(serializers.Serializer):  # type: ignore[type-arg]
    """What all of them have."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_organization_id = serializers.SerializerMethodField()

    def get_lago_organization_id(self, row: Any) -> str:
        """Return the id of the installation."""
        return str(self.context["organization_id"])


class QuoteApprovalAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A consent that a version needs."""

    cause = serializers.CharField(help_text="Why it is needed.")
    group = serializers.CharField(source="group.name")
    state = serializers.CharField()
    remark = serializers.CharField(help_text="What whoever decided said.")
    decided_at = Instant(allow_null=True)


class QuoteVersionAnswer(_Answer):
    """A version of a quote. ``totals`` are without tax and usage, amounts in major units as text."""

    lago_quote_id = serializers.UUIDField(source="quote.uuid")
    version = serializers.IntegerField(source="number", help_text="Number of the version, from 1.")
    status = serializers.SerializerMethodField()
    state = serializers.CharField()
    currency = serializers.CharField()
    billing_entity_code = serializers.CharField(source="quote.billing_entity.code")
    void_reason = TextOrNull(help_text="Why it was voided.")
    approved_at = Instant(allow_null=True)
    voided_at = Instant(allow_null=True)
    submitted_at = Instant(allow_null=True, help_text="When its terms were frozen.")
    sent_at = Instant(allow_null=True, help_text="When the customer was sent it first.")
    valid_until = serializers.DateField(allow_null=True)
    content = TextOrNull(source="introduction", help_text="The introduction.")
    billing_items = serializers.SerializerMethodField(help_text="What is sold, by its kind.")
    terms = serializers.DictField(help_text="All that it offers.")
    terms_sha256 = TextOrNull(help_text="Digest of the frozen terms, sha256.")
    recurring_amount_cents = MinorUnits(
        source="recurring_amount", allow_null=True, help_text="A month at the end of the term, in minor units."
    )
    first_year_amount_cents = MinorUnits(
        source="first_year_amount", allow_null=True, help_text="The first twelve months, in minor units."
    )
    total_amount_cents = MinorUnits(source="total_amount", allow_null=True)
    approvals = QuoteApprovalAnswer(many=True, source="approvals.all")
    created_at = Instant()
    updated_at = Instant()

    def get_status(self, row: QuoteVersion) -> str:
        """Return the state as the reference has it."""
        return _STATUSES.get(row.state, "approved")

    @extend_schema_field(serializers.DictField())
    def get_billing_items(self, row: QuoteVersion) -> dict[str, Any]:
        """Return what is sold, by its kind."""
        terms = row.terms
        plans = [
            {"external_id": item["external_id"], "name": item["name"], **phase}
            for item in terms.get("items", ())
            for phase in item["phases"]
        ]
        return {
            "plans": plans,
            "add_ons": terms.get("one_offs", []),
            "coupons": terms.get("coupons", []),
            "wallet_credits": terms.get("credits", []),
        }


class QuoteOwnerAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Who sells."""

    lago_id = serializers.CharField(source="pk")
    email = serializers.CharField()


class QuoteAnswer(_Answer):
    """A quote with its newest version."""

    number = serializers.CharField()
    order_type = serializers.SerializerMethodField()
    kind = serializers.CharField()
    name = serializers.CharField()
    state = serializers.SerializerMethodField()
    lago_customer_id = serializers.SerializerMethodField()
    external_customer_id = serializers.SerializerMethodField()
    lago_subscription_id = serializers.SerializerMethodField()
    contract_number = serializers.SerializerMethodField()
    billing_entity_code = serializers.CharField(source="billing_entity.code")
    prospect = serializers.DictField(help_text="What is known of a customer who is not one yet.")
    current_version = serializers.SerializerMethodField()
    owners = serializers.SerializerMethodField()
    created_at = Instant()
    updated_at = Instant()

    def get_order_type(self, row: Quote) -> str:
        """Return the kind as the reference has it."""
        return _ORDER_TYPES[row.kind]

    def get_state(self, row: Quote) -> str | None:
        """Return the state of the newest version."""
        newest = _newest(row)
        return None if newest is None else newest.state

    def get_lago_customer_id(self, row: Quote) -> str | None:
        """Return the customer; null for a prospect."""
        return None if row.customer is None else str(row.customer.uuid)

    def get_external_customer_id(self, row: Quote) -> str | None:
        """Return the customer; null for a prospect."""
        return None if row.customer is None else row.customer.external_id

    def get_lago_subscription_id(self, row: Quote) -> str | None:
        """Return nothing: an amendment is about a contract."""
        return None

    def get_contract_number(self, row: Quote) -> str | None:
        """Return the contract that an amendment or renewal is about."""
        return None if row.contract is None else row.contract.number

    @extend_schema_field(QuoteVersionAnswer(allow_null=True))
    def get_current_version(self, row: Quote) -> dict[str, Any] | None:
        """Return the newest version."""
        newest = _newest(row)
        if newest is None:
            return None
        newest.quote = row
        return dict(QuoteVersionAnswer(newest, context=self.context).data)

    @extend_schema_field(QuoteOwnerAnswer(many=True))
    def get_owners(self, row: Quote) -> list[dict[str, Any]]:
        """Return who sells."""
        return [] if row.owner is None else [dict(QuoteOwnerAnswer(row.owner).data)]


class OrderFormAnswer(_Answer):
    """What the customer is given to sign, and what became of it."""

    number = serializers.CharField()
    status = serializers.SerializerMethodField()
    state = serializers.CharField()
    void_reason = TextOrNull(source="reason", help_text="Why it was voided or declined.")
    expires_at = Instant(allow_null=True)
    sent_at = Instant(allow_null=True, help_text="When it was sent last.")
    signed_at = serializers.SerializerMethodField(help_text="When it was signed.")
    declined_at = serializers.SerializerMethodField(help_text="When it was declined.")
    voided_at = Instant(allow_null=True)
    signer_name = TextOrNull()
    signer_title = TextOrNull(help_text="What the signer is there.")
    document_sha256 = TextOrNull(source="sha256", help_text="Digest of the PDF, sha256.")
    signed_document_url = serializers.SerializerMethodField()
    lago_customer_id = serializers.SerializerMethodField()
    lago_quote_id = serializers.UUIDField(source="version.quote.uuid")
    lago_quote_version_id = serializers.UUIDField(source="version.uuid")
    created_at = Instant()
    updated_at = Instant()

    def get_status(self, row: OrderForm) -> str:
        """Return the state as the reference has it: declined is voided, with the reason."""
        return _FORM_STATUSES.get(row.state, row.state)

    @extend_schema_field(Instant(allow_null=True))
    def get_signed_at(self, row: OrderForm) -> Any:
        """Return when it was signed."""
        return _instant(row.decided_at if row.state == OrderForm.State.SIGNED else None)

    @extend_schema_field(Instant(allow_null=True))
    def get_declined_at(self, row: OrderForm) -> Any:
        """Return when it was declined."""
        return _instant(row.decided_at if row.state == OrderForm.State.DECLINED else None)

    def get_signed_document_url(self, row: OrderForm) -> str | None:
        """Return where people who sign in, and may see order forms, find the scan; null without one."""
        if not row.signed_document:
            return None
        return f"{settings.PUBLIC_URL}{reverse('admin:billing_order_signed_document', args=[row.order.pk])}"

    def get_lago_customer_id(self, row: OrderForm) -> str | None:
        """Return the customer; null as long as there is a prospect."""
        return None if row.customer is None else str(row.customer.uuid)


class OrderAnswer(_Answer):
    """What a signed order form was turned into."""

    number = serializers.CharField()
    status = serializers.CharField(source="state")
    order_type = serializers.SerializerMethodField()
    execution_mode = serializers.SerializerMethodField()
    currency = serializers.CharField()
    execute_at = Instant(allow_null=True, help_text="When it is to be executed; null for at once.")
    executed_at = Instant(allow_null=True, help_text="When it was executed.")
    execution_record = serializers.SerializerMethodField(
        help_text="What was made: ids of invoices, subscriptions and wallets."
    )
    error_code = TextOrNull()
    error = TextOrNull()
    contract_number = serializers.SerializerMethodField()
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    lago_order_form_id = serializers.UUIDField(source="order_form.uuid")
    billing_snapshot = serializers.DictField(source="snapshot", help_text="What was signed.")
    created_at = Instant()
    updated_at = Instant()

    def get_order_type(self, row: Order) -> str:
        """Return the kind as the reference has it."""
        return _ORDER_TYPES[row.order_form.version.quote.kind]

    def get_execution_mode(self, row: Order) -> str:
        """Return the mode as the reference has it."""
        return "execute_in_lago" if row.mode == Order.Mode.EXECUTE else row.mode

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_execution_record(self, row: Order) -> dict[str, Any] | None:
        """Return what was made; null as long as nothing was."""
        if row.executed_at is None:
            return None
        return {
            "executed_at": _instant(row.executed_at),
            "execution_mode": self.get_execution_mode(row),
            "invoice_id": None if row.invoice is None else str(row.invoice.uuid),
            "invoice_ids": row.record.get("invoices", []),
            "subscription_ids": row.record.get("subscriptions", []),
            "wallet_ids": row.record.get("wallets", []),
        }

    def get_contract_number(self, row: Order) -> str | None:
        """Return the contract that was made or changed."""
        return None if row.contract is None else row.contract.number


def quotes(found: Sequence[Quote]) -> list[dict[str, Any]]:
    """Return quotes."""
    return [dict(row) for row in QuoteAnswer(found, many=True, context=_context()).data]


def versions(found: Sequence[QuoteVersion]) -> list[dict[str, Any]]:
    """Return versions."""
    return [dict(row) for row in QuoteVersionAnswer(found, many=True, context=_context()).data]


def order_forms(found: Sequence[OrderForm]) -> list[dict[str, Any]]:
    """Return order forms."""
    return [dict(row) for row in OrderFormAnswer(found, many=True, context=_context()).data]


def orders(found: Sequence[Order]) -> list[dict[str, Any]]:
    """Return orders."""
    return [dict(row) for row in OrderAnswer(found, many=True, context=_context()).data]


def _context() -> dict[str, Any]:
    return {"organization_id": installation.current().uuid}


def _newest(row: Quote) -> QuoteVersion | None:
    return max(row.versions.all(), key=lambda one: one.number, default=None)


def _instant(value: Any) -> str | None:
    return None if value is None else str(Instant().to_representation(value))
