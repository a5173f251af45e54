"""Instalments of prepaid commitments that were invoiced, and the credit that each granted."""

from django.db import models
from django.db.models import Q

from billing.models.contracts import ContractCommitment
from config.kernel import db
from invoicing.models import InvoiceLine, PrepaidCredit


class PrepaidInstalment(db.Base):
    """One instalment of a prepaid commitment, made when it is invoiced: once, by its number.

    ``credit`` is what it granted, once its invoice is paid (or issued, where that was agreed).
    """

    commitment = models.ForeignKey(ContractCommitment, on_delete=models.PROTECT, related_name="instalment_rows")
    number = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    currency = db.CurrencyField()
    amount = db.money_field("instalment")
    line = models.OneToOneField(InvoiceLine, on_delete=models.PROTECT, related_name="prepaid_instalment")
    credit = models.OneToOneField(
        PrepaidCredit, on_delete=models.PROTECT, null=True, related_name="instalment", editable=False
    )

    class Meta:
        verbose_name = "instalment of a prepaid commitment"
        verbose_name_plural = "instalments of prepaid commitments"
        ordering = ["commitment", "number"]
        constraints = [
            models.UniqueConstraint(fields=["commitment", "number"], name="billing_prepaid_instalment_number"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="billing_prepaid_instalment_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.commitment} instalment {self.number}"
