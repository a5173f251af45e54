"""What a voided invoice gave back: rows beside those that it used, which stay as they were. Append-only."""

from django.db import models

from config.kernel import db
from invoicing.models.credit_notes import CreditNoteUse
from invoicing.models.payments import Payment, PaymentAllocation
from invoicing.models.prepaid import PrepaidCreditUse


class CreditNoteUseReversal(db.Base):
    """The part of a used credit that is the customer's again, because the invoice that used it was voided."""

    use = models.OneToOneField(CreditNoteUse, on_delete=models.PROTECT, related_name="reversal")
    currency = db.CurrencyField()
    amount = db.money_field()

    class Meta:
        verbose_name = "credit given back"
        verbose_name_plural = "credits given back"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_credit_reversal_amount")
        ]

    def __str__(self) -> str:
        return str(self.amount)


class PrepaidCreditUseReversal(db.Base):
    """The part of drawn prepaid credit that can be drawn again, because the invoice that drew it was voided."""

    use = models.OneToOneField(PrepaidCreditUse, on_delete=models.PROTECT, related_name="reversal")
    currency = db.CurrencyField()
    amount = db.money_field()

    class Meta:
        verbose_name = "prepaid credit given back"
        verbose_name_plural = "prepaid credits given back"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_prepaid_reversal_amount")
        ]

    def __str__(self) -> str:
        return str(self.amount)


class PaymentRelease(db.Base):
    """The part of an allocated payment that is held for the customer since its invoice was voided, or closed unpaid.

    It may pay another invoice, by an allocation, or be paid back, by a refund of the payment.
    """

    allocation = models.OneToOneField(PaymentAllocation, on_delete=models.PROTECT, related_name="release")
    currency = db.CurrencyField()
    amount = db.money_field()

    class Meta:
        verbose_name = "payment held"
        verbose_name_plural = "payments held"
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_release_amount")]

    def __str__(self) -> str:
        return str(self.amount)


class PaymentRefund(db.Base):
    """Held money of a payment that was paid back to the customer. ``refunded_at`` is the instant of that."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    currency = db.CurrencyField()
    amount = db.money_field()
    reference = models.CharField(max_length=255, blank=True, default="")
    refunded_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=255, null=True, blank=True, unique=True, editable=False)

    class Meta:
        verbose_name = "refund of a payment"
        verbose_name_plural = "refunds of payments"
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_payment_refund_amount")]

    def __str__(self) -> str:
        return str(self.amount)
