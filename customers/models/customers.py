"""Customers: whom we bill, in which language and currency, and on which terms."""

from django.db import models

from catalog.models import Tax
from config.kernel import db
from customers.models.addresses import Addressed
from customers.models.billing_entities import BillingEntity
from customers.models.custom_sections import InvoiceCustomSection
from customers.models.vat_checks import VatCheck


class Customer(Addressed, db.Base):
    """A customer of one billing entity, known to the outside by ``external_id``.

    ``timezone``, ``net_payment_term``, ``invoice_grace_period`` and ``document_locale`` fall back to the entity's where
    they are empty. ``shipping_address`` has the keys of an address; it is shown on documents only.

    Links to its portal are of a ``portal_generation``: those of an earlier one are revoked.

    While one ``awaits_tax_decision``, mostly the check of its VAT number, its invoices wait too.
    """

    class ZeroAmount(models.TextChoices):
        INHERIT = "inherit", "as the billing entity"
        SKIP = "skip", "skip"
        FINALIZE = "finalize", "finalize"

    class Kind(models.TextChoices):
        COMPANY = "company", "company"
        INDIVIDUAL = "individual", "individual"

    external_id = models.CharField(max_length=255)
    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="customers")
    sequential_id = models.PositiveBigIntegerField(editable=False)
    slug = models.CharField(max_length=64, editable=False)
    customer_type = models.CharField(max_length=16, choices=Kind.choices, blank=True, default="")
    name = models.CharField(max_length=255, blank=True, default="")
    firstname = models.CharField(max_length=255, blank=True, default="")
    lastname = models.CharField(max_length=255, blank=True, default="")
    legal_name = models.CharField(max_length=255, blank=True, default="")
    legal_number = models.CharField(max_length=255, blank=True, default="")
    tax_identification_number = models.CharField("VAT id", max_length=64, blank=True, default="")
    email = models.CharField(max_length=1024, blank=True, default="")
    phone = models.CharField(max_length=255, blank=True, default="")
    url = models.CharField(max_length=255, blank=True, default="")
    logo_url = models.CharField(max_length=255, blank=True, default="")
    external_salesforce_id = models.CharField(max_length=255, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")
    timezone = models.CharField(max_length=64, blank=True, default="")
    document_locale = models.CharField(max_length=8, blank=True, default="")
    net_payment_term = models.PositiveIntegerField("payment term (days)", null=True, blank=True)
    invoice_grace_period = models.PositiveIntegerField("grace period (days)", null=True, blank=True)
    finalize_zero_amount_invoice = models.CharField(
        max_length=16, choices=ZeroAmount.choices, default=ZeroAmount.INHERIT
    )
    issuing_date_anchor = models.CharField(max_length=32, choices=BillingEntity.Anchor.choices, blank=True, default="")
    issuing_date_adjustment = models.CharField(
        max_length=32, choices=BillingEntity.Adjustment.choices, blank=True, default=""
    )
    invoice_custom_sections = models.ManyToManyField(InvoiceCustomSection, blank=True, related_name="customers")
    skip_invoice_custom_sections = models.BooleanField(default=False)
    shipping_address = models.JSONField(default=dict, blank=True)
    taxes = models.ManyToManyField(Tax, blank=True, related_name="customers")
    vat_check = models.ForeignKey(
        VatCheck, on_delete=models.PROTECT, null=True, related_name="customers", editable=False
    )
    awaits_tax_decision = models.BooleanField(default=False, editable=False)
    portal_generation = models.PositiveIntegerField(default=0, editable=False)
    updated_at = models.DateTimeField(editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"], condition=models.Q(deleted_at__isnull=True), name="customers_external_id"
            ),
            models.UniqueConstraint(fields=["slug"], name="customers_slug"),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="customers_recent")]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The name people use: the customer's own, else the person's, else the external id."""
        return self.name or f"{self.firstname} {self.lastname}".strip() or self.external_id

    @property
    def applicable_timezone(self) -> str:
        """The customer's time zone, else the billing entity's."""
        return self.timezone or self.billing_entity.timezone

    @property
    def applicable_locale(self) -> str:
        """The language of the customer's documents, else the billing entity's."""
        return self.document_locale or self.billing_entity.document_locale

    @property
    def applicable_net_payment_term(self) -> int:
        """Days until an invoice is due."""
        own = self.net_payment_term
        return self.billing_entity.net_payment_term if own is None else own

    @property
    def applicable_grace_period(self) -> int:
        """Days for which an invoice stays a draft."""
        own = self.invoice_grace_period
        return self.billing_entity.invoice_grace_period if own is None else own


class CustomerMetadata(db.Base):
    """A note on a customer that engineers set and documents may show."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="metadata")
    key = models.CharField(max_length=255)
    value = models.CharField(max_length=255)
    display_in_invoice = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["customer", "key"], name="customers_metadata_key")]

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"
