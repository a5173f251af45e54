"""Invoices. A draft has no number and may be computed anew; a finalized one is frozen by the database."""

from decimal import Decimal

from django.db import models
from moneyed import Money

from config.kernel import db
from customers.models import BillingEntity, Customer


class Invoice(db.Base):
    """An invoice of one seller to one customer in one currency.

    ``snapshot`` holds what the document says of seller, buyer and texts, taken when it was finalized. Document status
    and payment status are two things. ``issuing_date`` and ``payment_due_date`` are local dates in ``timezone``.

    One that is open is issued once it is paid: its lines are frozen, it has no number and is in no books. One that is
    pending or failed waits for taxes that somebody else works out: it may be computed anew like a draft.

    ``fees_amount`` is the sum of its lines, less ``progressive_billing_credit_amount`` (what was billed progressively
    of it already) and ``coupons_amount`` the net amount that is taxed. ``total_amount`` is net and tax less
    ``credit_notes_amount``, the credits of earlier credit notes that it used, and less ``prepaid_credit_amount``, what
    was drawn of prepaid credit.
    ``offset_amount`` is what its own credit notes took off what is due, ``written_off_amount`` what nobody expects to
    be paid, ``disputed_amount`` what the customer disputes of the rest. ``regenerated_from`` is the voided invoice in
    whose place it stands.

    ``is_periodic`` is one for the end of a period: the policy of issuing dates is for those. ``custom_section_ids`` are
    the custom sections chosen for this one; null leaves the choice to the customer.
    """

    class Kind(models.TextChoices):
        SUBSCRIPTION = "subscription", "subscription"
        ADVANCE_CHARGES = "advance_charges", "usage paid in advance"
        PROGRESSIVE_BILLING = "progressive_billing", "usage up to a threshold"
        CREDIT = "credit", "prepaid credit"
        ONE_OFF = "one_off", "one-off"

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        FINALIZED = "finalized", "finalized"
        VOIDED = "voided", "voided"
        CLOSED = "closed", "closed without a document"
        OPEN = "open", "waits for its payment before it is issued"
        PENDING = "pending", "waits for its taxes"
        FAILED = "failed", "its taxes could not be worked out"

    class PaymentStatus(models.TextChoices):
        PENDING = "pending", "pending"
        SUCCEEDED = "succeeded", "paid"
        FAILED = "failed", "failed"

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="invoices")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    kind = models.CharField(max_length=32, choices=Kind.choices, default=Kind.SUBSCRIPTION)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.DRAFT)
    payment_status = models.CharField(max_length=16, choices=PaymentStatus.choices, default=PaymentStatus.PENDING)
    number = models.CharField(max_length=64, null=True, blank=True, editable=False)
    sequential_id = models.PositiveBigIntegerField(null=True, editable=False)
    currency = db.CurrencyField()
    fees_amount = db.money_field("net")
    progressive_billing_credit_amount = db.money_field("billed progressively", default=Decimal)
    coupons_amount = db.money_field("coupons", default=Decimal)
    taxes_amount = db.money_field("tax")
    credit_notes_amount = db.money_field("credits", default=Decimal)
    prepaid_credit_amount = db.money_field("prepaid", default=Decimal)
    total_amount = db.money_field("total")
    offset_amount = db.money_field("offset", default=Decimal)
    written_off_amount = db.money_field("written off", default=Decimal)
    paid_amount = db.money_field("paid")
    disputed_amount = db.money_field("disputed", default=Decimal)
    timezone = models.CharField(max_length=64)
    locale = models.CharField(max_length=8)
    net_payment_term = models.PositiveIntegerField()
    purchase_order_number = models.CharField(max_length=255, blank=True, default="")
    is_periodic = models.BooleanField(default=False, editable=False)
    skip_automatic_payment = models.BooleanField(default=False, editable=False)
    custom_section_ids = models.JSONField(null=True, editable=False)
    billed_at = models.DateTimeField()
    finalize_after = models.DateTimeField()
    issuing_date = models.DateField()
    payment_due_date = models.DateField()
    payment_overdue = models.BooleanField(default=False)
    finalized_at = models.DateTimeField(null=True, editable=False)
    voided_at = models.DateTimeField(null=True, editable=False)
    paid_at = models.DateTimeField(null=True, editable=False)
    payment_dispute_lost_at = models.DateTimeField(null=True, editable=False)
    regenerated_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="regenerations", editable=False
    )
    error_details = models.JSONField(default=list, editable=False)
    updated_at = models.DateTimeField(editable=False)
    snapshot = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering = ["-issuing_date", "-created_at", "-id"]
        permissions = [
            ("finalize_invoice", "Can finalize invoice"),
            ("void_invoice", "Can void invoice"),
            ("send_invoice", "Can send invoice"),
            ("record_payment", "Can record a payment of an invoice"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["billing_entity", "number"], name="invoicing_invoice_number"),
            models.UniqueConstraint(
                fields=["regenerated_from"],
                condition=~models.Q(status="voided"),
                name="invoicing_invoice_regenerated_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="finalized") | models.Q(number__isnull=False, finalized_at__isnull=False),
                name="invoicing_invoice_finalized_has_number",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="draft") | models.Q(number__isnull=True, finalized_at__isnull=True),
                name="invoicing_invoice_draft_has_no_number",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="open") | models.Q(number__isnull=True, finalized_at__isnull=True),
                name="invoicing_invoice_open_has_no_number",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["pending", "failed"])
                | models.Q(number__isnull=True, finalized_at__isnull=True),
                name="invoicing_invoice_untaxed_has_no_number",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="voided") | models.Q(voided_at__isnull=False),
                name="invoicing_invoice_voided_at",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    total_amount=models.F("fees_amount")
                    - models.F("progressive_billing_credit_amount")
                    - models.F("coupons_amount")
                    + models.F("taxes_amount")
                    - models.F("credit_notes_amount")
                    - models.F("prepaid_credit_amount")
                ),
                name="invoicing_invoice_total",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    paid_amount__gte=0,
                    offset_amount__gte=0,
                    written_off_amount__gte=0,
                    paid_amount__lte=models.F("total_amount")
                    - models.F("offset_amount")
                    - models.F("written_off_amount"),
                ),
                name="invoicing_invoice_paid",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    total_amount__gte=0,
                    credit_notes_amount__gte=0,
                    prepaid_credit_amount__gte=0,
                    progressive_billing_credit_amount__gte=0,
                    coupons_amount__gte=0,
                    disputed_amount__gte=0,
                ),
                name="invoicing_invoice_credit_notes",
            ),
        ]
        indexes = [
            models.Index(fields=["-issuing_date", "-created_at", "-id"], name="invoicing_invoice_recent"),
            models.Index(fields=["customer", "-issuing_date", "-created_at"], name="invoicing_invoice_customer"),
            models.Index(
                fields=["finalize_after"], condition=models.Q(status="draft"), name="invoicing_invoice_drafts"
            ),
            models.Index(
                fields=["payment_due_date"],
                condition=models.Q(status="finalized") & ~models.Q(payment_status="succeeded"),
                name="invoicing_invoice_open",
            ),
            models.Index(
                fields=["-issuing_date", "-created_at", "-id"],
                include=(
                    "status",
                    "payment_status",
                    "kind",
                    "currency",
                    "billing_entity",
                    "payment_overdue",
                    "total_amount",
                ),
                condition=~(models.Q(status="closed") | models.Q(number__isnull=True, status="voided"))
                & ~models.Q(status="open"),
                name="invoicing_invoice_listed",
            ),
            models.Index(
                fields=["id"],
                condition=models.Q(status__in=["closed", "open"]) | models.Q(number__isnull=True, status="voided"),
                name="invoicing_invoice_hidden",
            ),
            models.Index(
                fields=["issuing_date", "created_at", "id"],
                condition=models.Q(payment_dispute_lost_at__isnull=False),
                name="invoicing_invoice_lost",
            ),
            models.Index(
                fields=["issuing_date", "created_at", "id"],
                condition=models.Q(offset_amount__gt=0),
                name="invoicing_invoice_offset",
            ),
            models.Index(fields=["paid_at"], condition=models.Q(paid_at__isnull=False), name="invoicing_invoice_paid"),
        ]

    def __str__(self) -> str:
        return self.number or f"{'Waiting' if self.status == self.Status.OPEN else 'Draft'} {self.pk}"

    @property
    def net_amount(self) -> Money:
        """What is taxed: the lines without what was billed progressively before and without coupons."""
        return self.fees_amount - self.progressive_billing_credit_amount - self.coupons_amount

    @property
    def gross_amount(self) -> Money:
        """Net and tax, before credits."""
        return self.net_amount + self.taxes_amount


class InvoiceMetadata(db.Base):
    """A note on an invoice that engineers set."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="metadata")
    key = models.CharField(max_length=255)
    value = models.CharField(max_length=255)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["invoice", "key"], name="invoicing_metadata_key")]

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"
