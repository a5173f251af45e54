"""Prepaid credit: money that customers paid for what they will use, and the invoices that it paid since."""

from decimal import Decimal

from django.db import models
from moneyed import Money

from config.kernel import db
from customers.models import BillingEntity, Customer
from invoicing.models.invoices import Invoice


class PrepaidCredit(db.Base):
    """Credit that a customer bought from one seller in one currency. It pays invoices with their tax.

    It pays lines whose service begins from ``valid_from`` to ``valid_until``, local days of the invoice, both included;
    with ``group_keys`` those of these groups alone. Of two credits the one with the lower ``priority`` is drawn first.
    ``source`` says in words what granted it, ``source_uuid`` which row of an upper app: each grants once.

    ``closed_amount`` is what was left when it was closed: it expired, or went on as the credit that names this one in
    ``rolled_from``. What is left now is granted less used less closed.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "active"
        USED_UP = "used_up", "used up"
        EXPIRED = "expired", "expired"
        ROLLED_OVER = "rolled_over", "rolled over"

    billing_entity = models.ForeignKey(BillingEntity, on_delete=models.PROTECT, related_name="prepaid_credits")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="prepaid_credits")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    currency = db.CurrencyField()
    amount = db.money_field("granted")
    used_amount = db.money_field("used", default=Decimal)
    closed_amount = db.money_field("closed", default=Decimal)
    valid_from = models.DateField()
    valid_until = models.DateField()
    priority = models.PositiveSmallIntegerField(default=50)
    group_keys = models.JSONField(default=list, blank=True)
    source = models.CharField(max_length=255)
    source_uuid = models.UUIDField(unique=True)
    rolled_from = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="rolled_into", editable=False
    )
    closed_on = models.DateField(null=True, editable=False)
    updated_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = "prepaid credit"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, used_amount__gte=0, closed_amount__gte=0)
                & models.Q(amount__gte=models.F("used_amount") + models.F("closed_amount")),
                name="invoicing_prepaid_amounts",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_until__gte=models.F("valid_from")), name="invoicing_prepaid_days"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    status="active",
                    closed_on__isnull=True,
                    closed_amount=0,
                    amount__gt=models.F("used_amount"),
                )
                | models.Q(status="used_up", closed_on__isnull=True, closed_amount=0, amount=models.F("used_amount"))
                | models.Q(
                    status__in=["expired", "rolled_over"],
                    closed_on__isnull=False,
                    closed_amount__gt=0,
                    amount=models.F("used_amount") + models.F("closed_amount"),
                ),
                name="invoicing_prepaid_status",
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer", "valid_until"],
                condition=models.Q(status="active"),
                name="invoicing_prepaid_active",
            ),
        ]

    def __str__(self) -> str:
        return self.source

    @property
    def left(self) -> Money:
        """What may still be drawn."""
        return self.amount - self.used_amount - self.closed_amount


class PrepaidCreditUse(db.Base):
    """The part of a prepaid credit that paid an invoice when it was issued. It is booked, so it stays as it is."""

    credit = models.ForeignKey(PrepaidCredit, on_delete=models.PROTECT, related_name="uses")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="prepaid_uses")
    currency = db.CurrencyField()
    amount = db.money_field()

    class Meta:
        verbose_name = "use of prepaid credit"
        verbose_name_plural = "uses of prepaid credit"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["credit", "invoice"], name="invoicing_prepaid_use"),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="invoicing_prepaid_use_amount"),
        ]

    def __str__(self) -> str:
        return str(self.amount)
