"""How customers look in the API, in and out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.platform.api import representations
from config.platform.api.serializers import (
    Constant,
    Flag,
    Instant,
    RequestSerializer,
    Rows,
    Text,
    TextOrNull,
    Unsupported,
    Whole,
)
from customers.api.section_forms import SectionAnswer
from customers.models import BillingEntity, Customer
from customers.queries import custom_sections
from customers.services.customers import ADDRESS

ISSUING = "subscription_invoice_issuing_date"


class AddressRequest(RequestSerializer):
    """A postal address; the country is an ISO 3166-1 alpha-2 code."""

    address_line1 = Text()
    address_line2 = Text()
    zipcode = Text(max_length=32)
    city = Text()
    state = Text()
    country = Text(max_length=2)


class BillingConfigurationRequest(RequestSerializer):
    """Terms and language of a customer's documents."""

    invoice_grace_period = Whole(allow_null=True)
    document_locale = Text(max_length=8)
    payment_provider = Unsupported(neutral=("",))
    payment_provider_code = Unsupported(neutral=("",))
    provider_customer_id = Unsupported(neutral=("",))
    subscription_invoice_issuing_date_anchor = serializers.ChoiceField(
        choices=BillingEntity.Anchor.values, required=False, allow_null=True, allow_blank=True
    )
    subscription_invoice_issuing_date_adjustment = serializers.ChoiceField(
        choices=BillingEntity.Adjustment.values, required=False, allow_null=True, allow_blank=True
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Bring the policy of issuing dates under its own names; null stands for the billing entity's."""
        for name in ("anchor", "adjustment"):
            if f"{ISSUING}_{name}" in attrs:
                attrs[f"issuing_date_{name}"] = attrs.pop(f"{ISSUING}_{name}") or ""
        return attrs


class CustomerMetadataRequest(RequestSerializer):
    """A note on the customer."""

    id = serializers.UUIDField(required=False, allow_null=True)
    key = Text(required=True)
    value = Text()
    display_in_invoice = Flag()


class TaxExemptionRequest(RequestSerializer):
    """Why a customer pays no tax, until which local day, and the number of its certificate."""

    reason = Text(required=True)
    legal_note = Text(max_length=2000)
    certificate_number = Text()
    valid_until = serializers.DateField(required=False, allow_null=True)


class CustomerRequest(AddressRequest):
    """A customer as it comes in. Keys that are absent leave things as they are."""

    external_id = Text(required=True)
    billing_entity_code = Text()
    customer_type = serializers.ChoiceField(
        choices=Customer.Kind.values, required=False, allow_null=True, allow_blank=True
    )
    name = Text()
    firstname = Text()
    lastname = Text()
    legal_name = Text()
    legal_number = Text()
    tax_identification_number = Text(max_length=64)
    email = Text(max_length=1024)
    phone = Text()
    url = Text()
    logo_url = Text()
    external_salesforce_id = Text()
    currency = Text(max_length=3)
    timezone = Text(max_length=64)
    net_payment_term = Whole(allow_null=True)
    finalize_zero_amount_invoice = serializers.ChoiceField(
        choices=Customer.ZeroAmount.values, required=False, allow_null=True
    )
    billing_configuration = BillingConfigurationRequest(required=False, allow_null=True)
    shipping_address = AddressRequest(required=False, allow_null=True)
    metadata = Rows(CustomerMetadataRequest)
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)
    tax_exemption = TaxExemptionRequest(required=False, allow_null=True)
    account_type = Unsupported(neutral=("", "customer"))
    integration_customers = Unsupported(neutral=([],))
    skip_invoice_custom_sections = Flag()
    invoice_custom_section_codes = serializers.ListField(
        child=Text(required=True), required=False, allow_null=True, max_length=100
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Bring the nested keys where the service wants them, and null to what it stands for."""
        attrs.update(attrs.pop("billing_configuration", None) or {})
        if "customer_type" in attrs:
            attrs["customer_type"] = attrs["customer_type"] or ""
        if "finalize_zero_amount_invoice" in attrs:
            attrs["finalize_zero_amount_invoice"] = attrs["finalize_zero_amount_invoice"] or "inherit"
        if "shipping_address" in attrs:
            attrs["shipping_address"] = {key: text for key, text in (attrs["shipping_address"] or {}).items() if text}
        if attrs.get("metadata", ()) is None:
            del attrs["metadata"]
        if "tax_codes" in attrs:
            attrs["tax_codes"] = attrs["tax_codes"] or []
        return attrs


class BillingConfigurationAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Terms and language of a customer's documents; null where the billing entity's apply."""

    invoice_grace_period = serializers.IntegerField(allow_null=True)
    payment_provider = Constant(None)
    payment_provider_code = Constant(None)
    document_locale = TextOrNull()
    subscription_invoice_issuing_date_anchor = TextOrNull(source="issuing_date_anchor")
    subscription_invoice_issuing_date_adjustment = TextOrNull(source="issuing_date_adjustment")


class ShippingAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The address that goods and services go to."""

    address_line1 = serializers.CharField(allow_null=True)
    address_line2 = serializers.CharField(allow_null=True)
    city = serializers.CharField(allow_null=True)
    zipcode = serializers.CharField(allow_null=True)
    state = serializers.CharField(allow_null=True)
    country = serializers.CharField(allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, str | None]:
        """Return every key of an address, null where the customer has none."""
        return {field: instance.get(field) or None for field in ADDRESS}


class CustomerMetadataAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A note on the customer."""

    lago_id = serializers.UUIDField(source="uuid")
    key = serializers.CharField()
    value = serializers.CharField()
    display_in_invoice = serializers.BooleanField()
    created_at = Instant()


class CustomerAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A customer."""

    lago_id = serializers.UUIDField(source="uuid")
    billing_entity_code = serializers.CharField(source="billing_entity.code")
    external_id = serializers.CharField()
    account_type = Constant("customer")
    name = TextOrNull()
    firstname = TextOrNull()
    lastname = TextOrNull()
    customer_type = TextOrNull()
    sequential_id = serializers.IntegerField()
    slug = serializers.CharField()
    created_at = Instant()
    updated_at = Instant()
    country = TextOrNull()
    address_line1 = TextOrNull()
    address_line2 = TextOrNull()
    state = TextOrNull()
    zipcode = TextOrNull()
    email = TextOrNull()
    city = TextOrNull()
    url = TextOrNull()
    phone = TextOrNull()
    logo_url = TextOrNull()
    legal_name = TextOrNull()
    legal_number = TextOrNull()
    currency = TextOrNull()
    tax_identification_number = TextOrNull()
    timezone = TextOrNull()
    applicable_timezone = serializers.CharField()
    net_payment_term = serializers.IntegerField(allow_null=True)
    external_salesforce_id = TextOrNull()
    finalize_zero_amount_invoice = serializers.CharField()
    billing_configuration = BillingConfigurationAnswer(source="*")
    shipping_address = ShippingAnswer()
    skip_invoice_custom_sections = serializers.BooleanField()
    metadata = CustomerMetadataAnswer(many=True)
    taxes = representations.serializer("catalog.tax")(many=True)
    integration_customers = Constant([])


class TaxExemptionAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Why a customer pays no tax."""

    reason = serializers.CharField()
    legal_note = TextOrNull()
    certificate_number = TextOrNull()
    valid_until = serializers.DateField(allow_null=True)


class TaxDecisionAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Why a customer has its taxes: the rule that decided, and what it was decided from."""

    basis = serializers.CharField()
    tax_code = TextOrNull()
    is_provisional = serializers.BooleanField()
    facts = serializers.DictField()
    decided_at = Instant(source="created_at")


class CustomerDetailAnswer(CustomerAnswer):
    """A customer with what lists leave out."""

    tax_exemption = serializers.SerializerMethodField()
    tax_decision = serializers.SerializerMethodField()
    applicable_invoice_custom_sections = serializers.SerializerMethodField()
    error_details = Constant([])

    @extend_schema_field(TaxExemptionAnswer(allow_null=True))
    def get_tax_exemption(self, customer: Customer) -> dict[str, Any] | None:
        """Return the exemption, null where the customer has none."""
        found = getattr(customer, "tax_exemption", None)
        return None if found is None else dict(TaxExemptionAnswer(found).data)

    @extend_schema_field(TaxDecisionAnswer(allow_null=True))
    def get_tax_decision(self, customer: Customer) -> dict[str, Any] | None:
        """Return why the customer has its taxes, null where nobody decides them."""
        found = customer.tax_decisions.first()
        return None if found is None else dict(TaxDecisionAnswer(found).data)

    @extend_schema_field(SectionAnswer(many=True))
    def get_applicable_invoice_custom_sections(self, customer: Customer) -> list[dict[str, Any]]:
        """Return the custom sections of the next document: its own, else the billing entity's."""
        return list(SectionAnswer(custom_sections.of_customer(customer), many=True, context={}).data)
