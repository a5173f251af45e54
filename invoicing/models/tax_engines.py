"""Taxes that others work out: the engine of a seller, what it was asked, and what it is told of documents."""

from django.db import models

from config.kernel import db
from customers.models import BillingEntity
from invoicing.models.credit_notes import CreditNote
from invoicing.models.invoices import Invoice


class TaxEngine(db.Base):
    """Where the taxes of a seller's invoices are worked out. While it is active, taxes kept here do not count for them.

    ``token`` is sent with every request and shown to nobody.
    """

    class Kind(models.TextChoices):
        HTTP = "http", "engine behind HTTP"

    billing_entity = models.OneToOneField(BillingEntity, on_delete=models.PROTECT, related_name="tax_engine")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.HTTP)
    code = models.CharField(max_length=255, unique=True)
    url = models.URLField()
    token = models.CharField(max_length=512, blank=True, default="")
    is_active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "tax engine"
        ordering = ["billing_entity"]

    def __str__(self) -> str:
        return self.code


class TaxCalculation(db.Base):
    """What an engine was asked about an invoice, and its answer. ``digest`` is that of the question.

    An answer counts only for the very question: an invoice that changed meanwhile is asked about anew. A failed one has
    ``error_code`` and ``error_message``; it is asked again only when somebody says so, one without an answer by itself.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "waits for an answer"
        ANSWERED = "answered", "answered"
        FAILED = "failed", "refused"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="tax_calculations")
    engine = models.ForeignKey(TaxEngine, on_delete=models.PROTECT, related_name="calculations")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.WAITING)
    digest = models.CharField(max_length=64)
    question = models.JSONField()
    answer = models.JSONField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=255, blank=True, default="")
    error_message = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "tax calculation"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "digest"], name="invoicing_tax_question"),
            models.CheckConstraint(
                condition=models.Q(status="waiting", next_attempt_at__isnull=False)
                | models.Q(status="answered", answer__isnull=False, answered_at__isnull=False)
                | (models.Q(status="failed") & ~models.Q(error_code="")),
                name="invoicing_tax_calculation_status",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(status="waiting"),
                name="invoicing_tax_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} {self.get_status_display()}"


class TaxReport(db.Base):
    """Something that an engine is told after it is committed: a document was issued or voided. It is told once."""

    class Event(models.TextChoices):
        FINALIZED = "invoice_finalized", "invoice issued"
        VOIDED = "invoice_voided", "invoice voided"
        CREDITED = "credit_note_issued", "credit note issued"

    engine = models.ForeignKey(TaxEngine, on_delete=models.PROTECT, related_name="reports")
    event = models.CharField(max_length=32, choices=Event.choices)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="tax_reports")
    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, null=True, related_name="tax_reports")
    content = models.JSONField()
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "report to a tax engine"
        verbose_name_plural = "reports to tax engines"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "invoice"],
                condition=models.Q(credit_note__isnull=True),
                name="invoicing_tax_report_invoice",
            ),
            models.UniqueConstraint(fields=["event", "credit_note"], name="invoicing_tax_report_credit_note"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(told_at__isnull=True),
                name="invoicing_tax_report_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.get_event_display()
