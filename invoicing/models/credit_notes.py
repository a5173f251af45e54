"""Credit notes: what is given back of an issued invoice, on which lines and taxes, and which invoices it paid since."""

from decimal import Decimal

from django.db import models

from catalog.models import Tax
from config.kernel import db
from customers.models import BillingEntity, Customer
from invoicing.models.invoices import Invoice
from invoicing.models.lines import InvoiceLine


class CreditNote(db.Base):
    """A correction of one invoice. A draft belongs to a draft invoice and is issued with it, then it is frozen.

    The total goes three ways: ``credit_amount`` pays later invoices, ``refund_amount`` is paid back, and
    ``offset_amount`` lowers what is due of the corrected invoice. ``balance_amount`` is the credit not used yet.
    ``coupons_adjustment_amount`` is taken off the items because coupons lowered the lines. The precise amounts are the
    same before rounding, in major units. ``issuing_date`` is local in ``timezone``.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        FINALIZED = "finalized", "issued"

    class Reason(models.TextChoices):
        DUPLICATED_CHARGE = "duplicated_charge", "charged twice"
        PRODUCT_UNSATISFACTORY = "product_unsatisfactory", "product unsatisfactory"
        ORDER_CHANGE = "order_change", "change of the order"
        ORDER_CANCELLATION = "order_cancellation", "cancellation of the order"
        FRAUDULENT_CHARGE = "fraudulent_charge", "fraudulent charge"
        OTHER = "other", "other"

    class CreditStatus(models.TextChoices):
        NONE = "", "no credit"
        AVAILABLE = "available", "available"
        CONSUMED = "consumed", "used up"
        VOIDED = "voided", "voided"

    class RefundStatus(models.TextChoices):
        NONE = "", "no refund"
        PENDING = "pending", "pending"
        SUCCEEDED = "succeeded", "refunded"
        FAILED = "failed", "failed"

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="credit_notes")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="credit_notes")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.DRAFT)
    number = models.CharField(max_length=80, null=True, blank=True, editable=False)
    sequential_id = models.PositiveIntegerField(null=True, editable=False)
    reason = models.CharField(max_length=32, choices=Reason.choices)
    description = models.TextField(blank=True, default="")
    credit_status = models.CharField(max_length=16, choices=CreditStatus.choices, blank=True, default=CreditStatus.NONE)
    refund_status = models.CharField(max_length=16, choices=RefundStatus.choices, blank=True, default=RefundStatus.NONE)
    currency = db.CurrencyField()
    sub_total_amount = db.money_field("net")
    coupons_adjustment_amount = db.money_field("coupons", default=Decimal)
    precise_coupons_adjustment_amount = models.DecimalField(max_digits=40, decimal_places=15, default=Decimal)
    taxes_amount = db.money_field("tax")
    precise_taxes_amount = models.DecimalField(max_digits=40, decimal_places=15)
    taxes_rate = models.DecimalField(max_digits=12, decimal_places=8)
    total_amount = db.money_field("total")
    credit_amount = db.money_field("credit")
    refund_amount = db.money_field("refund")
    offset_amount = db.money_field("offset")
    balance_amount = db.money_field("balance")
    timezone = models.CharField(max_length=64)
    issuing_date = models.DateField()
    metadata = models.JSONField(default=dict, blank=True)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True, unique=True, editable=False)
    finalized_at = models.DateTimeField(null=True, editable=False)
    refunded_at = models.DateTimeField(null=True, editable=False)
    voided_at = models.DateTimeField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)
    snapshot = models.JSONField(default=dict, editable=False)

    class Meta:
        verbose_name = "credit note"
        ordering = ["-issuing_date", "-created_at", "-id"]
        permissions = [
            ("void_creditnote", "Can void credit note"),
            ("refund_creditnote", "Can tell a refund"),
            ("send_creditnote", "Can send credit note"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["billing_entity", "number"], name="invoicing_credit_note_number"),
            models.UniqueConstraint(fields=["invoice", "sequential_id"], name="invoicing_credit_note_sequence"),
            models.CheckConstraint(
                condition=models.Q(status="draft", number__isnull=True, finalized_at__isnull=True)
                | models.Q(
                    status="finalized",
                    number__isnull=False,
                    sequential_id__isnull=False,
                    finalized_at__isnull=False,
                ),
                name="invoicing_credit_note_issued",
            ),
            models.CheckConstraint(
                condition=models.Q(total_amount=models.F("sub_total_amount") + models.F("taxes_amount"))
                & models.Q(
                    total_amount=models.F("credit_amount") + models.F("refund_amount") + models.F("offset_amount")
                ),
                name="invoicing_credit_note_total",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    total_amount__gt=0,
                    sub_total_amount__gte=0,
                    taxes_amount__gte=0,
                    credit_amount__gte=0,
                    refund_amount__gte=0,
                    offset_amount__gte=0,
                    coupons_adjustment_amount__gte=0,
                ),
                name="invoicing_credit_note_amounts",
            ),
            models.CheckConstraint(
                condition=models.Q(balance_amount__gte=0, balance_amount__lte=models.F("credit_amount")),
                name="invoicing_credit_note_balance",
            ),
            models.CheckConstraint(
                condition=models.Q(credit_amount=0, credit_status="")
                | models.Q(credit_amount__gt=0, credit_status="available", balance_amount__gt=0)
                | models.Q(credit_amount__gt=0, credit_status="consumed", balance_amount=0)
                | models.Q(credit_amount__gt=0, credit_status="voided", balance_amount=0, voided_at__isnull=False),
                name="invoicing_credit_note_credit_status",
            ),
            models.CheckConstraint(
                condition=models.Q(refund_amount=0, refund_status="")
                | models.Q(refund_amount__gt=0, refund_status__in=["pending", "failed"])
                | models.Q(refund_amount__gt=0, refund_status="succeeded", refunded_at__isnull=False),
                name="invoicing_credit_note_refund_status",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="invoicing_credit_note_recent"),
            models.Index(
                fields=["-created_at", "-id"],
                condition=models.Q(status="finalized"),
                name="invoicing_credit_note_listed",
            ),
            models.Index(
                fields=["customer", "issuing_date"],
                condition=models.Q(status="finalized", balance_amount__gt=0),
                name="invoicing_credit_note_open",
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"Draft credit note {self.pk}"


class CreditNoteItem(db.Base):
    """What is given back of one line, before tax; ``precise_amount`` is the same before rounding, in major units."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="items")
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="credit_note_items")
    currency = db.CurrencyField()
    amount = db.money_field()
    precise_amount = models.DecimalField(max_digits=40, decimal_places=15)

    class Meta:
        verbose_name = "credit note item"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["credit_note", "line"], name="invoicing_credit_note_item"),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0, precise_amount__gt=0), name="invoicing_credit_note_item_amount"
            ),
        ]

    def __str__(self) -> str:
        return str(self.amount)


class CreditNoteTax(db.Base):
    """One tax group of a credit note. ``rate`` is a fraction."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="applied_taxes")
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT, related_name="+")
    tax_code = models.CharField(max_length=255)
    tax_name = models.CharField(max_length=255)
    tax_description = models.TextField(blank=True, default="")
    rate = models.DecimalField(max_digits=12, decimal_places=8)
    currency = db.CurrencyField()
    base_amount = db.money_field()
    amount = db.money_field()

    class Meta:
        verbose_name = "credit note tax"
        verbose_name_plural = "credit note taxes"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["credit_note", "tax"], name="invoicing_credit_note_tax")]

    def __str__(self) -> str:
        return self.tax_name


class CreditNoteUse(db.Base):
    """The part of a credit that lowered what a later invoice came to. It is booked, so it stays as it is."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="uses")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credits")
    currency = db.CurrencyField()
    amount = db.money_field()

    class Meta:
        verbose_name = "use of a credit"
        verbose_name_plural = "uses of credits"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["credit_note", "invoice"], name="invoicing_credit_use"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_credit_use_amount"),
        ]

    def __str__(self) -> str:
        return str(self.amount)
