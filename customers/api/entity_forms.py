"""How billing entities and the organization look in the API, in and out.

The organization is the installation with its default billing entity: what is changed of it is changed there.
"""

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
    Text,
    TextOrNull,
    Unsupported,
    Whole,
)
from customers.api.customer_forms import ISSUING, AddressRequest
from customers.api.section_forms import SectionAnswer
from customers.models import BillingEntity
from customers.queries import custom_sections


class EntityConfigurationRequest(RequestSerializer):
    """Terms and language of a seller's documents."""

    invoice_footer = Text(max_length=2000)
    invoice_grace_period = Whole()
    document_locale = Text(required=False, allow_blank=False, allow_null=False, max_length=8)
    subscription_invoice_issuing_date_anchor = serializers.ChoiceField(
        choices=BillingEntity.Anchor.values, required=False
    )
    subscription_invoice_issuing_date_adjustment = serializers.ChoiceField(
        choices=BillingEntity.Adjustment.values, required=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Bring the policy of issuing dates under its own names."""
        for name in ("anchor", "adjustment"):
            if f"{ISSUING}_{name}" in attrs:
                attrs[f"issuing_date_{name}"] = attrs.pop(f"{ISSUING}_{name}")
        return attrs


class SellerRequest(AddressRequest):
    """What a billing entity and the organization have in common."""

    default_currency = Text(allow_blank=False, allow_null=False, max_length=3)
    email = Text(max_length=254)
    legal_name = Text()
    legal_number = Text()
    net_payment_term = Whole()
    tax_identification_number = Text(max_length=64)
    timezone = Text(allow_blank=False, allow_null=False, max_length=64)
    document_numbering = serializers.ChoiceField(choices=BillingEntity.Numbering.values, required=False)
    document_number_prefix = Text(allow_blank=False, allow_null=False, max_length=16)
    finalize_zero_amount_invoice = Flag()
    eu_tax_management = Flag()
    email_settings = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=20)
    billing_configuration = EntityConfigurationRequest(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Bring the nested keys where the service wants them, and null lists to empty ones."""
        attrs.update(attrs.pop("billing_configuration", None) or {})
        for field in ("email_settings", "tax_codes", "invoice_custom_section_codes"):
            if field in attrs:
                attrs[field] = attrs[field] or []
        return attrs


class OrganizationRequest(SellerRequest):
    """The organization as it comes in."""

    webhook_url = Text(max_length=2048)


class EntityRequest(SellerRequest):
    """A billing entity as it comes in. ``url``, bank details and ``accent_color`` are additions: they are printed."""

    code = Text(required=True)
    name = Text(required=True)
    phone = Text(max_length=64)
    url = Text(max_length=200)
    bank_name = Text()
    iban = Text(max_length=64)
    bic = Text(max_length=64)
    accent_color = Text(allow_blank=False, allow_null=False, max_length=7)
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)
    einvoicing = Unsupported(neutral=(False, "false"))
    logo = Unsupported(neutral=("",))
    invoice_custom_section_codes = serializers.ListField(
        child=Text(required=True), required=False, allow_null=True, max_length=100
    )


class SellerAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What a billing entity and the organization have in common."""

    default_currency = serializers.CharField()
    country = TextOrNull()
    address_line1 = TextOrNull()
    address_line2 = TextOrNull()
    city = TextOrNull()
    state = TextOrNull()
    zipcode = TextOrNull()
    email = TextOrNull()
    legal_name = TextOrNull()
    legal_number = TextOrNull()
    timezone = serializers.CharField()
    net_payment_term = serializers.IntegerField()
    email_settings = serializers.ListField(child=serializers.CharField())
    document_numbering = serializers.CharField()
    document_number_prefix = serializers.CharField()
    tax_identification_number = TextOrNull()
    finalize_zero_amount_invoice = serializers.BooleanField()


class EntitySummaryAnswer(SellerAnswer):
    """A billing entity as lists show it."""

    lago_id = serializers.UUIDField(source="uuid")
    code = serializers.CharField()
    name = serializers.CharField()
    created_at = Instant()
    updated_at = Instant(source="created_at")
    phone = TextOrNull()
    url = TextOrNull()
    bank_name = TextOrNull()
    iban = TextOrNull()
    bic = TextOrNull()
    accent_color = serializers.CharField()
    einvoicing = Constant(value=False)
    invoice_footer = TextOrNull()
    invoice_grace_period = serializers.IntegerField()
    subscription_invoice_issuing_date_adjustment = serializers.CharField(source="issuing_date_adjustment")
    subscription_invoice_issuing_date_anchor = serializers.CharField(source="issuing_date_anchor")
    document_locale = serializers.CharField()
    is_default = serializers.BooleanField()
    eu_tax_management = serializers.BooleanField()
    logo_url = Constant(None)


class EntityAnswer(EntitySummaryAnswer):
    """A billing entity."""

    taxes = representations.serializer("catalog.tax")(many=True)
    selected_invoice_custom_sections = serializers.SerializerMethodField()

    @extend_schema_field(SectionAnswer(many=True))
    def get_selected_invoice_custom_sections(self, entity: BillingEntity) -> list[dict[str, Any]]:
        """Return the custom sections of customers that have none of their own."""
        return list(SectionAnswer(custom_sections.of_seller(entity), many=True, context={}).data)


class EntityConfigurationAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Terms and language of the organization's documents."""

    invoice_footer = TextOrNull()
    invoice_grace_period = serializers.IntegerField()
    document_locale = serializers.CharField()


class OrganizationAnswer(SellerAnswer):
    """The organization. Its id, name and age are the installation's, the rest is its default billing entity's."""

    lago_id = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()
    slug = Constant(None)
    created_at = serializers.SerializerMethodField()
    webhook_url = serializers.SerializerMethodField()
    webhook_urls = serializers.SerializerMethodField()
    billing_configuration = EntityConfigurationAnswer(source="*")
    events_store = Constant("postgres")
    taxes = representations.serializer("catalog.tax")(many=True)

    def get_lago_id(self, entity: BillingEntity) -> str:
        """Return the installation's public id."""
        return str(self.context["installation"].uuid)

    def get_webhook_url(self, entity: BillingEntity) -> str:
        """Return the address of the oldest webhook endpoint, or nothing."""
        return next(iter(self.context["webhook_urls"]), "")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_webhook_urls(self, entity: BillingEntity) -> list[str]:
        """Return the addresses of all webhook endpoints."""
        return list(self.context["webhook_urls"])

    def get_name(self, entity: BillingEntity) -> str:
        """Return the installation's name."""
        return self.context["installation"].name

    def get_created_at(self, entity: BillingEntity) -> str:
        """Return when the installation was set up."""
        return Instant().to_representation(self.context["installation"].created_at)
