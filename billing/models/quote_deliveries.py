"""E-mails that bring order forms to customers: each is a row before it is sent, so that none is forgotten."""

from django.db import models
from django.db.models import Q

from billing.models.order_forms import OrderForm
from config.kernel import db


class QuoteDelivery(db.Base):
    """One e-mail with the link to an order form: the offer itself, or the one reminder before it expires.

    ``number`` counts those of an order form from 1. ``sealed_token`` is the secret of the link, encrypted with a key of
    the installation, so that an attempt that failed can be repeated and a reminder brings the same link.
    """

    class Kind(models.TextChoices):
        OFFER = "offer", "offer"
        REMINDER = "reminder", "reminder"

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"
        DROPPED = "dropped", "not needed any more"

    order_form = models.ForeignKey(OrderForm, on_delete=models.PROTECT, related_name="deliveries")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.OFFER)
    recipients = models.JSONField(default=list)
    message = models.TextField(blank=True, default="")
    sealed_token = models.TextField(blank=True, default="", editable=False)
    subject = models.CharField(max_length=255, blank=True, default="")
    message_id = models.CharField(max_length=255, blank=True, default="")
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "e-mail of an order form"
        verbose_name_plural = "e-mails of order forms"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["order_form", "number"], name="billing_quote_delivery_number"),
            models.UniqueConstraint(
                fields=["order_form"], condition=Q(kind="reminder"), name="billing_quote_delivery_reminder"
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False), name="billing_quote_delivery_sent"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(state="pending"), name="billing_quote_delivery_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_form}: {', '.join(self.recipients)}"
