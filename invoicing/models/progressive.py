"""What an invoice takes off because it was billed progressively before."""

from django.db import models

from config.kernel import db
from invoicing.models.invoices import Invoice


class ProgressiveCredit(db.Base):
    """The part of an invoice's lines that earlier progressive invoices billed; taken off before taxes.

    ``source`` is the newest of those invoices. What they billed beyond what the lines come to is the
    ``excess_amount``: it is given back by a credit note when the invoice is issued. Both are net.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="progressive_credits")
    source = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="progressively_credited")
    currency = db.CurrencyField()
    amount = db.money_field("taken off")
    excess_amount = db.money_field("given back")

    class Meta:
        verbose_name = "progressive billing credit"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "source"], name="invoicing_progressive_credit"),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0, excess_amount__gte=0), name="invoicing_progressive_credit_amount"
            ),
        ]

    def __str__(self) -> str:
        return str(self.amount)
