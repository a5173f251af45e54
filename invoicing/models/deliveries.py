"""E-mails of documents: each is a row before it is sent, so that none is forgotten."""

from django.db import models

from config.kernel import db
from invoicing.models.credit_notes import CreditNote
from invoicing.models.invoices import Invoice
from invoicing.models.payment_requests import PaymentRequest
from invoicing.models.receipts import PaymentReceipt

_KINDS = ("invoice", "credit_note", "payment_receipt", "payment_request")


def _only(kind: str) -> models.Q:
    """Say that a delivery is of this kind and of no other."""
    return models.Q(**{f"{name}__isnull": name != kind for name in _KINDS})


class Delivery(db.Base):
    """One e-mail of an invoice, a credit note, a receipt or a payment request. ``number`` counts its sendings from 1.

    ``recipients`` are those of the To line, ``cc`` and ``bcc`` those of the others.
    """

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="deliveries")
    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, null=True, related_name="deliveries")
    payment_receipt = models.ForeignKey(PaymentReceipt, on_delete=models.PROTECT, null=True, related_name="deliveries")
    payment_request = models.ForeignKey(PaymentRequest, on_delete=models.PROTECT, null=True, related_name="deliveries")
    number = models.PositiveIntegerField()
    recipients = models.JSONField(default=list)
    cc = models.JSONField(default=list)
    bcc = models.JSONField(default=list)
    subject = models.CharField(max_length=255, blank=True, default="")
    message_id = models.CharField(max_length=255, blank=True, default="")
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "number"], name="invoicing_delivery_number"),
            models.UniqueConstraint(fields=["credit_note", "number"], name="invoicing_delivery_credit_note_number"),
            models.UniqueConstraint(fields=["payment_receipt", "number"], name="invoicing_delivery_receipt_number"),
            models.UniqueConstraint(fields=["payment_request", "number"], name="invoicing_delivery_request_number"),
            models.CheckConstraint(
                condition=_only("invoice") | _only("credit_note") | _only("payment_receipt") | _only("payment_request"),
                name="invoicing_delivery_of_one",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sent") | models.Q(sent_at__isnull=False), name="invoicing_delivery_sent"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=models.Q(state="pending"), name="invoicing_delivery_waiting"
            ),
        ]

    def __str__(self) -> str:
        about = self.invoice or self.credit_note or self.payment_receipt or self.payment_request
        return f"{about}: {', '.join(self.recipients)}"
