"""Billing entities: the companies of the installation that sell and issue documents."""

from django.db import models

from catalog.models import Tax
from config.kernel import db
from customers.models.addresses import Addressed
from customers.models.custom_sections import InvoiceCustomSection


class BillingEntity(Addressed, db.Base):
    """A seller: letterhead, bank details, numbering, terms and default taxes of its documents."""

    class Numbering(models.TextChoices):
        PER_CUSTOMER = "per_customer", "per customer"
        PER_BILLING_ENTITY = "per_billing_entity", "per billing entity"

    class Anchor(models.TextChoices):
        CURRENT_PERIOD_END = "current_period_end", "last day of the period"
        NEXT_PERIOD_START = "next_period_start", "first day after the period"

    class Adjustment(models.TextChoices):
        KEEP_ANCHOR = "keep_anchor", "that day"
        ALIGN = "align_with_finalization_date", "the day of finalization"

    code = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255)
    is_default = models.BooleanField(default=False)
    legal_name = models.CharField(max_length=255, blank=True, default="")
    legal_number = models.CharField(max_length=255, blank=True, default="")
    tax_identification_number = models.CharField("VAT id", max_length=64, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    phone = models.CharField(max_length=64, blank=True, default="")
    url = models.URLField(blank=True, default="")
    logo = models.TextField("logo (SVG)", blank=True, default="")
    accent_color = models.CharField(max_length=7, default="#4f46e5")
    bank_name = models.CharField(max_length=255, blank=True, default="")
    iban = models.CharField("IBAN or account", max_length=64, blank=True, default="")
    bic = models.CharField("BIC or routing number", max_length=64, blank=True, default="")
    default_currency = models.CharField(max_length=3, default="USD")
    timezone = models.CharField(max_length=64, default="UTC")
    document_locale = models.CharField(max_length=8, default="en")
    invoice_footer = models.TextField(blank=True, default="")
    net_payment_term = models.PositiveIntegerField("payment term (days)", default=0)
    invoice_grace_period = models.PositiveIntegerField("grace period (days)", default=0)
    document_numbering = models.CharField(max_length=32, choices=Numbering.choices, default=Numbering.PER_CUSTOMER)
    document_number_prefix = models.CharField(max_length=16)
    finalize_zero_amount_invoice = models.BooleanField(default=True)
    issuing_date_anchor = models.CharField(
        "periodic invoices are of", max_length=32, choices=Anchor.choices, default=Anchor.NEXT_PERIOD_START
    )
    issuing_date_adjustment = models.CharField(
        "and are dated", max_length=32, choices=Adjustment.choices, default=Adjustment.ALIGN
    )
    invoice_custom_sections = models.ManyToManyField(InvoiceCustomSection, blank=True, related_name="billing_entities")
    email_settings = models.JSONField(default=list, blank=True)
    eu_tax_management = models.BooleanField("decides the VAT of its customers", default=False)
    taxes = models.ManyToManyField(Tax, blank=True, related_name="billing_entities")

    class Meta:
        verbose_name_plural = "billing entities"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="customers_entity_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name
