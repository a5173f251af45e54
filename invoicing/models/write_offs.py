"""What nobody expects to be paid any more of an issued invoice, and taking that back. Append-only."""

from django.db import models

from config.kernel import db
from invoicing.models.invoices import Invoice


class WriteOff(db.Base):
    """An amount of an invoice that is given up, with tax. What stands is said by the invoice's ``written_off_amount``.

    ``idempotency_key`` is of whoever asked for it through the API or pressed the button.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="write_offs")
    currency = db.CurrencyField()
    amount = db.money_field("written off")
    reason = models.TextField()
    idempotency_key = models.CharField(max_length=255, unique=True, null=True, editable=False)

    class Meta:
        verbose_name = "write-off"
        verbose_name_plural = "write-offs"
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_writeoff_amount")]
        indexes = [models.Index(fields=["-created_at", "-id"], name="invoicing_writeoff_at")]

    def __str__(self) -> str:
        return f"{self.amount} of {self.invoice}"


class WriteOffReversal(db.Base):
    """A write-off that was taken back, whole: the amount is owed again."""

    write_off = models.OneToOneField(WriteOff, on_delete=models.PROTECT, related_name="reversal")
    currency = db.CurrencyField()
    amount = db.money_field("owed again")
    reason = models.TextField()

    class Meta:
        verbose_name = "reversal of a write-off"
        verbose_name_plural = "reversals of write-offs"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.amount} owed again"
