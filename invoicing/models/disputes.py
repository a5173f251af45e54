"""Disputes of issued invoices: what a customer refuses to pay, and what became of that."""

from django.db import models

from config.kernel import db
from invoicing.models.invoices import Invoice
from invoicing.models.lines import InvoiceLine


class InvoiceDispute(db.Base):
    """A customer refuses to pay an invoice, or one ``line`` of it. ``amount`` is gross, as it was opened.

    ``open_amount`` is what of it is disputed still: it is not dunned, and stands in an account and in a bucket of its
    own. It is the sum of its moves. One that is lost stays disputed until the invoice is credited, paid or voided; one
    that is won or withdrawn is owed again like anything else.
    """

    class Status(models.TextChoices):
        OPEN = "open", "open"
        WON = "won", "won: it is owed"
        LOST = "lost", "lost: it will not be paid"
        WITHDRAWN = "withdrawn", "withdrawn by the customer"
        SETTLED = "settled", "settled: paid, credited or voided"

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="disputes")
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, null=True, related_name="disputes")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.OPEN)
    currency = db.CurrencyField()
    amount = db.money_field("disputed")
    open_amount = db.money_field("disputed still")
    reason = models.TextField()
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, editable=False)
    resolution = models.TextField(blank=True, default="")
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "dispute"
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, open_amount__gte=0, open_amount__lte=models.F("amount")),
                name="invoicing_dispute_amounts",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "lost"], open_amount__gt=0)
                | models.Q(status__in=["won", "withdrawn", "settled"], open_amount=0, resolved_at__isnull=False),
                name="invoicing_dispute_status",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="lost") | models.Q(resolved_at__isnull=False),
                name="invoicing_dispute_lost_at",
            ),
        ]
        indexes = [
            models.Index(
                fields=["invoice"], condition=models.Q(status__in=["open", "lost"]), name="invoicing_dispute_standing"
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.invoice}"


class DisputeMove(db.Base):
    """A step of a dispute, and by how much it changed what is disputed. Booked, so append-only."""

    class Kind(models.TextChoices):
        OPENED = "opened", "opened"
        WON = "won", "won"
        LOST = "lost", "lost"
        WITHDRAWN = "withdrawn", "withdrawn"
        SETTLED = "settled", "paid, credited or voided"

    dispute = models.ForeignKey(InvoiceDispute, on_delete=models.PROTECT, related_name="moves")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    currency = db.CurrencyField()
    amount = db.money_field("change")

    class Meta:
        verbose_name = "step of a dispute"
        verbose_name_plural = "steps of disputes"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.get_kind_display()
